"""What the people who run the member's mail server need to know of an email that did not get through."""

from __future__ import annotations

from django.utils.translation import gettext as _

from .. import outbox, redact, senders
from ..exceptions import MemberResetError
from ..models import ResetEmail
from ..moments import date_and_time
from ..reports import Cause, Outcome
from ..resets import Status

# Of these bounces, our own side is the cause.
OURS = (Cause.LIMIT, Cause.ACCOUNT)
LONGEST_ANSWER = 500


def details(status: Status) -> str:
    """
    A text to be copied, without the link; empty where there is nothing to ask of their IT: the email got through, is
    still on its way, or our own side is the cause.
    """
    email, verdict = status.email, status.verdict
    if email is None or verdict is None or verdict.cause in OURS:
        return ""
    if verdict.outcome not in (Outcome.BOUNCED, Outcome.DELAYED):
        return ""
    lines = [
        _("An email from us did not get through to the recipient’s mailbox:"),
        "",
        _("From: %(address)s") % {"address": senders.of(email.reset.site if email.reset else email.site).from_email},
        _("To: %(address)s") % {"address": email.recipient},
        *_of(email),
        _("Your server’s answer: %(answer)s") % {"answer": verdict.text[:LONGEST_ANSWER] or _("not known")},
        "",
        _(
            "Other emails from us are likely to fail in the same way."
            " Please allow our sender, or tell us what is wrong."
        ),
    ]
    return redact.blank_out_any("\n".join(lines))


def _of(email: ResetEmail) -> list[str]:
    lines = []
    if subject := _subject(email):
        lines.append(_("Subject: %(subject)s") % {"subject": subject})
    lines.append(_("Time: %(when)s") % {"when": date_and_time(email.handed_over_at or email.created_at)})
    if email.message_id:
        lines.append(_("Message id: %(id)s") % {"id": email.message_id})
    return lines


def _subject(email: ResetEmail) -> str:
    try:
        return outbox.subject_of(email)
    except MemberResetError:  # as where the site has no address any more
        return ""
