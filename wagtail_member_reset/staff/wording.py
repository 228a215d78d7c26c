"""The words about an email and its link, for the tab and its timeline: every sentence in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.admin.utils import get_user_display_name

from ..accounts import one_line
from ..exceptions import Refusal
from ..moments import date_and_time, sentence
from ..reports import NEEDS_MENDING, Cause, Outcome, Verdict

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Words:
    """
    A badge of a word or two, and the sentence that explains it.

    `tone` is good, bad, careful or plain; the badge says it, too, so that colour is never alone. `at` is
    when this happened.
    """

    badge: str
    text: str
    tone: str
    at: datetime | None = None


BADGES: dict[Outcome, Text] = {
    Outcome.PREPARING: _("Leaving"),
    Outcome.OVERDUE: _("Waiting"),
    Outcome.RETRYING: _("Waiting"),
    Outcome.SKIPPED: _("Not sent"),
    Outcome.HANDED_OVER: _("Sent"),
    Outcome.LAST_STEP: _("Sent"),
    Outcome.ACCEPTED: _("On its way"),
    Outcome.SENT: _("Sent"),
    Outcome.DELAYED: _("Delayed"),
    Outcome.FAILED: _("Failed"),
    Outcome.NOT_SENT: _("Refused"),
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

# By outcome and cause. A cause that has no sentence here gets the one for no cause.
TEXTS: dict[tuple[Outcome, Cause], Text] = {
    (Outcome.PREPARING, Cause.NONE): _("The email is leaving this site now."),
    (Outcome.OVERDUE, Cause.NONE): _(
        "The email is still waiting, although it is due: this site’s mail delivery does not seem to be running. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.RETRYING, Cause.NONE): _(
        "The mail service is not answering. We will try again on %(when)s. Urgent? Send the link another way."
    ),
    (Outcome.RETRYING, Cause.ASKED_LATER): _(
        "The mail server asked us to try again later, which is often a first check of unknown senders. "
        "We will try again on %(when)s. Urgent? Send the link another way."
    ),
    (Outcome.RETRYING, Cause.BUSY): _(
        "This site’s mail server asked us to try again later, which is not about the address. "
        "We will try again on %(when)s. Urgent? Send the link another way."
    ),
    (Outcome.RETRYING, Cause.LIMIT): _(
        "This site’s limit for sending emails is reached for now, which is not about the address. "
        "We will try again on %(when)s. Urgent? Send the link another way."
    ),
    (Outcome.RETRYING, Cause.LOGIN_REFUSED): _(
        "The mail service refused our login, so the email waits. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.RETRYING, Cause.SENDER_REFUSED): _(
        "The mail service does not accept this site’s sender address, so the email waits. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.RETRYING, Cause.ACCOUNT): _(
        "The mail service has blocked this site’s account there, so the email waits. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.RETRYING, Cause.CONTENT_REFUSED): _(
        "The mail service does not accept what this site’s emails say, so the email waits. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.RETRYING, Cause.CONFIGURATION): _(
        "There is a problem in this site’s email set-up, so the email waits. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.RETRYING, Cause.NOT_TAKEN): _(
        "The mail service did not accept the email, which is not about the address, so the email waits. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.SKIPPED, Cause.NONE): _("The account or the link changed before it could leave. Send again."),
    (Outcome.SKIPPED, Cause.STOPPED): _("The mailing was stopped before it could leave."),
    (Outcome.SKIPPED, Cause.LEFT_OUT): _("It did not leave: mailings do not write to %(name)s any more."),
    (Outcome.SKIPPED, Cause.WINDOW_CLOSED): _("It could not leave in time. Send again: that makes a new link."),
    (Outcome.HANDED_OVER, Cause.NONE): _("The mail service has the email. We are waiting for its first report."),
    (Outcome.LAST_STEP, Cause.NONE): _(
        "We cannot see whether it arrived, since this site gets no delivery reports. "
        "If %(name)s cannot find the email, ask them to look in spam and promotions, or send the link another way."
    ),
    (Outcome.LAST_STEP, Cause.SITE_QUEUE): _(
        "It is in this site’s own mail queue; we cannot see whether it arrived. "
        "If %(name)s cannot find the email, ask them to look in spam and promotions, or send the link another way."
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
    (Outcome.FAILED, Cause.SENDER_REFUSED): _(
        "The mail service does not accept this site’s sender address. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.FAILED, Cause.ACCOUNT): _(
        "The mail service has blocked this site’s account there. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.FAILED, Cause.CONTENT_REFUSED): _(
        "The mail service does not accept what this site’s email says. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.FAILED, Cause.NOT_TAKEN): _(
        "The mail service did not accept the email, which is not about the address. "
        "Tell your administrator; meanwhile, send the link another way."
    ),
    (Outcome.FAILED, Cause.LIMIT): _(
        "The mail service did not accept it at any attempt. Send again later, or send the link another way. "
        "This site’s limit for sending emails was reached."
    ),
    (Outcome.FAILED, Cause.BUSY): _(
        "The mail service did not accept it at any attempt. Send again later, or send the link another way."
    ),
    (Outcome.FAILED, Cause.NO_ANSWER): _(
        "The mail service did not accept it at any attempt. Send again later, or send the link another way."
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
    (Outcome.NOT_SENT, Cause.CANCELLED): _(
        "This site’s own rules held the email back. Ask your administrator why, or send the link another way."
    ),
    (Outcome.DELIVERED, Cause.NONE): _(
        "%(name)s’s mail server accepted the email. If %(name)s cannot see it, ask them to look in spam and promotions."
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
        "%(name)s’s mailbox is full. Ask %(name)s to make room, and then send again; or use another address, "
        "or send the link another way."
    ),
    (Outcome.BOUNCED, Cause.INSIDERS_ONLY): _(
        "%(name)s’s mail server accepts emails to this address from certain senders only. Ask %(name)s to have our "
        "sender allowed, use another address, or send the link another way."
    ),
    (Outcome.BOUNCED, Cause.UNWANTED): _(
        "%(name)s’s mail server refused the email as unwanted, which is about our sender and not about the address. "
        "Tell your administrator to check SPF, DKIM and DMARC; meanwhile, send the link another way."
    ),
    (Outcome.BOUNCED, Cause.UNWANTED_CONTENT): _(
        "%(name)s’s mail server refused the email as unwanted, which is about our content and not about the address. "
        "Tell your administrator to look at the text of the email; meanwhile, send the link another way."
    ),
    (Outcome.BOUNCED, Cause.LIMIT): _(
        "The email came back, since no more emails from this site are accepted for now, "
        "which is not about the address. "
        "Send again later, or send the link another way."
    ),
    (Outcome.BOUNCED, Cause.ACCOUNT): _(
        "The email came back, since this site’s account for sending emails is blocked. "
        "Tell your administrator; meanwhile, send the link another way."
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
SPENT: dict[Refusal, Text] = {
    Refusal.ACCOUNT_LIMIT: _(
        "Nothing was sent: %(name)s was sent as many of these emails as staff may send to one account for now. "
        "See what became of them, or send the link another way."
    ),
    Refusal.PERSON_LIMIT: _(
        "Nothing was sent: you have sent as many of these emails as one person may for now. "
        "Continue later, or ask a colleague."
    ),
}
# The same for links without an email.
SPENT_LINKS: dict[Refusal, Text] = {
    Refusal.ACCOUNT_LIMIT: _(
        "No link was made: staff have made as many links for %(name)s as they may for one account for now. "
        "Continue later, or send the link by email."
    ),
    Refusal.PERSON_LIMIT: _(
        "No link was made: you have made as many links as one person may for now. Continue later, or ask a colleague."
    ),
}
NO_LINK: Text = _(
    "No link was made, since this site does not know where links lead. "
    "Ask your administrator to set the site’s hostname under Settings, Sites."
)


# Said before an address is changed. What may be known of who reads it is told where the form is about nothing else.
NOTICE: Text = _(
    "When you change it, the earlier address gets a short notice, unless nobody has used the account yet or emails "
    "there came back."
)


def spent(refusal: Refusal, *, name: str, is_link: bool = False) -> str:
    """Which limit is used up, of emails or of links without one; empty where the account itself is refused."""
    return sentence(str((SPENT_LINKS if is_link else SPENT).get(refusal, "")), name=name)


def text_of(verdict: Verdict) -> tuple[Outcome, Cause]:
    """Which of the sentences is said of it."""
    key = (verdict.outcome, verdict.cause)
    return key if key in TEXTS else (verdict.outcome, Cause.NONE)


def words(verdict: Verdict, *, name: str) -> Words:
    """A verdict in plain words, in the reader's language and time zone."""
    text = TEXTS[text_of(verdict)]
    is_stuck = verdict.outcome == Outcome.RETRYING and verdict.cause in NEEDS_MENDING
    tone = "bad" if verdict.is_bad else "careful" if is_stuck else TONES.get(verdict.outcome, "plain")
    filled = sentence(str(text), name=name, when=date_and_time(verdict.at) if verdict.at else "")
    at = None if verdict.outcome == Outcome.RETRYING else verdict.at  # that time is still to come
    return Words(str(BADGES[verdict.outcome]), filled, tone, at)


def person(member: Any) -> str:
    """What to call a member in a sentence."""
    return one_line(getattr(member, "first_name", "") or "") or one_line(get_user_display_name(member))
