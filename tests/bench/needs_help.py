"""Who needs help, on tables where everybody does: the list, the panel, the user listing, and the files."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from tests.bench.filling import settle
from tests.bench.history import DIALECTS, SECONDS_APART, with_resets
from tests.bench.meter import Meter
from wagtail_member_reset.models import NeedsHelp
from wagtail_member_reset.staff.needs_help_panel import counts

PAGES, DOMAINS = 15, 1000
# Of a hundred, so many each: the first ten need action, the others are not in yet.
REASONS = "CASE WHEN i % 100 < 2 THEN 10 WHEN i % 100 < 10 THEN 50 WHEN i % 100 < 60 THEN 120 ELSE 130 END"


def needing_help(*, resets: int) -> None:
    """So many members who never signed in, each with a link, an email, and a row in the list."""
    say = DIALECTS[connection.vendor]
    person = {
        "username": f"'member' || {say.hex.format(width=7, number='i')}",
        "email": f"'member' || {say.hex.format(width=7, number='i')} || '@d' || (i % {DOMAINS}) || '.example'",
        "first_name": "'Mia'",
        "last_name": "'Sample'",
        "password": "'!'",
        "is_superuser": "FALSE",
        "is_staff": "FALSE",
        "is_active": "TRUE",
        "date_joined": say.moment.format("-i"),
    }
    row = {
        "reason": REASONS,
        "happened_at": say.moment.format(f"-i * {SECONDS_APART}"),
        "domain": f"'d' || (i % {DOMAINS}) || '.example'",
        "has_arrived": "FALSE",
        "shelf": "''",
        "note": "''",
    }
    numbers = say.numbers.format(resets)
    with connection.cursor() as cursor:
        _insert(cursor, get_user_model(), person, f"{numbers} INSERT INTO", "FROM numbers")
    with_resets(resets=resets)
    first = get_user_model().objects.filter(username__startswith="member").order_by("pk").first()
    assert first is not None
    with connection.cursor() as cursor:
        _insert(cursor, NeedsHelp, {"member_id": f"{first.pk} + i", **row}, f"{numbers} INSERT INTO", "FROM numbers")
    settle()


def _insert(cursor: Any, model: Any, columns: dict[str, str], before: str, after: str) -> None:
    cursor.execute(
        f"{before} {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} {after}"
    )


def lists() -> dict[str, Any]:
    """Median seconds and statements of the first page for who sees everybody and for who does not, and of the rest."""
    far, near = _entered(get_user_model().objects.get(username="ana")), _entered(_junior())
    page, listing = reverse("wagtail_member_reset_admin:needs_help"), reverse("wagtailusers_users:index")
    quiet, domains = f"{page}?show=quiet", reverse("wagtail_member_reset_admin:needs_help_domains")
    looks: dict[str, Callable[[], Any]] = {
        "page": lambda: far.get(page),
        "near": lambda: near.get(page),
        "quiet": lambda: far.get(quiet),
        "domains": lambda: far.get(domains),
        "panel": lambda: _counted(far),
        "near_panel": lambda: _counted(near),
        "listing": lambda: far.get(listing),
    }
    found = {name: _measured(look) for name, look in looks.items()}
    with override_settings(WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED=False):
        found["plain_listing"] = _measured(looks["listing"])
    return found


def _junior() -> Any:
    """Somebody who may send resets, and not see those of others of their rank or above."""
    junior = get_user_model().objects.get_or_create(username="juno", email="juno@club.example")[0]
    junior.user_permissions.set(Permission.objects.filter(codename__in=["access_admin", "send_passwordreset"]))
    return junior


def _entered(person: Any) -> Any:
    client = Client()
    client.force_login(person)
    client.reader = person
    return client


def _counted(client: Any) -> Any:
    cache.clear()
    counts(client.reader)


def _measured(look: Callable[[], Any]) -> dict[str, float]:
    answer = look()
    assert answer is None or answer.status_code == 200
    times, statements = [], 0
    for _number in range(PAGES):
        with Meter() as meter:
            start = time.perf_counter()
            look()
            times.append(time.perf_counter() - start)
        statements = max(statements, meter.statements)
    return {"seconds": statistics.median(times), "statements": statements}


def files() -> dict[str, Any]:
    """Memory and seconds of the list as a file."""
    client = _entered(get_user_model().objects.get(username="ana"))
    page, found = reverse("wagtail_member_reset_admin:needs_help"), {}
    for kind in ("csv", "xlsx"):
        list(client.get(page, {"export": kind, "domain": "d1.example"}).streaming_content)
        with Meter() as meter:
            size = sum(map(len, client.get(page, {"export": kind}).streaming_content))
        found[kind] = meter.as_json(size=size)
    return found
