"""
Mailings that pause by themselves, before their mail service suspends the sender: for addresses that do not exist, or
for people who mark the email as spam. After "Resume", only once the share has doubled.

The rest of a stopped mailing counts on from it, as if that had been resumed: a new mailing is no way around it.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Q

from ..models import Mailing, MailingState, PauseReason
from .pausing import pause_by_itself

# Fewer emails make no share.
FEWEST = 100
FEWEST_COMPLAINTS = 2
COUNTED = ("handed_over", "delivered", "bounced", "failed", "hard_bounces", "complaints")
FIELDS = (*COUNTED, "bounce_limit", "complaint_limit", "choice")


class SoFar(NamedTuple):
    """Of how many emails it is known what became of them, and of how many that they did harm."""

    known: int
    hard_bounces: int
    complaints: int


def known_fates(mailing: Mailing) -> int:
    """Of how many emails it is known what became of them; where deliveries are reported, others do not count yet."""
    reported = mailing.delivered + mailing.bounced if mailing.delivered else mailing.handed_over
    return reported + mailing.failed


def is_rest(mailing: Mailing) -> bool:
    return bool(mailing.choice.get("rest_of"))


def so_far(mailing: Mailing) -> SoFar:
    """What came of a mailing; of the rest of another, what came of all of them together."""
    counted = [mailing]
    if first := mailing.choice.get("rest_of"):
        others = Mailing.objects.filter(Q(pk=first) | Q(choice__rest_of=first)).exclude(pk=mailing.pk)
        counted += others.exclude(state=MailingState.DRAFT).only(*COUNTED)
    return SoFar(
        known=sum(map(known_fates, counted)),
        hard_bounces=sum(each.hard_bounces for each in counted),
        complaints=sum(each.complaints for each in counted),
    )


def pause_if_harmful(mailing_id: int) -> bool:
    """Pause the mailing where too many bounced or complained; whether it did. Part of a transaction that counted."""
    running = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING)
    mailing = running.only(*FIELDS).first()
    reason = _harm(mailing) if mailing is not None else None
    if reason is None:
        return False
    return pause_by_itself(running, reason)


def raised_limits(mailing: Mailing) -> dict[str, float]:
    """Twice the shares with which staff let it go on, for those that were reached; none after another pause."""
    if mailing.paused_because not in (PauseReason.HARD_BOUNCES, PauseReason.COMPLAINTS):
        return {}
    found = so_far(mailing)
    known = max(found.known, 1)
    bounces, complaints = found.hard_bounces / known, found.complaints / known
    return {
        "bounce_limit": 2 * bounces if bounces >= mailing.bounce_limit else mailing.bounce_limit,
        "complaint_limit": 2 * complaints if complaints >= mailing.complaint_limit else mailing.complaint_limit,
    }


def limits_of_rest(mailing: Mailing) -> dict[str, float]:
    """For the rest of a stopped mailing: those with which it would go on, had it been resumed."""
    own = {"bounce_limit": mailing.bounce_limit, "complaint_limit": mailing.complaint_limit}
    return own | raised_limits(mailing)


def _harm(mailing: Mailing) -> PauseReason | None:
    found = so_far(mailing)
    if found.known < FEWEST:
        return None
    if found.complaints >= FEWEST_COMPLAINTS and found.complaints / found.known >= mailing.complaint_limit:
        return PauseReason.COMPLAINTS
    return PauseReason.HARD_BOUNCES if found.hard_bounces / found.known >= mailing.bounce_limit else None
