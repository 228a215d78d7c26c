"""Whose move it is, for the table of statuses in the docs: what the sentences of `wording` ask for, and of whom."""

from __future__ import annotations

from enum import Enum

from wagtail_member_reset.reports import NEEDS_MENDING, Cause, Outcome, Verdict
from wagtail_member_reset.staff.wording import text_of


class Move(str, Enum):
    """Who has to do something next. The office sends the link another way, whoever it is."""

    NOBODY = "nobody"
    MEMBER = "member"
    OFFICE = "office"
    ADMINISTRATOR = "administrator"


# Whose move each is, where it is not the office's: to correct an address, to send again, to talk to the member.
MOVES: dict[tuple[Outcome, Cause], Move] = {
    **{(Outcome.RETRYING, cause): Move.ADMINISTRATOR for cause in NEEDS_MENDING},
    **{(Outcome.FAILED, cause): Move.ADMINISTRATOR for cause in (Cause.NONE, *NEEDS_MENDING)},
    **{(Outcome.NOT_SENT, cause): Move.ADMINISTRATOR for cause in (Cause.BLOCKED, Cause.CANCELLED)},
    **{(Outcome.BOUNCED, cause): Move.ADMINISTRATOR for cause in (Cause.UNWANTED, Cause.UNWANTED_CONTENT)},
    **{(Outcome.BOUNCED, cause): Move.MEMBER for cause in (Cause.MAILBOX_FULL, Cause.INSIDERS_ONLY)},
    **{(Outcome.RETRYING, cause): Move.NOBODY for cause in (Cause.NONE, Cause.ASKED_LATER, Cause.BUSY, Cause.LIMIT)},
    **{
        (outcome, Cause.NONE): Move.NOBODY
        for outcome in (Outcome.PREPARING, Outcome.HANDED_OVER, Outcome.ACCEPTED, Outcome.SENT, Outcome.DELAYED)
    },
    (Outcome.OVERDUE, Cause.NONE): Move.ADMINISTRATOR,
    (Outcome.BOUNCED, Cause.ACCOUNT): Move.ADMINISTRATOR,
    (Outcome.NOT_SENT, Cause.BOUNCED_BEFORE): Move.ADMINISTRATOR,
    (Outcome.NOT_SENT, Cause.UNSUBSCRIBED): Move.ADMINISTRATOR,
    (Outcome.NOT_SENT, Cause.SPAM): Move.MEMBER,
    (Outcome.UNSUBSCRIBED, Cause.NONE): Move.ADMINISTRATOR,
    (Outcome.COMPLAINED, Cause.NONE): Move.MEMBER,
    (Outcome.DELIVERED, Cause.NONE): Move.MEMBER,
    (Outcome.LAST_STEP, Cause.NONE): Move.MEMBER,
    (Outcome.LAST_STEP, Cause.SITE_QUEUE): Move.MEMBER,
}


def move_of(verdict: Verdict) -> Move:
    """Whose move it is, as the sentence says."""
    return MOVES.get(text_of(verdict), Move.OFFICE)
