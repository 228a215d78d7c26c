"""
Mailings that pause by themselves, before their mail service suspends the sender: for addresses that do not exist, or
for people who mark the email as spam. After "Resume", only once the share has doubled.
"""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Mailing, MailingState, PauseReason

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
    paused = {"state": MailingState.PAUSED, "paused_at": timezone.now(), "paused_because": reason}
    return bool(running.update(**paused, notice=MailingState.PAUSED))


def raised_limits(mailing: Mailing) -> dict[str, float]:
    """Twice the shares with which staff let it go on, for those that were reached; none after a first wave."""
    if mailing.paused_because == PauseReason.FIRST_WAVE:
        return {}
    known = max(known_fates(mailing), 1)
    bounces, complaints = mailing.hard_bounces / known, mailing.complaints / known
    return {
        "bounce_limit": 2 * bounces if bounces >= mailing.bounce_limit else mailing.bounce_limit,
        "complaint_limit": 2 * complaints if complaints >= mailing.complaint_limit else mailing.complaint_limit,
    }


def why_paused(mailing: Mailing) -> str:
    """Why it paused by itself and what to do; empty where it did not."""
    if mailing.paused_because == PauseReason.HARD_BOUNCES:
        found = mailing.hard_bounces
        what = ngettext(
            "Sending paused by itself: %(number)s of %(known)s emails went to an address that does not exist.",
            "Sending paused by itself: %(number)s of %(known)s emails went to addresses that do not exist.",
            found,
        )
        then = _("Check where the addresses come from, and correct those that failed. Then resume, or stop sending.")
    elif mailing.paused_because == PauseReason.FIRST_WAVE:
        return _why_paused_after_wave(mailing)
    elif mailing.paused_because == PauseReason.COMPLAINTS:
        found = mailing.complaints
        what = ngettext(
            "Sending paused by itself: %(number)s of %(known)s people marked the email as spam.",
            "Sending paused by itself: %(number)s of %(known)s people marked the email as spam.",
            found,
        )
        then = _("Check whether these members expect an email from you. Then resume, or stop sending.")
    else:
        return ""
    number, known = (number_format(each, use_l10n=True, force_grouping=True) for each in (found, known_fates(mailing)))
    return " ".join([what % {"number": number, "known": known}, _("Mail services suspend senders for that."), then])


def _why_paused_after_wave(mailing: Mailing) -> str:
    sent = mailing.handed_over
    what = ngettext(
        "Sending paused by itself after the first wave, as you wanted: %(number)s email was sent.",
        "Sending paused by itself after the first wave, as you wanted: %(number)s emails were sent.",
        sent,
    ) % {"number": number_format(sent, use_l10n=True, force_grouping=True)}
    return " ".join([what, _("Look at what came back. Then resume, or stop sending.")])


def _harm(mailing: Mailing) -> PauseReason | None:
    known = known_fates(mailing)
    if known < FEWEST:
        return None
    if mailing.complaints >= FEWEST_COMPLAINTS and mailing.complaints / known >= mailing.complaint_limit:
        return PauseReason.COMPLAINTS
    return PauseReason.HARD_BOUNCES if mailing.hard_bounces / known >= mailing.bounce_limit else None
