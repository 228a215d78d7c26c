"""
The counters of a mailing. They move in the transaction of what they count, and nowhere else.

So they never drift, whoever dies and whenever: what was not counted was not written either.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import F
from django.utils import timezone

from ..models import EmailState, Mailing, MailingSkips, SkipReason
from .protection import pause_if_harmful

# How an email's state counts.
BY_STATE = {EmailState.HANDED_OVER: "handed_over", EmailState.FAILED: "failed", EmailState.SKIPPED: "skipped"}


def count(mailing_id: int, *, skips: Counter[SkipReason] | None = None, **changes: int) -> None:
    """
    Move counters by these changes, and count members passed over by their reason.

    Called within the transaction that writes what is counted. One statement, and one or two for each reason. Where more
    emails bounced or were complained about than before, the mailing may pause by itself.
    """
    skips = +(skips or Counter())
    changes["skipped"] = changes.get("skipped", 0) + sum(skips.values())
    moved: dict[str, Any] = {name: F(name) + change for name, change in changes.items() if change}
    if not moved:
        return
    # The mailing's row is written before those of its reasons, always: writers wait for each other in one order.
    Mailing.objects.filter(pk=mailing_id).update(**moved, progress_at=timezone.now())
    if changes.get("hard_bounces", 0) > 0 or changes.get("complaints", 0) > 0:
        pause_if_harmful(mailing_id)
    for reason, number in skips.items():
        if not MailingSkips.objects.filter(mailing=mailing_id, reason=reason).update(count=F("count") + number):
            MailingSkips.objects.create(mailing_id=mailing_id, reason=reason, count=number)


def uncount_skips(mailing_id: int, skips: Counter[Any]) -> None:
    """Take back members that were counted as passed over, since they wait again."""
    Mailing.objects.filter(pk=mailing_id).update(skipped=F("skipped") - sum(skips.values()))
    for reason, number in skips.items():
        MailingSkips.objects.filter(mailing=mailing_id, reason=reason).update(count=F("count") - number)


def skip_counts(mailing: Mailing) -> dict[SkipReason, int]:
    """Why members were passed over, and how many of them."""
    return {SkipReason(each.reason): each.count for each in mailing.skips.all() if each.count}
