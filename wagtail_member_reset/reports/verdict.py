"""
What became of a mail: one pure function of its row and of the set of facts reported of it.

Reports come twice, late and in any order, so no verdict depends on when one came in:
each fact has a rank, and the highest speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.utils import timezone

from ..models import REFUSED_CODES, DeliveryEvent, EmailState, ResetEmail, SkipReason
from . import services

# A mail that is due for this long tells that nothing carries mails on this site.
OVERDUE = timedelta(minutes=5)


class Outcome(str, Enum):
    """The one word for where a mail stands."""

    PREPARING = "preparing"
    OVERDUE = "overdue"
    RETRYING = "retrying"
    SKIPPED = "skipped"
    HANDED_OVER = "handed_over"
    LAST_STEP = "last_step"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELAYED = "delayed"
    FAILED = "failed"
    NOT_SENT = "not_sent"
    DELIVERED = "delivered"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Cause(str, Enum):
    """Why, as far as it is known."""

    NONE = ""
    # Of a bounce, from the mail server's own code; the first of these that is known speaks.
    NO_SUCH_MAILBOX = "no_such_mailbox"
    MAILBOX_FULL = "mailbox_full"
    UNWANTED = "unwanted"
    GAVE_UP = "gave_up"
    # Of a mail that the mail service refused to send.
    INVALID = "invalid"
    BOUNCED_BEFORE = "bounced_before"
    TIMED_OUT = "timed_out"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUBSCRIBED = "unsubscribed"
    # Of a mail that did not leave us, or not yet.
    LOGIN_REFUSED = "login_refused"
    CONFIGURATION = "configuration"
    NO_ANSWER = "no_answer"
    ASKED_LATER = "asked_later"
    WINDOW_CLOSED = "window_closed"
    CHANGED = "changed"
    STOPPED = "stopped"


# Later ones win. A delivery proves more than a refusal of another attempt; a bounce can follow a delivery.
RANKS = list(Outcome)
CAUSES = list(Cause)

EVENTS = {
    "queued": Outcome.ACCEPTED,
    "sent": Outcome.SENT,
    "deferred": Outcome.DELAYED,
    "failed": Outcome.FAILED,
    "rejected": Outcome.NOT_SENT,
    "delivered": Outcome.DELIVERED,
    "unsubscribed": Outcome.UNSUBSCRIBED,
    "bounced": Outcome.BOUNCED,
    "complained": Outcome.COMPLAINED,
}
REJECTIONS = {
    "invalid": Cause.INVALID,
    "bounced": Cause.BOUNCED_BEFORE,
    "timed_out": Cause.TIMED_OUT,
    "blocked": Cause.BLOCKED,
    "spam": Cause.SPAM,
    "unsubscribed": Cause.UNSUBSCRIBED,
}
# Where the mail server gave no code, the provider's own reason is the next best.
BOUNCES = {
    "invalid": Cause.NO_SUCH_MAILBOX,
    "timed_out": Cause.GAVE_UP,
    "blocked": Cause.UNWANTED,
    "spam": Cause.UNWANTED,
}
FAILURES = {
    "login_refused": Cause.LOGIN_REFUSED,
    "configuration": Cause.CONFIGURATION,
    "no_answer": Cause.NO_ANSWER,
    "error": Cause.NO_ANSWER,
    "http_429": Cause.NO_ANSWER,
}
SKIPPED = {SkipReason.WINDOW_CLOSED: Cause.WINDOW_CLOSED, SkipReason.STOPPED: Cause.STOPPED}
# With these, no mail leaves until somebody has mended the site's own settings.
NEEDS_MENDING = ("login_refused", "configuration")
# https://www.rfc-editor.org/rfc/rfc3463: class, subject, detail. Not a part of an IP address or a version.
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
# RFC 5321's own code for it, or the words of services that pass on no code.
FULL = re.compile(
    r"(?<![\d.-])[45]52(?![\d.])|mailbox[ _]?full|inbox was full|over quota|quota exceeded", re.IGNORECASE
)
# These details of "addressing" are about the sender's address, not about the recipient's.
SENDERS_ADDRESS = {7, 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`at` is when it came to that, `text` the other side's own words; the outcome depends on neither."""

    outcome: Outcome
    cause: Cause = Cause.NONE
    at: datetime | None = None
    text: str = ""

    @property
    def is_under_way(self) -> bool:
        """Whether something may be heard of the mail soon."""
        return self.outcome in UNDER_WAY

    @property
    def is_bad(self) -> bool:
        """Whether the mail did not and will not arrive."""
        return self.outcome in BAD


UNDER_WAY = {
    Outcome.PREPARING,
    Outcome.OVERDUE,
    Outcome.RETRYING,
    Outcome.HANDED_OVER,
    Outcome.ACCEPTED,
    Outcome.SENT,
    Outcome.DELAYED,
}
BAD = {Outcome.SKIPPED, Outcome.FAILED, Outcome.NOT_SENT, Outcome.BOUNCED}


def verdict_on(email: ResetEmail, events: Iterable[DeliveryEvent], *, reports: bool) -> Verdict:
    """
    Where the mail stands. No query.

    `reports` says whether the mail's provider tells what becomes of a mail: without
    it, the hand-over is the last step that can be known.
    """
    heard = [found for event in events if (found := of_event(event))]
    if heard and email.state == EmailState.HANDED_OVER:
        heard.append(_handed_over(email, reports=reports))
    return max(heard, key=_weight) if heard else _of_row(email, reports=reports)


def of_event(event: DeliveryEvent) -> Verdict | None:
    """What one report says by itself; None for a mere note, as of a mail that was opened."""
    outcome = EVENTS.get(event.event_type)
    if outcome is None:
        return None
    text = event.mta_response or event.description
    cause = Cause.NONE
    if outcome == Outcome.FAILED and bounce_cause(event.mta_response):
        outcome = Outcome.BOUNCED  # as Postal puts it: the code is the member's mail server's
    if outcome == Outcome.BOUNCED and (held_back := held_back_for(event)):
        outcome, cause = Outcome.NOT_SENT, held_back
    elif outcome == Outcome.BOUNCED:
        cause = bounce_cause(f"{event.mta_response} {event.description}", event.reject_reason)
    elif outcome == Outcome.NOT_SENT:
        cause = REJECTIONS.get(event.reject_reason, Cause.NONE)
    return Verdict(outcome=outcome, cause=cause, at=event.happened_at, text=text)


def held_back_for(event: DeliveryEvent) -> Cause:
    """Why the mail service itself held a mail back, if that is what it says of a bounce."""
    reason = services.named(event.provider).held_back_for(f"{event.mta_response} {event.description}")
    return REJECTIONS.get(reason, Cause.NONE)


def bounce_cause(text: str, reject_reason: str = "") -> Cause:
    """Why a mail server refused a mail, by the first code in its answer, else by the provider's reason."""
    found = ENHANCED.search(text)
    if found is None:
        return Cause.MAILBOX_FULL if FULL.search(text) else BOUNCES.get(reject_reason, Cause.NONE)
    subject, detail = int(found[2]), int(found[3])
    if subject == 1:
        return Cause.UNWANTED if detail in SENDERS_ADDRESS else Cause.NO_SUCH_MAILBOX
    if (subject, detail) == (2, 2):
        return Cause.MAILBOX_FULL
    if subject == 7:
        return Cause.UNWANTED
    return BOUNCES.get(reject_reason, Cause.NONE)


def _weight(found: Verdict) -> tuple[int, int, str, float]:
    # The same set gives the same answer, whatever came in when: after the rank, the more telling cause speaks.
    cause = -CAUSES.index(found.cause) if found.cause else -len(CAUSES)
    return RANKS.index(found.outcome), cause, found.text, -found.at.timestamp() if found.at else 0


def _of_row(email: ResetEmail, *, reports: bool) -> Verdict:
    if email.state == EmailState.HANDED_OVER:
        return _handed_over(email, reports=reports)
    if email.state == EmailState.SKIPPED:
        return Verdict(outcome=Outcome.SKIPPED, cause=SKIPPED.get(SkipReason(email.skip_reason), Cause.CHANGED))
    if email.state == EmailState.FAILED:
        return _given_up(email)
    if email.state == EmailState.QUEUED and email.attempts:
        asked = email.result_code.startswith("smtp_")
        cause = Cause.ASKED_LATER if asked else Cause.NO_ANSWER
        return Verdict(outcome=Outcome.RETRYING, cause=cause, at=email.next_attempt_at, text=email.result_text)
    is_overdue = not email.attempts and timezone.now() - email.created_at > OVERDUE
    return Verdict(outcome=Outcome.OVERDUE if is_overdue else Outcome.PREPARING)


def _handed_over(email: ResetEmail, *, reports: bool) -> Verdict:
    outcome = Outcome.LAST_STEP
    if reports:
        outcome = {"queued": Outcome.ACCEPTED, "sent": Outcome.SENT}.get(email.result_code, Outcome.HANDED_OVER)
    return Verdict(outcome=outcome, at=email.handed_over_at)


def _given_up(email: ResetEmail) -> Verdict:
    """A mail that never left, by the code of its last attempt."""
    code, text = email.result_code, email.result_text
    if code.startswith("smtp_"):
        cause = bounce_cause(f"{code.removeprefix('smtp_')} {text}", "timed_out" if code[5:6] == "4" else "")
        return Verdict(outcome=Outcome.BOUNCED, cause=cause, text=text)
    if code in REFUSED_CODES:
        cause = Cause.INVALID if code == "invalid" else Cause.NONE
        return Verdict(outcome=Outcome.NOT_SENT, cause=cause, text=text)
    cause = Cause.NO_ANSWER if code.startswith("http_5") else FAILURES.get(code, Cause.NONE)
    return Verdict(outcome=Outcome.FAILED, cause=cause, text=text)
