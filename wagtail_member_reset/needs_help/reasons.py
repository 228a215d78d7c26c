"""What a member needs help with, by what the account, its latest link and that link's email say now."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.utils import timezone

from ..accounts import address_of, domain_of, is_not_to_be_emailed, keeps_last_login, refusals
from ..exceptions import Refusal
from ..models import QUIET, DeliveryEvent, EmailState, Need, PasswordReset, Reason, ResetEmail, State
from ..reports import ARRIVED, NO_SUCH_ADDRESS, Cause, Outcome, Verdict, reports, verdict_on

logger = logging.getLogger("wagtail_member_reset")

# How long before its end an unused link is about to expire, and after how long no password is worth a word.
SOON = timedelta(days=1)
PATIENCE = timedelta(days=3)
SAFETY = (Reason.RIGHTS_GAINED, Reason.KEY_LOST)


class Found(NamedTuple):
    """`at` is when it happened, where that is known; `sent_at` when the latest link or email was made."""

    need: Need
    at: datetime | None
    sent_at: datetime | None = None
    domain: str = ""
    has_arrived: bool = False


class Looked(NamedTuple):
    """What members need help with; who needs none for now, but has not got in; and of whom nothing can be said."""

    found: dict[Any, Found]
    waiting: set[Any]
    unclear: set[Any]


def look(keys: Sequence[Any]) -> Looked:
    """What each of the members needs help with. Five queries."""
    model, refusal_of = get_user_model(), refusals()
    accounts = model._base_manager.filter(~is_not_to_be_emailed(), pk__in=keys)
    resets = _latest(PasswordReset.objects.filter(member__in=keys).order_by("member", "-pk"))
    used = set(PasswordReset.objects.filter(member__in=keys, state=State.USED).values_list("member_id", flat=True))
    emails = _emails([reset.pk for reset in resets.values()])
    looked = Looked({}, set(), set())
    for member in accounts:
        reset = resets.get(member.pk)
        # A rule of the site's own may fail for one account: then nothing new can be said of that one.
        try:
            refusal = refusal_of(member)
        except Exception as error:
            logger.debug("member=%s not looked at: %s", member.pk, type(error).__name__)
            looked.unclear.add(member.pk)
            continue
        if refusal not in (None, Refusal.NO_ADDRESS) or _has_got_in(member, reset, used):
            continue
        is_newcomer = _last_login(member) is None and member.pk not in used
        sent = emails.get(reset.pk) if reset else None
        need = _need(reset, sent, refusal, joined_at=_joined_at(member))
        if need is not None and (is_newcomer or need.need < QUIET):
            looked.found[member.pk] = need._replace(
                sent_at=_sent_at(reset, sent),
                domain=domain_of(address_of(member))[:255],
                has_arrived=sent is not None and sent[1].outcome in ARRIVED,
            )
        elif reset is not None:
            looked.waiting.add(member.pk)
    return looked


def _latest(resets: Iterable[PasswordReset]) -> dict[Any, PasswordReset]:
    latest: dict[Any, PasswordReset] = {}
    for reset in resets:
        latest.setdefault(reset.member_id, reset)
    return latest


def _emails(resets: Sequence[int]) -> dict[int, tuple[ResetEmail, Verdict]]:
    """The latest email of each link, and what became of it."""
    latest: dict[int, ResetEmail] = {}
    for email in ResetEmail.objects.with_link().filter(reset__in=resets).order_by("-created_at", "-pk"):
        if email.reset_id is not None:
            latest.setdefault(email.reset_id, email)
    events: dict[int, list[DeliveryEvent]] = {}
    for event in DeliveryEvent.objects.filter(email__in=[email.pk for email in latest.values()]):
        events.setdefault(event.email_id, []).append(event)
    return {
        key: (email, verdict_on(email, events.get(email.pk, ()), reports=reports(email.provider)))
        for key, email in latest.items()
    }


def _has_got_in(member: Any, reset: PasswordReset | None, used: set[Any]) -> bool:
    """Whether the person has got in since the latest link was issued, or ever, where there is none."""
    last = _last_login(member)
    if reset is None:
        return last is not None
    return reset.state == State.USED or (last is not None and last >= reset.issued_at)


def _last_login(member: Any) -> datetime | None:
    return member.last_login if keeps_last_login(type(member)) else None


def _joined_at(member: Any) -> datetime | None:
    """Where the site's accounts say so."""
    return getattr(member, "date_joined", None)


def _sent_at(reset: PasswordReset | None, sent: tuple[ResetEmail, Verdict] | None) -> datetime | None:
    moments = ([reset.issued_at] if reset else []) + ([sent[0].created_at] if sent else [])
    return max(moments, default=None)


def _need(
    reset: PasswordReset | None,
    sent: tuple[ResetEmail, Verdict] | None,
    refusal: Refusal | None,
    *,
    joined_at: datetime | None,
) -> Found | None:
    if refusal == Refusal.NO_ADDRESS:
        return Found(Need.NO_ADDRESS, joined_at)
    if reset is None:
        return None
    if reset.state == State.REVOKED:
        ended = reset.closed_at or reset.issued_at
        return Found(Need.LINK_ENDED, ended) if reset.reason in SAFETY else None
    if reset.state != State.ACTIVE:
        return None
    if sent is not None and (need := _need_of(sent[1])):
        return Found(need, _moment_of(*sent))
    return _need_of_time(reset, sent)


def _need_of(verdict: Verdict) -> Need | None:
    """What went wrong with an email; None where nothing did, or nothing that anybody can help with."""
    if verdict.is_complaint:
        return Need.COMPLAINED
    if verdict.outcome in (Outcome.BOUNCED, Outcome.NOT_SENT):
        if verdict.cause in NO_SUCH_ADDRESS:
            return Need.NO_SUCH_ADDRESS
        return Need.MAILBOX_FULL if verdict.cause == Cause.MAILBOX_FULL else Need.REFUSED
    return Need.FAILED if verdict.outcome in (Outcome.FAILED, Outcome.SKIPPED) else None


def _moment_of(email: ResetEmail, verdict: Verdict) -> datetime:
    return verdict.at or email.refused_at or email.handed_over_at or email.created_at


def _need_of_time(reset: PasswordReset, sent: tuple[ResetEmail, Verdict] | None) -> Found | None:
    """What time has brought to a link that nothing is wrong with."""
    now = timezone.now()
    if reset.is_expired:
        return Found(Need.EXPIRED, reset.expires_at)
    if now >= reset.expires_at - min(SOON, reset.lifetime / 2):
        return Found(Need.ABOUT_TO_EXPIRE, reset.expires_at)
    was_sent = sent is not None and sent[0].state == EmailState.HANDED_OVER
    if was_sent and now >= reset.issued_at + PATIENCE:
        return Found(Need.NO_PASSWORD, reset.issued_at)
    return None
