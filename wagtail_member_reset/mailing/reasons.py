"""Why a mailing paused by itself, and what to do, in words."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import Mailing, PauseReason
from .protection import is_rest, known_fates


def why_paused(mailing: Mailing, *, has_figures: bool = True) -> str:
    """Empty where it did not. Without figures, for people who may not see everybody's resets."""
    reason = mailing.paused_because
    if not reason:
        return ""
    what = _with_figures(mailing) if has_figures else ""
    return " ".join([what or _without_figures(reason), *_what_to_do(reason)])


def _with_figures(mailing: Mailing) -> str:
    """Empty where there are none: the rest of a mailing pauses for what came of all of them together."""
    if is_rest(mailing) and mailing.paused_because != PauseReason.FIRST_WAVE:
        return ""
    if mailing.paused_because == PauseReason.HARD_BOUNCES:
        found = mailing.hard_bounces
        what = ngettext(
            "Sending was paused automatically: %(number)s of %(known)s emails went to an address that does not exist.",
            "Sending was paused automatically: %(number)s of %(known)s emails went to addresses that do not exist.",
            found,
        )
    elif mailing.paused_because == PauseReason.COMPLAINTS:
        found = mailing.complaints
        what = ngettext(
            "Sending was paused automatically: %(number)s of %(known)s people marked the email as spam.",
            "Sending was paused automatically: %(number)s of %(known)s people marked the email as spam.",
            found,
        )
    elif mailing.paused_because == PauseReason.FIRST_WAVE:
        found = mailing.handed_over
        what = ngettext(
            "Sending was paused automatically after the first wave, as you wanted: %(number)s email was sent.",
            "Sending was paused automatically after the first wave, as you wanted: %(number)s emails were sent.",
            found,
        )
    else:
        return ""
    number, known = (number_format(each, use_l10n=True, force_grouping=True) for each in (found, known_fates(mailing)))
    return what % {"number": number, "known": known}


def _without_figures(reason: str) -> str:
    return {
        PauseReason.HARD_BOUNCES: _(
            "Sending was paused automatically: too many emails went to addresses that do not exist."
        ),
        PauseReason.COMPLAINTS: _("Sending was paused automatically: too many people marked the email as spam."),
        PauseReason.FIRST_WAVE: _("Sending was paused automatically after the first wave."),
        PauseReason.UNWANTED: _(
            "Sending was paused automatically:"
            " several members’ mail servers in a row refused this site’s emails as unwanted."
        ),
        PauseReason.REFUSED: _(
            "Sending was paused automatically: this site’s emails are being refused or cannot be made."
            " Its login, settings, account or texts have to be fixed."
        ),
    }[PauseReason(reason)]


def _what_to_do(reason: str) -> list[str]:
    suspended = _("Mail services suspend senders for that.")
    return {
        PauseReason.HARD_BOUNCES: [
            suspended,
            _("Check where the addresses come from, and correct those that failed. Then resume, or stop sending."),
        ],
        PauseReason.COMPLAINTS: [
            suspended,
            _("Check whether these members expect an email from you. Then resume, or stop sending."),
        ],
        PauseReason.FIRST_WAVE: [_("Look at what came back. Then resume, or stop sending.")],
        PauseReason.UNWANTED: [_("Ask your administrator to check SPF, DKIM and DMARC. Then resume.")],
        PauseReason.REFUSED: [_("Ask your administrator. Then resume: nobody was passed over.")],
    }[PauseReason(reason)]
