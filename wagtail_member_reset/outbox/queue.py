"""
The queue of the outbox: which emails are due, and which worker has them in hand.

A worker claims rows under a lease. Until it runs out nobody else takes them, so it must outlast what the worker does
with them: it is renewed as the worker writes down what was sent, and no email is sent whose answer could come later.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Min, PositiveSmallIntegerField, QuerySet, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from .. import db
from ..mailing import give_back_room, measure_if_idle, next_turn, note_claimed, reserve_room
from ..models import EmailState, Mailing, MailingState, ResetEmail
from . import requests
from .outcome import FIRST_WAIT

# Emails claimed at once.
CHUNK = 500
# A lease lasts at least so long, and longer than two emails may take: one that is being sent, and the next.
SHORTEST_LEASE = timedelta(minutes=10)
MARGIN = timedelta(minutes=1)
# Renewing writes all rows of the lease, so it is done no more often than this.
RENEWED = timedelta(seconds=10)
# What an email is composed from.
WITH = ("member", "reset", "reset__site", "site")


class Lease:
    """
    One worker's claim on emails. `longest` says how long one email may take to send at most.

    A worker that dies leaves its emails to others once the lease has run out.
    """

    def __init__(self, *, longest: Callable[[], timedelta]) -> None:
        self.key = secrets.token_hex(16)
        self._ask_longest = longest
        self._renewed_at = timezone.now()

    @cached_property
    def _longest(self) -> timedelta:
        # Asked once something is due, since it looks at the mail backend.
        return self._ask_longest()

    @property
    def until(self) -> datetime:
        return self._renewed_at + max(SHORTEST_LEASE, 2 * self._longest + MARGIN)

    def has_time_for_one(self) -> bool:
        """Whether an email that is sent now is answered before the lease runs out, however long that takes."""
        return timezone.now() + self._longest < self.until

    def renew(self) -> None:
        """Start the lease anew. What ran out already, and somebody else took, stays theirs."""
        now = timezone.now()
        if now - self._renewed_at < RENEWED:
            return
        ours = ResetEmail.objects.filter(lease=self.key, state=EmailState.SENDING)
        self._renewed_at = now
        db.retried(lambda: ours.update(lease_until=self.until))

    def release(self, *, but_for: UUID | None = None) -> None:
        """
        Give back what was not sent, without counting the attempt.

        An email whose sending was cut short may have left, so the one with the public id `but_for` waits for its end.
        """
        ours = ResetEmail.objects.filter(lease=self.key, state=EmailState.SENDING)
        if but_for is not None:
            ours = ours.exclude(public_id=but_for)
        given_back = {"state": EmailState.QUEUED, "lease": "", "lease_until": None, "attempts": F("attempts") - 1}
        db.retried(lambda: ours.update(**given_back))


def claim_singles(lease: Lease) -> list[ResetEmail]:
    """Take emails that belong to no mailing: persons wait for them, so no limit holds them back."""
    due = ResetEmail.objects.due().filter(mailing=None).order_by("next_attempt_at", "pk")
    keys = list(due.values_list("pk", flat=True)[:CHUNK])
    if not keys:
        return []
    note_claimed(_claim(keys, lease))
    return list(_claimed_under(lease))


def claim_retries(lease: Lease) -> list[ResetEmail]:
    """
    Take emails of mailings that are due for another attempt, as many as the limit of each mailing lets through.

    They come with their links and members.
    """
    due = ResetEmail.objects.due().exclude(mailing=None)
    counts = dict(due.order_by().values_list("mailing").annotate(Count("pk")))
    if not counts:
        return []
    now = timezone.now()
    going = Mailing.objects.filter(pk__in=counts).exclude(state=MailingState.PAUSED).exclude(held_until__gt=now)
    for mailing in going.defer("choice").order_by("pk"):
        room = reserve_room(mailing, min(counts[mailing.pk], CHUNK), anew=True)
        if not room.emails:
            continue
        measure_if_idle(mailing)
        keys = due.filter(mailing=mailing.pk).order_by("next_attempt_at", "pk").values_list("pk", flat=True)
        give_back_room(mailing, room, used=_claim(list(keys[: room.emails]), lease), anew=True)
    # Those never tried first: what comes of them tells whom a refusal of the others was about.
    return list(
        _claimed_under(lease).order_by("attempts", "pk").select_related(*WITH, "mailing").defer("mailing__choice")
    )


def are_singles_due() -> bool:
    """Whether somebody waits for an email now: a quick look, for a worker that is busy with a mailing."""
    return requests.are_waiting() or ResetEmail.objects.due().filter(mailing=None).exists()


def as_it_is_now(claimed: ResetEmail) -> ResetEmail | None:
    """
    The row with its link and its account, read when its turn comes: since it was claimed, hundreds
    of emails may have left. None when it is no longer ours, or went with its member.
    """
    mine = ResetEmail.objects.filter(pk=claimed.pk, lease=claimed.lease, state=EmailState.SENDING)
    return mine.select_related(*WITH).first()


def next_due() -> datetime | None:
    """When something wants attention next: a retry, a lease that runs out, a request left over; None for nothing."""
    if requests.are_waiting():
        return timezone.now() + FIRST_WAIT
    emails = ResetEmail.objects.not_paused()
    queued = emails.filter(state=EmailState.QUEUED).aggregate(first=Min(_not_before("next_attempt_at")))["first"]
    leased = emails.filter(state=EmailState.SENDING).aggregate(first=Min(_not_before("lease_until")))["first"]
    return min(filter(None, (queued, leased, next_turn())), default=None)


def _claimed_under(lease: Lease) -> QuerySet[ResetEmail]:
    return ResetEmail.objects.filter(lease=lease.key, state=EmailState.SENDING).order_by("pk")


def _claim(keys: list[int], lease: Lease) -> int:
    """Mark these rows as ours, if they are still due. What another worker took meanwhile does not match any more."""
    if not keys:
        return 0
    # The worker whose lease ran out may have sent the email. First, since MySQL reads what it has just set.
    whether = Case(When(state=EmailState.SENDING, then=1), default=0, output_field=PositiveSmallIntegerField())
    claimed: dict[str, Any] = {
        "possible_copies": F("possible_copies") + whether,
        "state": EmailState.SENDING,
        "lease": lease.key,
    }
    claimed |= {"lease_until": lease.until, "attempts": F("attempts") + 1}
    return db.retried(lambda: ResetEmail.objects.due().filter(pk__in=keys).update(**claimed))


def _not_before(moment: str) -> Greatest:
    """The moment, or the end of the hold of the email's mailing, or its next turn under a limit."""
    held, turn = Coalesce("mailing__held_until", moment), Coalesce("mailing__turn_at", moment)
    return Greatest(moment, held, turn)
