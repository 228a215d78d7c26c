"""What is due in the outbox, and whose it is: claims and leases."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, F, Min, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from .. import db
from ..mailing import next_due as next_chunk_due
from ..models import EmailState, ResetEmail
from . import requests
from .outcome import BACK_OFF

CHUNK = 500
LEASE = timedelta(minutes=10)


def claim(lease: str, *, singles: bool = False) -> list[ResetEmail]:
    """Take due rows for ourselves. What another worker took in the meantime does not match any more."""
    now = timezone.now()
    due = ResetEmail.objects.due().filter(mailing=None) if singles else ResetEmail.objects.due().not_held()
    # A person waits for a single mail, nobody for those of a mailing. Put like this, since SQLite would
    # else walk through every mail there ever was, in the order of an index on runs.
    is_single = Case(When(mailing=None, then=Value(0)), default=Value(1))
    due = due.order_by(is_single, "next_attempt_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:CHUNK])
    if not ids:
        return []
    db.retried(
        lambda: (
            ResetEmail.objects.due()
            .filter(pk__in=ids)
            .update(state=EmailState.SENDING, lease=lease, lease_until=now + LEASE, attempts=F("attempts") + 1)
        )
    )
    return list(ResetEmail.objects.filter(lease=lease, state=EmailState.SENDING).order_by("pk"))


def release(lease: str) -> None:
    """Give back what we did not get to, without counting the attempt."""
    ours = ResetEmail.objects.filter(lease=lease, state=EmailState.SENDING)
    given_back = {"state": EmailState.QUEUED, "lease": "", "lease_until": None, "attempts": F("attempts") - 1}
    db.retried(lambda: ours.update(**given_back))


def as_it_is_now(claimed: ResetEmail) -> ResetEmail | None:
    """
    The row with its link and its account, read when its turn comes: since it was claimed, hundreds
    of mails may have left. None when it is no longer ours, or went with its member.
    """
    mine = ResetEmail.objects.filter(pk=claimed.pk, lease=claimed.lease, state=EmailState.SENDING)
    return mine.select_related("member", "reset", "reset__site", "site").first()


def next_due() -> datetime | None:
    """When something wants attention next: a retry, a lease that runs out, a request left over; None for nothing."""
    if requests.are_waiting():
        return timezone.now() + BACK_OFF[0]
    emails = ResetEmail.objects.not_paused()
    queued = emails.filter(state=EmailState.QUEUED).aggregate(first=Min(_not_before("next_attempt_at")))["first"]
    leased = emails.filter(state=EmailState.SENDING).aggregate(first=Min(_not_before("lease_until")))["first"]
    return min(filter(None, (queued, leased, next_chunk_due())), default=None)


def _not_before(moment: str) -> Greatest:
    """The moment, or the end of the hold of the mail's mailing."""
    return Greatest(moment, Coalesce("mailing__held_until", moment))
