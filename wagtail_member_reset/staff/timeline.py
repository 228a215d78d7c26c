"""The words of the timeline: what happened to a member's links, line by line."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.utils import get_user_display_name

from ..models import Origin, Purpose, Reason, State
from ..reports import Cause, Outcome
from ..standing import Entry, Step
from .wording import BADGES, TONES, Text, words

NOTES: dict[str, Text] = {
    "opened": _("The email seems to have been opened. (Mail apps sometimes do this by themselves.)"),
    "clicked": _("A link in the email seems to have been followed. (Security scanners sometimes do this.)"),
    "autoresponded": _(
        "An automatic reply came back (for example, an out-of-office message). "
        "Such replies are sent only when an email has arrived."
    ),
    "subscribed": _("%(name)s can receive emails from us again."),
    "unknown": _("The mail service reported something we do not know. No action needed."),
}
# A bounce in three words, for the timeline.
SHORT_CAUSES: dict[Cause, Text] = {
    Cause.NO_SUCH_MAILBOX: _("Bounced: no such address"),
    Cause.MAILBOX_FULL: _("Bounced: mailbox full"),
    Cause.INSIDERS_ONLY: _("Bounced: accepts certain senders only"),
    Cause.UNWANTED: _("Bounced: refused as unwanted"),
    Cause.UNWANTED_CONTENT: _("Bounced: refused as unwanted"),
    Cause.LIMIT: _("Bounced: too many emails for now"),
    Cause.ACCOUNT: _("Bounced: our sending account is blocked"),
    Cause.GAVE_UP: _("Bounced: server not reached"),
}
ENDS: dict[str, Text] = {
    Reason.NEWER_LINK: _("Replaced by a newer link"),
    Reason.STAFF: _("Link cancelled"),
    Reason.PASSWORD_CHANGED: _("Ended: the password was changed another way"),
    Reason.ADDRESS_CHANGED: _("Ended: the address was changed"),
    Reason.DEACTIVATED: _("Ended: the account was deactivated"),
    Reason.NOT_ALLOWED: _("Ended: the account may not be reset"),
    Reason.RIGHTS_GAINED: _("Ended: the account gained rights after the link was shown"),
    Reason.KEY_LOST: _("Ended: the site’s secret key was changed"),
}


def title(entry: Entry, *, name: str) -> str:
    """The text of one line."""
    by = get_user_display_name(entry.by) if entry.by else ""
    if entry.verdict is not None:
        short = SHORT_CAUSES.get(entry.verdict.cause) if entry.verdict.outcome == Outcome.BOUNCED else None
        return str(short or BADGES[entry.verdict.outcome])
    if entry.step == Step.NOTED:
        return str(NOTES.get(entry.note, NOTES["unknown"])) % {"name": name}
    if entry.step in (Step.CREATED, Step.SENT, Step.SENT_AGAIN):
        return _beginning(entry, by)
    if entry.step == Step.CLOSED:
        return _end(entry, by)
    return _plain(entry, by)


def _beginning(entry: Entry, by: str) -> str:
    if entry.step == Step.SENT:
        return gettext("Sent by email by %(staff)s") % {"staff": by} if by else gettext("Sent by email")
    if entry.step == Step.SENT_AGAIN:
        return _again(entry, by)
    if by:
        return _made_by(entry) % {"staff": by}
    return {
        Origin.CREATED: gettext("Account created"),
        Origin.MEMBER: gettext("Asked for on the website"),
        Origin.MAILING: gettext("Sent with a mailing"),
        Origin.IMPORT: gettext("Sent with a mailing from the command line"),
        Origin.REMINDER: gettext("Sent as a reminder"),
        Origin.HANDED_OUT: gettext("Link made without an email"),
    }.get(Origin(entry.origin), pgettext("a link", "Created"))


def _made_by(entry: Entry) -> str:
    return {
        Origin.CREATED: gettext("Account created by %(staff)s"),
        Origin.MAILING: gettext("Sent with a mailing by %(staff)s"),
        Origin.HANDED_OUT: gettext("Link made by %(staff)s, without an email"),
    }.get(Origin(entry.origin), gettext("Created by %(staff)s"))


def _again(entry: Entry, by: str) -> str:
    if entry.origin == Origin.MAILING:
        text = gettext("Sent again with a mailing by %(staff)s") if by else gettext("Sent again with a mailing")
        return text % {"staff": by}
    if by:
        return gettext("Sent again by %(staff)s") % {"staff": by}
    return {
        Origin.MEMBER.value: gettext("Asked for again on the website"),
        Origin.IMPORT.value: gettext("Sent again with a mailing from the command line"),
        Origin.REMINDER.value: gettext("Sent again as a reminder"),
    }.get(entry.origin, gettext("Sent again"))


def _end(entry: Entry, by: str) -> str:
    if by:
        return gettext("Link cancelled by %(staff)s") % {"staff": by}
    replaced = ENDS[Reason.NEWER_LINK] if entry.reset.state == State.SUPERSEDED else gettext("Link cancelled")
    return str(ENDS.get(entry.reset.reason, replaced))


def _plain(entry: Entry, by: str) -> str:
    if entry.step in (Step.COPIED, Step.SHOWN) and by:
        text = gettext("Link copied by %(staff)s") if entry.step == Step.COPIED else gettext("Link viewed by %(staff)s")
        return text % {"staff": by}
    if entry.step == Step.TOLD and by:
        return gettext("Address changed by %(staff)s: a notice goes to the earlier one") % {"staff": by}
    if entry.step in (Step.UNBLOCKED, Step.NOT_UNBLOCKED):
        return _unblocked(entry, by)
    is_welcome = entry.email is not None and entry.email.purpose == Purpose.WELCOME
    handed_over = (
        gettext("Welcome email sent to the mail service") if is_welcome else gettext("Sent to the mail service")
    )
    return {
        Step.HANDED_OVER: handed_over,
        Step.SHOWN: gettext("Link shown"),
        Step.COPIED: gettext("Link copied"),
        Step.TOLD: gettext("Address changed: a notice goes to the earlier one"),
        Step.OPENED: gettext("Link opened"),
        Step.USED: gettext("Password set"),
        Step.CONFIRMED: gettext("Email about the new password sent"),
        Step.EXPIRED: gettext("Link expired unused"),
    }[entry.step]


def _unblocked(entry: Entry, by: str) -> str:
    if entry.step == Step.UNBLOCKED:
        text = gettext("Address unblocked at the mail service by %(staff)s")
        return text % {"staff": by} if by else gettext("Address unblocked at the mail service")
    text = gettext("Address not unblocked at the mail service, though %(staff)s asked for it")
    return text % {"staff": by} if by else gettext("Address not unblocked at the mail service")


def awaited(step: Step) -> str:
    return {Step.OPENED: gettext("Link opened"), Step.USED: gettext("Password set")}[step]


def detail(entry: Entry, *, name: str) -> str:
    """The small print under a line; empty for most."""
    if entry.step == Step.OPENED and entry.is_doubtful:
        return gettext("This may have been an automatic security check: it came within a minute of the email.")
    if entry.step == Step.REPORTED and entry.verdict is not None and entry.verdict.outcome == Outcome.DELIVERED:
        return gettext("It may still be in a spam or promotions folder.")
    if entry.step == Step.DID_NOT_LEAVE and entry.verdict is not None:
        return words(entry.verdict, name=name).text
    return ""


def icon(entry: Entry) -> str:
    """The name of one of Wagtail's icons."""
    if entry.verdict is not None:
        if entry.verdict.is_bad or TONES.get(entry.verdict.outcome) == "careful":
            return "warning"
        return "check" if entry.verdict.outcome == Outcome.DELIVERED else "mail"
    return {
        Step.COPIED: "link",
        Step.SHOWN: "view",
        Step.TOLD: "mail",
        Step.OPENED: "link-external",
        Step.EXPIRED: "warning",
        Step.CLOSED: "cross",
        Step.NOT_UNBLOCKED: "warning",
        Step.NOTED: "info-circle",
    }.get(entry.step, "check")
