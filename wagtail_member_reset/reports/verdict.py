"""
What became of a mail: one pure function of its row and of the set of facts reported of it.

Reports come twice, late and in any order, so no verdict depends on when one came in:
each fact has a rank, and the highest speaks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.utils import timezone

from ..models import REFUSED_CODES, DeliveryEvent, EmailState, ResetEmail, SkipReason
from . import services
from .answers import Reading, Stage, read
from .causes import CAUSES, NEEDS_MENDING, Cause
from .service import is_soft_bounce

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


# Whoever marks an email as spam, or unsubscribes, has got it.
ARRIVED = (Outcome.DELIVERED, Outcome.UNSUBSCRIBED, Outcome.COMPLAINED)
CAME_BACK = (Outcome.BOUNCED, Outcome.NOT_SENT, Outcome.FAILED)


# Later ones win. A delivery proves more than a refusal of another attempt; a bounce can follow a delivery.
RANKS = list(Outcome)
# But for a soft one, which is of an attempt before it, or no bounce at all but an automatic answer.
RANK_OF_SOFT_BOUNCES = RANKS.index(Outcome.DELIVERED) - 0.5

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
    **{cause.value: cause for cause in NEEDS_MENDING},
    "no_answer": Cause.NO_ANSWER,
    "error": Cause.NO_ANSWER,
    "http_402": Cause.ACCOUNT,
    "http_408": Cause.NO_ANSWER,
    "http_425": Cause.NO_ANSWER,
    "http_429": Cause.LIMIT,
}
KNOWN_CAUSES = {cause.value for cause in Cause if cause}
SKIPPED = {
    SkipReason.WINDOW_CLOSED: Cause.WINDOW_CLOSED,
    SkipReason.STOPPED: Cause.STOPPED,
    SkipReason.DO_NOT_EMAIL: Cause.LEFT_OUT,
    SkipReason.NO_SUCH_ADDRESS: Cause.LEFT_OUT,
    SkipReason.COMPLAINED: Cause.LEFT_OUT,
}
# Handed over to a queue of the site's own, which tells no more; and held back by the site's own code.
SITE_QUEUE, CANCELLED = Cause.SITE_QUEUE.value, Cause.CANCELLED.value
# Feedback of these types is no complaint of the member's (RFC 5965, 7.3; RFC 6591).
NO_COMPLAINTS = ("not-spam", "auth-failure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`at` is when it came to that, `text` the other side's own words; the outcome depends on neither."""

    outcome: Outcome
    cause: Cause = Cause.NONE
    at: datetime | None = None
    text: str = ""
    # A bounce that another attempt can have made good.
    is_soft: bool = False

    @property
    def is_complaint(self) -> bool:
        """Whether the mail was marked as spam, or held back since an earlier one was."""
        return self.outcome == Outcome.COMPLAINED or self.cause == Cause.SPAM

    @property
    def is_bad(self) -> bool:
        """Whether the mail did not and will not arrive."""
        return self.outcome in BAD


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
    if outcome is None or (outcome == Outcome.COMPLAINED and _is_no_complaint(event)):
        return None
    text = event.mta_response or event.description
    cause, is_soft = Cause.NONE, False
    if outcome == Outcome.FAILED and bounce_cause(event.mta_response):
        outcome = Outcome.BOUNCED  # as Postal puts it: the code is the member's mail server's
    if outcome in (Outcome.BOUNCED, Outcome.COMPLAINED) and (held_back := held_back_for(event)):
        outcome, cause = Outcome.NOT_SENT, held_back if outcome == Outcome.BOUNCED else Cause.SPAM
    elif outcome == Outcome.BOUNCED:
        cause, is_soft = bounce_cause_of(event), _is_soft(event)
    elif outcome == Outcome.NOT_SENT:
        cause = REJECTIONS.get(event.reject_reason, Cause.NONE)
    return Verdict(outcome=outcome, cause=cause, at=event.happened_at, text=text, is_soft=is_soft)


def held_back_for(event: DeliveryEvent) -> Cause:
    """Why the mail service itself held a mail back, if that is what it says of a bounce."""
    reason = services.named(event.provider).held_back_for(f"{event.mta_response} {event.description}")
    return REJECTIONS.get(reason, Cause.NONE)


def is_automatic_answer(event: DeliveryEvent, told: Iterable[DeliveryEvent]) -> bool:
    """Whether a bounce is what a service makes of an absence note: one that came when the mail had been delivered."""
    if event.event_type != "bounced" or not services.named(event.provider).is_automatic_answer(event.description):
        return False
    return any(each.event_type == "delivered" and each.happened_at <= event.happened_at for each in told)


def bounce_cause_of(event: DeliveryEvent) -> Cause:
    """Why a mail server refused a mail: by its own answer, else by what the mail service says of it."""
    reading = reading_of(event)
    return reading.cause if reading.says else BOUNCES.get(event.reject_reason, reading.cause)


def reading_of(event: DeliveryEvent) -> Reading:
    """What a bounce says: the mail server's answer, unless the mail service's own word tells more."""
    answer, told = (read(text, stage=Stage.BOUNCE) for text in (event.mta_response, _told(event)))
    return told if told.says and not answer.says else answer


def bounce_cause(text: str, reject_reason: str = "") -> Cause:
    """Why a mail server refused a mail, by its answer, else by the provider's reason."""
    reading = read(text, stage=Stage.BOUNCE)
    return reading.cause if reading.says else BOUNCES.get(reject_reason, reading.cause)


def _told(event: DeliveryEvent) -> str:
    return services.named(event.provider).told(event.description)


def _is_no_complaint(event: DeliveryEvent) -> bool:
    return event.description.strip().lower().startswith(NO_COMPLAINTS)


def _is_soft(event: DeliveryEvent) -> bool:
    return is_soft_bounce(event.description) or read(event.mta_response, stage=Stage.BOUNCE).is_for_now


def _weight(found: Verdict) -> tuple[float, int, str, float]:
    # The same set gives the same answer, whatever came in when: after the rank, the more telling cause speaks.
    rank = RANK_OF_SOFT_BOUNCES if found.is_soft else RANKS.index(found.outcome)
    cause = -CAUSES.index(found.cause) if found.cause else -len(CAUSES)
    return rank, cause, found.text, -found.at.timestamp() if found.at else 0


def _of_row(email: ResetEmail, *, reports: bool) -> Verdict:
    if email.state == EmailState.HANDED_OVER:
        return _handed_over(email, reports=reports)
    if email.state == EmailState.SKIPPED:
        return Verdict(outcome=Outcome.SKIPPED, cause=SKIPPED.get(SkipReason(email.skip_reason), Cause.CHANGED))
    if email.state == EmailState.FAILED:
        return given_up(email.result_code, email.result_text, email.result_cause)
    if email.state == EmailState.QUEUED and email.attempts:
        asked = Cause.ASKED_LATER if email.result_code.startswith("smtp_") else Cause.NO_ANSWER
        cause = _cause_of(email) or FAILURES.get(email.result_code, asked)
        return Verdict(outcome=Outcome.RETRYING, cause=cause, at=email.next_attempt_at, text=email.result_text)
    is_overdue = not email.attempts and timezone.now() - email.created_at > OVERDUE
    return Verdict(outcome=Outcome.OVERDUE if is_overdue else Outcome.PREPARING)


def _cause_of(email: ResetEmail) -> Cause:
    """What our own mail server or service said of the last attempt, as it was understood then."""
    return _known(email.result_cause)


def _known(cause: str) -> Cause:
    return Cause(cause) if cause in KNOWN_CAUSES else Cause.NONE


def _handed_over(email: ResetEmail, *, reports: bool) -> Verdict:
    if email.result_code == SITE_QUEUE:
        return Verdict(outcome=Outcome.LAST_STEP, cause=Cause.SITE_QUEUE, at=email.handed_over_at)
    outcome = Outcome.LAST_STEP
    if reports:
        outcome = {"queued": Outcome.ACCEPTED, "sent": Outcome.SENT}.get(email.result_code, Outcome.HANDED_OVER)
    return Verdict(outcome=outcome, at=email.handed_over_at)


def given_up(code: str, text: str, known: str) -> Verdict:
    """On a mail that never left: by the code of its last attempt, what was said, and the cause that was understood."""
    if code in (*REFUSED_CODES, CANCELLED):
        cause = {"invalid": Cause.INVALID, CANCELLED: Cause.CANCELLED}.get(code, Cause.NONE)
        return Verdict(outcome=Outcome.NOT_SENT, cause=cause, text=text)
    if cause := _known(known):
        return Verdict(outcome=Outcome.FAILED, cause=cause, text=text)
    if code.startswith("smtp_"):
        cause = bounce_cause(f"{code.removeprefix('smtp_')} {text}", "timed_out" if code[5:6] == "4" else "")
        return Verdict(outcome=Outcome.BOUNCED, cause=cause, text=text)
    cause = Cause.NO_ANSWER if code.startswith("http_5") else FAILURES.get(code, Cause.NONE)
    return Verdict(outcome=Outcome.FAILED, cause=cause, text=text)
