"""Having the mail service take an address off its list, after a bounce: asked, done, checked and logged."""

from __future__ import annotations

from .. import audit, bad_addresses, reports, senders
from ..accounts import Member
from ..models import BadVerdict, DeliveryEvent, ResetEmail
from ..reports import BlockListError, Cause, Outcome, Trouble, Unblocked, Verdict
from .transport import new_connection

# Why a service may mail an address no more; never a complaint, nor the member's own choice.
BLOCKED_FOR = (Cause.NONE, Cause.BOUNCED_BEFORE, Cause.TIMED_OUT, Cause.BLOCKED)


def may_be_blocked(verdict: Verdict | None) -> bool:
    """Whether the email came back, or was held back, in a way after which services mail an address no more."""
    if verdict is None or verdict.is_soft:
        return False
    if verdict.outcome == Outcome.BOUNCED:
        return verdict.cause in (Cause.NONE, Cause.NO_SUCH_MAILBOX, Cause.MAILBOX_FULL, Cause.GAVE_UP)
    return verdict.outcome == Outcome.NOT_SENT and verdict.cause in BLOCKED_FOR


def unblock(email: ResetEmail, *, by: Member) -> Unblocked:
    """
    Have the address of this email taken off the list of the service that it was sent with, and log what came of it.

    Waits for the service, a few times ten seconds at most, so it is called outside of transactions. After a complaint
    of the member, or from the address, the service is not asked at all. Raises `BlockListError`, and then nothing is
    known.
    """
    if _has_complained(email):
        return Unblocked.COMPLAINT
    found, connection = reports.service_named(email.provider).block_list, new_connection()
    if found is None or reports.name_of(connection) != email.provider:
        raise BlockListError(Trouble.NOT_UNDERSTOOD)
    if getattr(connection, "sender_domain", "") is None:  # Mailgun has lists for each domain, and goes by the sender's
        connection.sender_domain = senders.of((email.reset or email).site).domain
    came_of_it = reports.lift(found, connection, email.recipient)
    audit.note_unblocked(email.member, by=by, outcome=came_of_it.value)
    return came_of_it


def _has_complained(email: ResetEmail) -> bool:
    if DeliveryEvent.objects.filter(email__member=email.member_id, event_type="complained").exists():
        return True
    known = bad_addresses.known_bad(email.recipient)
    return known is not None and known.verdict == BadVerdict.COMPLAINT
