"""What reports and refusals say of an address itself, kept for mailings: see `bad_addresses`."""

from __future__ import annotations

from .. import bad_addresses
from ..models import BadVerdict, DeliveryEvent, ResetEmail
from .causes import NO_SUCH_ADDRESS
from .verdict import Outcome, Verdict, verdict_on

# Which counter of a mailing each moves.
COUNTED_AS = {BadVerdict.HARD_BOUNCE: "hard_bounces", BadVerdict.COMPLAINT: "complaints"}
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


def note_refusal(email: ResetEmail) -> str:
    """
    Keep what our own server or service said of the address as it refused the email. Part of a transaction.

    Returns the counter of its mailing that this moves, if any.
    """
    # What nobody has said is of our own code, which could not write to the address.
    if not (email.result_text or email.provider):
        return ""
    bad = _note(email, verdict_on(email, (), reports=False))
    return COUNTED_AS[bad] if bad else ""


def _note(email: ResetEmail, verdict: Verdict, event: DeliveryEvent | None = None) -> BadVerdict | None:
    bad = bad_verdict(verdict)
    if bad:
        at = event.happened_at if event is not None else None
        bad_addresses.remember(email.recipient, bad, cause=verdict.cause.value, at=at)
    return bad
