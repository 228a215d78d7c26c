"""Which counters of its mailing an email moves, beside the one of its state."""

from __future__ import annotations

from collections.abc import Iterable

from ..models import BadVerdict, DeliveryEvent, EmailState, ResetEmail
from .addresses import bad_verdict, is_told
from .verdict import ARRIVED, CAME_BACK, Outcome, Verdict, verdict_on

# How what became of a mail counts for its mailing.
COUNTERS = dict.fromkeys(ARRIVED, "delivered") | dict.fromkeys(CAME_BACK, "bounced")


def counters_of(email: ResetEmail, events: Iterable[DeliveryEvent]) -> set[str]:
    """
    Those that the email has moved, with these reports of it. No query.

    One that failed counts as failed, so it did not come back. One that "Try again" replaced counts no more.
    """
    told = list(events)
    if email.replaced_at is not None or not (told or is_told(email)):
        return set()
    verdict = verdict_on(email, told, reports=True)
    fate = COUNTERS.get(verdict.outcome, "")
    if email.state == EmailState.FAILED and fate == "bounced":
        fate = ""
    return {fate, harm_of(verdict)} - {""}


def harm_of(verdict: Verdict) -> str:
    """
    The counter that may pause the mailing; empty for none.

    Nobody marked this mailing's email as spam where the service held it back for an earlier one.
    """
    if verdict.outcome == Outcome.COMPLAINED:
        return "complaints"
    return "hard_bounces" if bad_verdict(verdict) == BadVerdict.HARD_BOUNCE else ""
