"""What helps after an email did not arrive: another address, another email, or passing the link on."""

from __future__ import annotations

from ..reports import NEEDS_MENDING, Cause, Outcome, Verdict

# Troubles of the address itself: another address helps, and the same one is of no use in a mail program either.
OF_ADDRESS = {
    Cause.NONE,
    Cause.NO_SUCH_MAILBOX,
    Cause.MAILBOX_FULL,
    Cause.INSIDERS_ONLY,
    Cause.GAVE_UP,
    Cause.INVALID,
    Cause.BOUNCED_BEFORE,
    Cause.TIMED_OUT,
}
# After these, sending once more may do.
WORTH_ANOTHER_TRY = {Cause.LIMIT, Cause.BUSY, Cause.NO_ANSWER}


def is_of_address(verdict: Verdict | None) -> bool:
    """Whether another address would help."""
    return (
        verdict is not None and verdict.outcome in (Outcome.BOUNCED, Outcome.NOT_SENT) and verdict.cause in OF_ADDRESS
    )


def is_beyond_email(verdict: Verdict | None) -> bool:
    """Whether no email helps for now, to whatever address, so that staff pass the link on."""
    if verdict is None or is_of_address(verdict) or verdict.cause in WORTH_ANOTHER_TRY:
        return False
    is_stuck = verdict.outcome == Outcome.RETRYING and verdict.cause in NEEDS_MENDING
    is_refused = verdict.outcome in (Outcome.BOUNCED, Outcome.NOT_SENT, Outcome.FAILED) and verdict.cause != Cause.NONE
    return is_stuck or is_refused or verdict.outcome in (Outcome.COMPLAINED, Outcome.UNSUBSCRIBED)


def may_mind(verdict: Verdict | None) -> bool:
    """Whether the member may mind another email, since the last one was marked as spam."""
    return verdict is not None and verdict.is_complaint
