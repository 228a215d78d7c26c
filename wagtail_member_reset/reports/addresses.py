"""What reports and refusals say of an address itself, kept for mailings: see `bad_addresses`."""

from __future__ import annotations

from .. import bad_addresses
from ..models import BadVerdict, DeliveryEvent, ResetEmail
from .causes import NO_SUCH_ADDRESS
from .verdict import Outcome, Verdict, verdict_on

# Reports after which the address may be known as bad.
TELLING = ("bounced", "rejected", "failed", "complained")


def bad_verdict(verdict: Verdict) -> BadVerdict | None:
    """What is known against the address by what became of an email to it; None for what is no fault of the address."""
    if verdict.is_complaint:
        return BadVerdict.COMPLAINT
    is_hard = verdict.outcome in (Outcome.BOUNCED, Outcome.NOT_SENT) and not verdict.is_soft
    return BadVerdict.HARD_BOUNCE if is_hard and verdict.cause in NO_SUCH_ADDRESS else None


def note_report(event: DeliveryEvent) -> None:
    """Keep what a report says of the address. Part of the transaction that writes the report down."""
    email = event.email
    if event.event_type == "delivered":
        bad_addresses.forget(email.recipient, until=event.happened_at)
    elif event.event_type in TELLING:
        _note(email, verdict_on(email, email.events.all(), reports=True), event)


def is_told(email: ResetEmail) -> bool:
    """Whether our own server or service said it. If nobody did, it was our own code that could not write to it."""
    return bool(email.result_text or email.provider)


def note_refusal(email: ResetEmail) -> None:
    """Keep what our own server or service said of the address as it refused the email. Part of a transaction."""
    if is_told(email):
        _note(email, verdict_on(email, (), reports=False))


def _note(email: ResetEmail, verdict: Verdict, event: DeliveryEvent | None = None) -> None:
    bad = bad_verdict(verdict)
    if bad:
        at = event.happened_at if event is not None else None
        bad_addresses.remember(email.recipient, bad, cause=verdict.cause.value, at=at)
