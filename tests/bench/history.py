"""A million resets with their mails, written by the database itself: anything else takes minutes."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Count, Max, Min

from tests.bench.filling import settle
from wagtail_member_reset.conf import conf
from wagtail_member_reset.models import PasswordReset, ResetEmail

# Some 500 a day.
SECONDS_APART = 160


@dataclass(frozen=True)
class Dialect:
    numbers: str
    """A table `numbers` with `i` from nought on."""
    hex: str
    """A number in so many hexadecimal digits."""
    uuid: str
    moment: str
    """A point of time, so many seconds from now."""
    noise: str


DIALECTS = {
    "sqlite": Dialect(
        numbers="WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < {} - 1)",
        hex="printf('%0{width}x', {number})",
        uuid="{}",
        moment="strftime('%Y-%m-%d %H:%M:%f000', 'now', ({}) || ' seconds')",
        noise="randomblob(16)",
    ),
    "postgresql": Dialect(
        numbers="WITH numbers AS (SELECT generate_series(0, {} - 1)::bigint AS i)",
        hex="lpad(to_hex({number}), {width}, '0')",
        uuid="({})::uuid",
        moment="now() + make_interval(secs => {})",
        noise="decode(md5(i::text), 'hex')",
    ),
}


def with_resets(*, resets: int) -> None:
    """
    Resets with their mails, one member after the other, as many in a day whatever their number: what grows
    is the past, which a site keeps that has set a long time for it.

    Of each member's latest, every fifth was not used; of the others, half were used and half replaced.
    """
    say = DIALECTS[connection.vendor]
    found = get_user_model().objects.filter(username__startswith="member")
    members = found.aggregate(first=Min("pk"), count=Count("pk"), last=Max("pk"))
    lifetime = conf.LINK_LIFETIME.total_seconds()
    age = f"(({resets} - i) * {SECONDS_APART})"
    member = f"({members['first']} + i % {members['count']})"
    is_active = f"(i >= {resets - members['count']} AND i % 5 = 0)"
    about = {
        "member_id": member,
        "purpose": "'welcome'",
        "language": "'en'",
        "recipient": f"'member' || {member} || '@members.example'",
    }
    issued = say.moment.format(f"-{age}")
    reset = {
        **about,
        "id": "i + 1",
        "active_for_id": f"CASE WHEN {is_active} THEN {member} END",
        "origin": "'mailing'",
        "password_mark": "''",
        # The odd factor scatters the selectors, and keeps them apart.
        "selector": say.hex.format(width=12, number="(i * 2654435761) % 281474976710656"),
        "nonce": f"CASE WHEN {is_active} AND {age} < {conf.STATUS_WINDOW.total_seconds():.0f} THEN {say.noise} END",
        "verifier": "'none'",
        "key_id": "'none'",
        "state": f"CASE WHEN {is_active} THEN 'active' WHEN i % 2 = 0 THEN 'used' ELSE 'superseded' END",
        "reason": "''",
        "revision": "0",
        "issued_at": issued,
        "expires_at": say.moment.format(f"{lifetime:.0f} - {age}"),
    }
    digits = f"{say.hex.format(width=12, number='1700000000000 + i')} || '70008000' || "
    mail = {
        **about,
        "id": "i + 1",
        "reset_id": "i + 1",
        "public_id": say.uuid.format(digits + say.hex.format(width=12, number="i")),
        "state": "'handed_over'",
        "skip_reason": "''",
        "attempts": "1",
        "possible_copies": "0",
        "lease": "''",
        "next_attempt_at": issued,
        "provider": "'Mailgun'",
        "message_id": f"'<' || {say.hex.format(width=12, number='i')} || '@club.example>'",
        "result_code": "'queued'",
        "result_text": "''",
        "result_cause": "''",
        "created_at": issued,
        "handed_over_at": issued,
    }
    with connection.cursor() as cursor:
        for model, columns in ((PasswordReset, reset), (ResetEmail, mail)):
            cursor.execute(
                f"{say.numbers.format(resets)} INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "
                f"SELECT {', '.join(columns.values())} FROM numbers"
            )
        if connection.vendor == "postgresql":
            for model in (PasswordReset, ResetEmail):
                cursor.execute(f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), {resets})")
    settle()
