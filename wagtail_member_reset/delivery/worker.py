"""One worker's pass over the outbox: claim, check again, compose, send, write down."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta

from django.db.models import F, Min
from django.utils import timezone

from .. import emails, ledger, links, tokens, turns
from ..conf import conf
from ..exceptions import MemberResetError, WindowClosed
from ..models import EmailState, PasswordReset, ResetEmail, SkipReason, State
from ..signals import delivery_changed
from . import requests
from .transport import TIMEOUT_SECONDS, Mailer, Result, Verdict

logger = logging.getLogger("wagtail_member_reset")

CHUNK = 500
LEASE = timedelta(minutes=10)
# Stop sending this long before the lease runs out, so that no other worker sends the same mail meanwhile.
MARGIN = timedelta(seconds=3 * TIMEOUT_SECONDS)
BACK_OFF = [timedelta(seconds=30)] + [timedelta(minutes=m) for m in (2, 10, 30, 120, 360)]
MOST_ATTEMPTS = len(BACK_OFF) + 3


def drain() -> int:
    """
    Do all that is due: resolve requests, send mails, erase what must not be kept.

    Returns the number of mails handed over. Safe to run beside itself, in any
    number of processes: each row is claimed by one of them.
    """
    ledger.sweep()
    handed_over = 0
    with Mailer() as mailer:
        cache: emails.Cache = {}
        while True:
            requests.resolve_due()
            lease, until = secrets.token_hex(16), timezone.now() + LEASE
            claimed = claim(lease)
            for email in claimed:
                if timezone.now() > until - MARGIN:
                    release(lease)
                    break
                handed_over += deliver(email, mailer, cache)
            if not claimed:
                return handed_over


def claim(lease: str) -> list[ResetEmail]:
    """Take due rows for ourselves. What another worker took in the meantime does not match any more."""
    now = timezone.now()
    ids = list(ResetEmail.objects.due().order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:CHUNK])
    if not ids:
        return []
    turns.retried(
        lambda: (
            ResetEmail.objects.due()
            .filter(pk__in=ids)
            .update(state=EmailState.SENDING, lease=lease, lease_until=now + LEASE, attempts=F("attempts") + 1)
        )
    )
    return list(ResetEmail.objects.filter(lease=lease, state=EmailState.SENDING).order_by("pk"))


def release(lease: str) -> None:
    """Give back what we did not get to, without counting the attempt."""
    ResetEmail.objects.filter(lease=lease, state=EmailState.SENDING).update(
        state=EmailState.QUEUED, lease="", lease_until=None, attempts=F("attempts") - 1
    )


def deliver(claimed: ResetEmail, mailer: Mailer, cache: emails.Cache) -> bool:
    """Send one claimed mail; whether it was handed over."""
    email = as_it_is_now(claimed)
    if email is None:
        return False
    try:
        if email.attempts > MOST_ATTEMPTS:  # it ends its workers; without this, for ever
            note(email, Result(verdict=Verdict.NEVER, code="error"), token="")
            return False
        if skip := no_longer_wanted(email):
            _save(email, state=EmailState.SKIPPED, skip_reason=skip)
            return False
        token = mint_for(email) if email.has_link else ""
        content = compose(email, token, cache)
    except WindowClosed:
        _save(email, state=EmailState.SKIPPED, skip_reason=SkipReason.WINDOW_CLOSED)
        return False
    except MemberResetError as error:
        logger.error("email=%s not composed: %s", email.public_id, error)
        note(email, Result(verdict=Verdict.NEVER, code="configuration", text=str(error)), token="")
        return False
    except Exception as error:
        # One mail that cannot be written, say for a broken template, must not hold the others
        # back. What an error says may quote the link, so only its kind is logged.
        logger.error("email=%s not composed: %s", email.public_id, type(error).__name__)
        note(email, Result(verdict=Verdict.LATER, code="error"), token="")
        return False
    result = mailer.send(content, to=email.recipient, public_id=str(email.public_id))
    note(email, result, token=token)
    return result.verdict == Verdict.ACCEPTED


def as_it_is_now(claimed: ResetEmail) -> ResetEmail | None:
    """
    The row with its link and its account, read when its turn comes: since it was claimed, hundreds
    of mails may have left. None when it is no longer ours, or went with its member.
    """
    mine = ResetEmail.objects.filter(pk=claimed.pk, lease=claimed.lease, state=EmailState.SENDING)
    return mine.select_related("member", "reset", "reset__site", "site").first()


def no_longer_wanted(email: ResetEmail) -> SkipReason | None:
    """Whether what was promised still stands. The mail that tells of a change has nothing to check."""
    if not email.has_link:
        return None
    reset = email.reset
    if reset is None or reset.state != State.ACTIVE or reset.is_expired:
        return SkipReason.LINK_CLOSED
    return SkipReason.MEMBER_CHANGED if ledger.settle(reset, email.member) else None


def mint_for(email: ResetEmail) -> str:
    """
    The token of the mail's link; a new link's, when this one waited too long and nobody has it.

    Raises `WindowClosed` when somebody may have it: a new link would end theirs.
    """
    reset = email.reset
    assert reset is not None
    try:
        return tokens.mint(reset)
    except WindowClosed:
        if not is_unseen(reset):
            raise
        return tokens.mint(ledger.reissue(email))


def is_unseen(reset: PasswordReset) -> bool:
    """Whether nobody has been shown, has copied, opened or been mailed this link."""
    if reset.shown_at or reset.copied_at or reset.opened_at:
        return False
    # A server that went silent, or a worker that died, may have mailed it: only a first attempt is sure.
    return sum(reset.emails.values_list("attempts", flat=True)) <= 1


def letter(email: ResetEmail) -> emails.Content:
    """
    The mail as it went to the member, for who passes the link on another way.

    Raises `WindowClosed` when its link can no longer be produced, and `MemberResetError` as composing does.
    """
    assert email.reset is not None
    return compose(email, tokens.mint(email.reset), {})


def compose(email: ResetEmail, token: str, cache: emails.Cache) -> emails.Content:
    site = email.reset.site if email.reset and email.has_link else email.site
    slots = {
        "first_name": emails.first_name(str(getattr(email.member, "first_name", "") or "")),
        "site_name": links.site_name(site),
        "support_contact": conf.SUPPORT_CONTACT,
    }
    if email.reset is not None and email.has_link:
        slots["link"] = links.link(token, site=site, language=email.language)
        slots["valid_until"] = emails.valid_until(email.reset.expires_at, language=email.language)
    return emails.compose(email.purpose, language=email.language, slots=slots, cache=cache)


def note(email: ResetEmail, result: Result, *, token: str) -> None:
    """Write down what came of an attempt, and when to try again."""
    text = tokens.blank_out(token, result.text) if token else result.text
    told = {"result_code": result.code[:32], "result_text": text[:500]}
    if result.provider:
        told |= {"provider": result.provider, "message_id": result.message_id}
    if result.verdict == Verdict.ACCEPTED:
        now = timezone.now()
        _save(
            email,
            state=EmailState.HANDED_OVER,
            handed_over_at=now,
            **told,
        )
    elif result.verdict == Verdict.LATER and email.attempts <= len(BACK_OFF):
        again = timezone.now() + BACK_OFF[email.attempts - 1]
        _save(email, state=EmailState.QUEUED, next_attempt_at=again, **told)
    else:
        _save(email, state=EmailState.FAILED, **told)


def next_due() -> datetime | None:
    """When something wants attention next: a retry, a lease that runs out, a request left over; None for nothing."""
    if requests.are_waiting():
        return timezone.now() + BACK_OFF[0]
    queued = ResetEmail.objects.filter(state=EmailState.QUEUED).aggregate(first=Min("next_attempt_at"))["first"]
    leased = ResetEmail.objects.filter(state=EmailState.SENDING).aggregate(first=Min("lease_until"))["first"]
    return min(filter(None, (queued, leased)), default=None)


def _save(email: ResetEmail, **changes: object) -> None:
    # Only under our own lease: if it ran out, another worker has the row and writes what it saw.
    mine = ResetEmail.objects.filter(pk=email.pk, lease=email.lease, state=EmailState.SENDING)
    if turns.retried(lambda: mine.update(lease="", lease_until=None, **changes)):
        for name, value in changes.items():
            setattr(email, name, value)
        delivery_changed.send_robust(sender=ResetEmail, email=email)
