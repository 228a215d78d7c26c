"""The first sentence about what was sent last: what leads, and what happened before."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from ..models import EmailState, Origin
from ..reports import Cause, Outcome
from ..resets import Status

# What is told in the place of "sent": nothing beside it may contradict it.
WAITING = (Outcome.OVERDUE, Outcome.RETRYING)
# Bounces that are a matter of the address, which staff may correct.
OF_THE_ADDRESS = (
    Cause.NONE,
    Cause.NO_SUCH_MAILBOX,
    Cause.MAILBOX_FULL,
    Cause.INVALID,
    Cause.BOUNCED_BEFORE,
    Cause.TIMED_OUT,
    Cause.GAVE_UP,
)


@dataclass(frozen=True, slots=True)
class Headline:
    """`before` is what had happened before that, where something else leads."""

    text: str
    before: str = ""


def headline(status: Status) -> Headline | None:
    """What is said first of a link that staff may still see; None where nothing was made."""
    if status.reset is None:
        return None
    if status.email is None:
        return Headline(_("A link was made without an email."))
    is_new = status.reset.is_welcome and status.reset.origin == Origin.STAFF
    if status.email.state in (EmailState.FAILED, EmailState.SKIPPED):
        if is_new:
            return Headline(_("Account successfully created, but the reset password email could not be sent."))
        return Headline(_("The reset password email could not be sent."))
    outcome = status.verdict.outcome if status.verdict else None
    if outcome in WAITING:
        if is_new:
            return Headline(_("Account successfully created, but the reset password email has not left yet."))
        return Headline(_("The reset password email has not left yet."))
    sent = (
        _("Account successfully created and reset password email sent.") if is_new else _("Reset password email sent.")
    )
    leading = {
        Outcome.BOUNCED: _("The reset password email came back."),
        Outcome.NOT_SENT: _("The mail service held the reset password email back."),
        Outcome.COMPLAINED: _("The reset password email was marked as spam."),
    }
    return Headline(leading[outcome], before=sent) if outcome in leading else Headline(sent)


def is_about_address(status: Status) -> bool:
    """Whether the email failed for the address itself, so that to correct it is what helps."""
    verdict = status.verdict
    return (
        verdict is not None
        and verdict.outcome in (Outcome.BOUNCED, Outcome.NOT_SENT)
        and verdict.cause in OF_THE_ADDRESS
    )


def is_without_risk(status: Status) -> bool:
    """Whether sending ends no link that somebody may have, and reaches nobody who called the last email spam."""
    is_spam = status.verdict is not None and (
        status.verdict.outcome == Outcome.COMPLAINED or status.verdict.cause == Cause.SPAM
    )
    return status.effect.value in ("new_link", "same_link") and not is_spam
