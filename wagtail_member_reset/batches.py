"""
The state machine of a run: its chunks, its counters, and whether it goes on.

A chunk is a row until `promises` has written the links and the mails of its members, in the one
transaction in which it is deleted. So whatever dies, and whenever: nobody is passed over, and
nobody is promised twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connections, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef
from django.utils import timezone

from . import inserts, turns
from .conf import conf
from .models import (
    BatchChunk,
    BatchSkips,
    BatchState,
    EmailState,
    PasswordReset,
    Reason,
    ResetBatch,
    ResetEmail,
    SkipReason,
    State,
)

# Members of one task, one transaction, and one call of a mail service at most.
CHUNK = 1000
DRAFT_KEPT = timedelta(days=1)
# How a mail's state counts.
COUNTERS = {EmailState.HANDED_OVER: "handed_over", EmailState.FAILED: "failed", EmailState.SKIPPED: "skipped"}


def start(
    batch: ResetBatch, members: Callable[[], Iterable[Any]], *, beside: Callable[[int], Counter[SkipReason]]
) -> bool:
    """
    Write the run's chunks and let it go; False when somebody else has started it already.

    `members` gives primary keys. `beside` counts, given their number, those chosen who are not among them.
    """

    def attempt() -> bool:
        now = timezone.now()
        mine = ResetBatch.objects.filter(pk=batch.pk, state=BatchState.DRAFT)
        if not mine.update(state=BatchState.RUNNING, started_at=now):
            return False
        chosen = _write_chunks(batch, members(), now)
        skips = beside(chosen)
        ResetBatch.objects.filter(pk=batch.pk).update(chosen=chosen + sum(skips.values()))
        _count_skips(batch.pk, skips)
        return True

    started = turns.retried(attempt)
    batch.refresh_from_db()
    return started


def pause(batch: ResetBatch) -> bool:
    """Take no further chunk; what a worker has in hand still goes out. False when it was not running."""
    return _move(batch, BatchState.RUNNING, BatchState.PAUSED, paused_at=timezone.now())


def go_on(batch: ResetBatch) -> bool:
    """Go on after a pause, which moves the turns of what is left by its length."""
    if batch.paused_at is None:
        return False
    now = timezone.now()

    def attempt() -> bool:
        if not _move(batch, BatchState.PAUSED, BatchState.RUNNING, paused_at=None, held_until=None):
            return False
        if batch.per_hour:
            first = batch.chunks.aggregate(first=Min("due_at"))["first"] or now
            batch.chunks.update(due_at=F("due_at") + max(now - first, timedelta(0)))
        return True

    return turns.retried(attempt)


def stop(batch: ResetBatch) -> bool:
    """
    Send nothing more of the run, for good; False when it had ended.

    Links that were issued for mails which now never leave are cancelled: nobody has them.
    """

    def attempt() -> bool:
        under_way = ResetBatch.objects.filter(pk=batch.pk, state__in=[BatchState.RUNNING, BatchState.PAUSED])
        if not under_way.update(state=BatchState.STOPPED, finished_at=timezone.now()):
            return False
        left = sum(len(members) for members in batch.chunks.values_list("members", flat=True))
        batch.chunks.all().delete()
        queued = batch.emails.filter(state=EmailState.QUEUED)
        left += queued.update(state=EmailState.SKIPPED, skip_reason=SkipReason.STOPPED)
        _cancel_unsent_links(batch)
        _count_skips(batch.pk, Counter({SkipReason.STOPPED: left}))
        return True

    stopped = turns.retried(attempt)
    batch.refresh_from_db()
    return stopped


def retry_failed(batch: ResetBatch) -> int:
    """Have the run's failed mails tried again, from the first attempt on; how many."""

    def attempt() -> int:
        failed = batch.emails.filter(state=EmailState.FAILED)
        again = failed.update(state=EmailState.QUEUED, attempts=0, next_attempt_at=timezone.now())
        if again:
            tally(batch.pk, failed=-again)
            ResetBatch.objects.filter(pk=batch.pk, state=BatchState.FINISHED).update(
                state=BatchState.RUNNING, finished_at=None
            )
        return again

    return turns.retried(attempt)


def next_chunk(batch: ResetBatch | None = None) -> int | None:
    """The key of a chunk whose turn has come; on most databases, of one that no other worker is at."""
    due = BatchChunk.objects.due().filter(batch=batch) if batch else BatchChunk.objects.due()
    if not connections[turns.alias()].features.has_select_for_update_skip_locked:
        return due.values_list("pk", flat=True).first()
    with transaction.atomic(using=turns.alias()):
        return due.select_for_update(skip_locked=True).values_list("pk", flat=True).first()


def next_due() -> datetime | None:
    """When the next chunk's turn comes, of any run."""
    running = BatchChunk.objects.filter(batch__state=BatchState.RUNNING)
    found = running.aggregate(first=Min("due_at"), held=Max("batch__held_until"))
    return max(filter(None, (found["first"], found["held"])), default=None) if found["first"] else None


def take(chunk: BatchChunk) -> bool:
    """Claim a chunk by deleting it: of two workers, the other finds nothing to delete. Part of a transaction."""
    going_on = BatchChunk.objects.filter(pk=chunk.pk, batch__state=BatchState.RUNNING)
    return bool(going_on.delete()[0])


def tally(batch_id: int, **changes: int) -> None:
    """Move the run's counters, in the transaction of what is counted."""
    if changes := {name: F(name) + change for name, change in changes.items() if change}:  # type: ignore[misc]
        ResetBatch.objects.filter(pk=batch_id).update(**changes)


def count(batch_id: int, states: Counter[Any], skips: Counter[Any]) -> None:
    """Count mails by the state that they came to, and those skipped by their reason."""
    changes = {COUNTERS[state]: number for state, number in states.items() if state in COUNTERS}
    changes.pop("skipped", None)
    tally(batch_id, **changes)
    _count_skips(batch_id, skips)


def hold(batch_id: int, until: datetime) -> None:
    """Take no further chunk of the run until then: its mail service asked for patience."""
    ResetBatch.objects.filter(pk=batch_id, state=BatchState.RUNNING).update(held_until=until)


def finish(batch_id: int) -> bool:
    """Close a run of which nothing is left to do. Its counters are then made sure of, whatever died meanwhile."""
    if (
        BatchChunk.objects.filter(batch=batch_id).exists()
        or ResetEmail.objects.unsent().filter(batch=batch_id).exists()
    ):
        return False

    def attempt() -> bool:
        running = ResetBatch.objects.filter(pk=batch_id, state=BatchState.RUNNING)
        if not running.update(state=BatchState.FINISHED, finished_at=timezone.now()):
            return False
        mails = ResetEmail.objects.filter(batch=batch_id)
        found = dict(mails.order_by().values_list("state").annotate(Count("pk")))
        sure = {name: found.get(state, 0) for state, name in COUNTERS.items() if name != "skipped"}
        ResetBatch.objects.filter(pk=batch_id).update(**sure)
        return True

    return turns.retried(attempt)


def purge() -> int:
    """Forget drafts that nobody started for a day, and runs whose mails were forgotten; how many."""
    now, has_mails = timezone.now(), Exists(ResetEmail.objects.filter(batch=OuterRef("pk")))
    drafts = ResetBatch.objects.filter(state=BatchState.DRAFT, created_at__lt=now - DRAFT_KEPT)
    ended = ResetBatch.objects.filter(~has_mails, finished_at__lt=now - conf.RETENTION)
    return sum(
        ResetBatch.objects.filter(pk__in=list(runs.values_list("pk", flat=True)))
        .delete()[1]
        .get(ResetBatch._meta.label, 0)
        for runs in (drafts, ended)
    )


def finish_all() -> None:
    """Close every run of which nothing is left to do, also where who did the last of it died just then."""
    for batch_id in list(ResetBatch.objects.filter(state=BatchState.RUNNING).values_list("pk", flat=True)):
        finish(batch_id)


def _move(batch: ResetBatch, before: BatchState, after: BatchState, **changes: Any) -> bool:
    moved = ResetBatch.objects.filter(pk=batch.pk, state=before).update(state=after, **changes)
    batch.refresh_from_db()
    return bool(moved)


def _write_chunks(batch: ResetBatch, members: Iterable[Any], now: datetime) -> int:
    """One row for each chunk: small ones, a minute apart, where the run has a limit."""
    size = min(CHUNK, max(batch.per_hour // 60, 1)) if batch.per_hour else CHUNK
    chosen = 0
    rows: list[BatchChunk] = []
    for keys in _slices(members, size):
        rows.append(BatchChunk(batch=batch, members=keys, due_at=now + chosen * batch.interval))
        chosen += len(keys)
        if len(rows) == CHUNK:
            inserts.insert(rows)
            rows = []
    inserts.insert(rows)
    return chosen


def _slices(members: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(members)
    while keys := [key if isinstance(key, int) else str(key) for key in islice(rest, size)]:
        yield keys


def _count_skips(batch_id: int, skips: Counter[Any]) -> None:
    for reason, number in skips.items():
        if number and not BatchSkips.objects.filter(batch=batch_id, reason=reason).update(count=F("count") + number):
            BatchSkips.objects.create(batch_id=batch_id, reason=reason, count=number)
    tally(batch_id, skipped=sum(skips.values()))


def _cancel_unsent_links(batch: ResetBatch) -> None:
    """End the links of mails that were stopped, but for those that an earlier mail holds."""
    was_mailed = ResetEmail.objects.filter(reset=OuterRef("pk")).exclude(skip_reason=SkipReason.STOPPED)
    stopped = ResetEmail.objects.filter(reset=OuterRef("pk"), batch=batch, skip_reason=SkipReason.STOPPED, attempts=0)
    unsent = PasswordReset.objects.filter(~Exists(was_mailed), Exists(stopped), state=State.ACTIVE)
    ended = {"state": State.REVOKED, "reason": Reason.STAFF, "active_for": None, "nonce": None}
    unsent.update(**ended, closed_at=timezone.now())
