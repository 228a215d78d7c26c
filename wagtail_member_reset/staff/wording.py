"""What is said to staff of a mail and of its link: every sentence in one place, for the tab and its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.utils import get_user_display_name

from ..exceptions import Refusal
from ..history import Entry, Step
from ..models import Origin, Reason, State
from ..verdicts import Cause, Outcome, Verdict

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Words:
    """
    A badge of a word or two, and what to make of it.

    `tone` is good, bad, careful or plain, and is never said by colour alone. `at` is when it came to that.
    """

    badge: str
    text: str
    tone: str
    at: datetime | None = None


BADGES: dict[Outcome, Text] = {
    Outcome.PREPARING: _("Preparing"),
    Outcome.OVERDUE: _("Waiting"),
    Outcome.RETRYING: _("Waiting"),
    Outcome.SKIPPED: _("Not sent"),
    Outcome.HANDED_OVER: _("Handed over"),
    Outcome.LAST_STEP: _("Handed over"),
    Outcome.ACCEPTED: _("On its way"),
    Outcome.SENT: _("Sent"),
    Outcome.DELAYED: _("Delayed"),
    Outcome.FAILED: _("Failed"),
    Outcome.NOT_SENT: _("Not sent"),
    Outcome.DELIVERED: _("Delivered"),
    Outcome.UNSUBSCRIBED: _("Unsubscribed"),
    Outcome.BOUNCED: _("Bounced"),
    Outcome.COMPLAINED: _("Marked as spam"),
}
TONES = {
    Outcome.DELIVERED: "good",
    Outcome.OVERDUE: "careful",
    Outcome.UNSUBSCRIBED: "careful",
    Outcome.COMPLAINED: "careful",
}

# By outcome and cause; the sentence without a cause serves where none, or another one, is known.
TEXTS: dict[tuple[Outcome, Cause], Text] = {
    (Outcome.PREPARING, Cause.NONE): _("The email is being prepared."),
    (Outcome.OVERDUE, Cause.NONE): _(
        "The email is still waiting, although it is due: this site’s mail delivery does not seem to run. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.RETRYING, Cause.NONE): _(
        "The mail service is not answering. We will try again on %(when)s. Urgent? Send the link another way."
    ),
    (Outcome.RETRYING, Cause.ASKED_LATER): _(
        "The mail server asked us to try again later, which is often a first check of unknown senders. "
        "We will try again on %(when)s. Urgent? Send the link another way."
    ),
    (Outcome.SKIPPED, Cause.NONE): _("The account or the link changed before it could leave. Send again."),
    (Outcome.SKIPPED, Cause.WINDOW_CLOSED): _("It could not leave in time. Send again: that makes a new link."),
    (Outcome.HANDED_OVER, Cause.NONE): _("Handed over to the mail service. We are waiting for its first report."),
    (Outcome.LAST_STEP, Cause.NONE): _(
        "Handed over is the last step we can see, since this site gets no delivery reports. "
        "If %(name)s cannot find the email, ask to look in spam and promotions, or send the link another way."
    ),
    (Outcome.ACCEPTED, Cause.NONE): _("The mail service has accepted the email and will send it shortly."),
    (Outcome.SENT, Cause.NONE): _(
        "The mail service has sent the email. We are waiting for %(name)s’s mail server to answer."
    ),
    (Outcome.DELAYED, Cause.NONE): _(
        "%(name)s’s mail server asked to try again later. The mail service keeps trying. "
        "Urgent? Send the link another way."
    ),
    (Outcome.FAILED, Cause.NONE): _(
        "The mail service could not send the email because of a problem on our side. Try again; if it happens again, "
        "tell your administrator. Meanwhile, send the link another way."
    ),
    (Outcome.FAILED, Cause.LOGIN_REFUSED): _(
        "The mail service refused our login. Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.FAILED, Cause.CONFIGURATION): _(
        "There is a problem in this site’s email set-up. Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.FAILED, Cause.NO_ANSWER): _(
        "The mail service did not take it at any attempt. Send again later, or send the link another way."
    ),
    (Outcome.NOT_SENT, Cause.NONE): _(
        "The mail service did not send the email: no reason was given. Check the address, or send the link another way."
    ),
    (Outcome.NOT_SENT, Cause.INVALID): _(
        "The mail service did not send the email: the address is not a valid email address. "
        "Correct it, or send the link another way."
    ),
    (Outcome.NOT_SENT, Cause.BOUNCED_BEFORE): _(
        "The mail service did not send the email: earlier emails to this address came back. Check the address, then "
        "ask your administrator to remove it from the mail service’s block list, or send the link another way."
    ),
    (Outcome.NOT_SENT, Cause.TIMED_OUT): _(
        "The mail service did not send the email: earlier attempts to reach this address failed for too long. "
        "Try another address, or send the link another way."
    ),
    (Outcome.NOT_SENT, Cause.BLOCKED): _(
        "The mail service did not send the email: it blocks this address or our sender. "
        "Tell your administrator, and send the link another way."
    ),
    (Outcome.NOT_SENT, Cause.SPAM): _(
        "The mail service did not send the email: an earlier one was marked as spam, so the mail service protects this "
        "address. Talk to %(name)s, and send the link another way."
    ),
    (Outcome.NOT_SENT, Cause.UNSUBSCRIBED): _(
        "The mail service did not send the email: %(name)s has unsubscribed there. "
        "Ask your administrator to lift this, or send the link another way."
    ),
    (Outcome.DELIVERED, Cause.NONE): _(
        "%(name)s’s mail server accepted the email. If %(name)s cannot see it, ask to look in spam and promotions."
    ),
    (Outcome.UNSUBSCRIBED, Cause.NONE): _(
        "%(name)s has unsubscribed at the mail service, so future emails may be blocked. "
        "Ask your administrator to lift this, or send the link another way."
    ),
    (Outcome.BOUNCED, Cause.NONE): _(
        "%(name)s’s mail server refused the email. Check the address, or send the link another way."
    ),
    (Outcome.BOUNCED, Cause.NO_SUCH_MAILBOX): _(
        "%(name)s’s mail server says that this address does not exist. Check it for typing mistakes and correct it, "
        "or send the link another way."
    ),
    (Outcome.BOUNCED, Cause.MAILBOX_FULL): _(
        "%(name)s’s mailbox is full. Ask %(name)s to make room and send again, use another address, "
        "or send the link another way."
    ),
    (Outcome.BOUNCED, Cause.UNWANTED): _(
        "%(name)s’s mail server refused the email as unwanted, which is about our sender and not about the address. "
        "Tell your administrator to check SPF, DKIM and DMARC; meanwhile, send the link another way."
    ),
    (Outcome.BOUNCED, Cause.GAVE_UP): _(
        "%(name)s’s mail server could not be reached for so long that the attempts ended. "
        "Check the address, send again later, or send the link another way."
    ),
    (Outcome.COMPLAINED, Cause.NONE): _(
        "%(name)s or their mail app marked the email as spam. Do not send again by email; "
        "talk to %(name)s and send the link another way."
    ),
}
NOTES: dict[str, Text] = {
    "opened": _("The email seems to have been opened. (Mail apps sometimes do this by themselves.)"),
    "clicked": _("A link in the email seems to have been followed. (Safety scanners sometimes do this.)"),
    "autoresponded": _(
        "An automatic reply came back (for example an absence note). That one is sent only where an email arrived."
    ),
    "subscribed": _("%(name)s can receive emails from us again."),
    "unknown": _("The mail service reported something we do not know. No action needed."),
}
# A bounce in the timeline, where there is room for three words.
SHORT_CAUSES: dict[Cause, Text] = {
    Cause.NO_SUCH_MAILBOX: _("Bounced: no such address"),
    Cause.MAILBOX_FULL: _("Bounced: mailbox full"),
    Cause.UNWANTED: _("Bounced: refused as unwanted"),
    Cause.GAVE_UP: _("Bounced: server not reached"),
}
ENDS: dict[str, Text] = {
    Reason.NEWER_LINK: _("Replaced by a newer link"),
    Reason.STAFF: _("Link cancelled"),
    Reason.PASSWORD_CHANGED: _("Ended: the password was changed another way"),
    Reason.ADDRESS_CHANGED: _("Ended: the address was changed"),
    Reason.DEACTIVATED: _("Ended: the account was deactivated"),
    Reason.NOT_ALLOWED: _("Ended: the account may not be reset"),
    Reason.KEY_LOST: _("Ended: the site’s secret key was changed"),
}
SPENT: dict[Refusal, Text] = {
    Refusal.ACCOUNT_LIMIT: _(
        "Nothing was sent: %(name)s was sent as many of these emails as staff may send to one account for now. "
        "See what became of them, or send the link another way."
    ),
    Refusal.PERSON_LIMIT: _(
        "Nothing was sent: you have sent as many of these emails as one person may for now. "
        "Go on later, or ask a colleague."
    ),
}


def spent(refusal: Refusal, *, name: str) -> str:
    """Why sending has to wait; empty where a refusal is about the account itself."""
    return str(SPENT.get(refusal, "")) % {"name": name}


def words(verdict: Verdict, *, name: str) -> Words:
    """A verdict in plain words, in the reader's language and time zone."""
    text = TEXTS.get((verdict.outcome, verdict.cause)) or TEXTS[verdict.outcome, Cause.NONE]
    tone = "bad" if verdict.is_bad else TONES.get(verdict.outcome, "plain")
    filled = str(text) % {"name": name, "when": _moment(verdict)}
    at = None if verdict.outcome == Outcome.RETRYING else verdict.at  # that one is to come
    return Words(str(BADGES[verdict.outcome]), filled, tone, at)


def title(entry: Entry, *, name: str) -> str:
    """One line of the timeline."""
    by = get_user_display_name(entry.by) if entry.by else ""
    if entry.verdict is not None:
        short = SHORT_CAUSES.get(entry.verdict.cause) if entry.verdict.outcome == Outcome.BOUNCED else None
        return str(short or BADGES[entry.verdict.outcome])
    if entry.step == Step.NOTED:
        return str(NOTES.get(entry.note, NOTES["unknown"])) % {"name": name}
    if entry.step in (Step.CREATED, Step.SENT_AGAIN):
        return _beginning(entry, by)
    if entry.step == Step.CLOSED:
        return _end(entry, by)
    return _plain(entry, by)


def _beginning(entry: Entry, by: str) -> str:
    if entry.step == Step.SENT_AGAIN:
        return gettext("Sent again by %(staff)s") % {"staff": by} if by else gettext("Asked for again on the website")
    if by and entry.reset.is_welcome:
        return gettext("Account created by %(staff)s") % {"staff": by}
    if by:
        return gettext("Created by %(staff)s") % {"staff": by}
    return {
        Origin.MEMBER: gettext("Asked for on the website"),
        Origin.BULK: gettext("Created for many at once"),
        Origin.IMPORT: gettext("Created with an import"),
        Origin.REMINDER: gettext("Created as a reminder"),
    }.get(Origin(entry.reset.origin), gettext("Created"))


def _end(entry: Entry, by: str) -> str:
    if by:
        return gettext("Link cancelled by %(staff)s") % {"staff": by}
    replaced = ENDS[Reason.NEWER_LINK] if entry.reset.state == State.SUPERSEDED else gettext("Link cancelled")
    return str(ENDS.get(entry.reset.reason, replaced))


def _plain(entry: Entry, by: str) -> str:
    if entry.step in (Step.COPIED, Step.SHOWN) and by:
        text = gettext("Link copied by %(staff)s") if entry.step == Step.COPIED else gettext("Link shown to %(staff)s")
        return text % {"staff": by}
    return {
        Step.HANDED_OVER: gettext("Handed over to the mail service"),
        Step.SHOWN: gettext("Link shown"),
        Step.COPIED: gettext("Link copied"),
        Step.OPENED: gettext("Link opened"),
        Step.USED: gettext("Password set"),
        Step.CONFIRMED: gettext("Email about the new password handed over"),
        Step.EXPIRED: gettext("Link expired unused"),
    }[entry.step]


def awaited(step: Step) -> str:
    return {Step.OPENED: gettext("Link opened"), Step.USED: gettext("Password set")}[step]


def _moment(verdict: Verdict) -> str:
    return formats.date_format(timezone.localtime(verdict.at), "DATETIME_FORMAT") if verdict.at else ""


def detail(entry: Entry, *, name: str) -> str:
    """What belongs under a line of the timeline, in a smaller type; empty for most."""
    if entry.step == Step.OPENED and entry.is_doubtful:
        return gettext("This may have been an automatic safety check: it came within a minute of the email.")
    if entry.step == Step.REPORTED and entry.verdict is not None and entry.verdict.outcome == Outcome.DELIVERED:
        return gettext("It may still be in a spam or promotions folder.")
    if entry.step == Step.DID_NOT_LEAVE and entry.verdict is not None:
        return words(entry.verdict, name=name).text
    return ""


def icon(entry: Entry) -> str:
    """A name from Wagtail's icons."""
    if entry.verdict is not None:
        if entry.verdict.is_bad or TONES.get(entry.verdict.outcome) == "careful":
            return "warning"
        return "check" if entry.verdict.outcome == Outcome.DELIVERED else "mail"
    return {
        Step.COPIED: "link",
        Step.SHOWN: "view",
        Step.OPENED: "link-external",
        Step.EXPIRED: "warning",
        Step.CLOSED: "cross",
        Step.NOTED: "info-circle",
    }.get(entry.step, "check")


def person(member: Any) -> str:
    """What to call a member in a sentence."""
    return getattr(member, "first_name", "") or str(get_user_display_name(member))
