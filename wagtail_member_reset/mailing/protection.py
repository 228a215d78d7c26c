"""
Mailings that pause by themselves, before their mail service suspends the sender: for addresses that do not exist, or
for people who mark the email as spam. After "Resume", only once the share has doubled.
"""

from __future__ import annotations

from ..models import Mailing, MailingState, PauseReason
from .pausing import pause_by_itself

# Fewer emails make no share.
FEWEST = 100
FEWEST_COMPLAINTS = 2
FIELDS = (
    "handed_over",
    "delivered",
    "bounced",
    "failed",
    "hard_bounces",
    "complaints",
    "bounce_limit",
    "complaint_limit",
)


def known_fates(mailing: Mailing) -> int:
    """Of how many emails it is known what became of them; where deliveries are reported, others do not count yet."""
    reported = mailing.delivered + mailing.bounced if mailing.delivered else mailing.handed_over
    return reported + mailing.failed


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
    known = max(known_fates(mailing), 1)
    bounces, complaints = mailing.hard_bounces / known, mailing.complaints / known
    return {
        "bounce_limit": 2 * bounces if bounces >= mailing.bounce_limit else mailing.bounce_limit,
        "complaint_limit": 2 * complaints if complaints >= mailing.complaint_limit else mailing.complaint_limit,
    }


def _harm(mailing: Mailing) -> PauseReason | None:
    known = known_fates(mailing)
    if known < FEWEST:
        return None
    if mailing.complaints >= FEWEST_COMPLAINTS and mailing.complaints / known >= mailing.complaint_limit:
        return PauseReason.COMPLAINTS
    return PauseReason.HARD_BOUNCES if mailing.hard_bounces / known >= mailing.bounce_limit else None
