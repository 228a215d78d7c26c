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

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from . import audit, inserts, turns
from .accounts import Member
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
# Queues that wake a worker by the second may do so a little early.
EARLY = timedelta(seconds=2)
# A chunk of a run with a limit that is later than this was not merely waiting for a worker.
LATE = timedelta(minutes=1)
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
        # The keys stand in the chunks now, and whoever starts a run answers for it.
        choice = {name: value for name, value in batch.choice.items() if name != "ids"}
        begun = {"state": BatchState.RUNNING, "started_at": now, "choice": choice, "created_by": batch.created_by}
        if not mine.update(**begun):
            return False
        chosen = _write_chunks(batch, members(), now)
        skips = beside(chosen)
        ResetBatch.objects.filter(pk=batch.pk).update(chosen=chosen + sum(skips.values()))
        count_skips(batch.pk, skips)
        return True

    started = turns.retried(attempt)
    batch.refresh_from_db()
    return started


def pause(batch: ResetBatch) -> bool:
    """Take no further chunk; what a worker has in hand still goes out. False when it was not running."""
    return turns.retried(lambda: _move(batch, BatchState.RUNNING, BatchState.PAUSED, paused_at=timezone.now()))


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


def stop(batch: ResetBatch, *, by: Member | None) -> bool:
    """
    Send nothing more of the run, for good; False when it had ended.

    Links that were issued for mails which now never leave are cancelled: nobody has them. The log says so.
    """

    def attempt() -> bool:
        under_way = ResetBatch.objects.filter(pk=batch.pk, state__in=[BatchState.RUNNING, BatchState.PAUSED])
        if not under_way.update(state=BatchState.STOPPED, finished_at=timezone.now()):
            return False
        # Waits for a worker that is writing a chunk's mails: these are no longer ours to stop.
        left = sum(len(members) for members in batch.chunks.select_for_update().values_list("members", flat=True))
        batch.chunks.all().delete()
        queued = batch.emails.filter(state=EmailState.QUEUED)
        left += queued.update(state=EmailState.SKIPPED, skip_reason=SkipReason.STOPPED)
        cancel_unsent_links(batch, by=by)
        count_skips(batch.pk, Counter({SkipReason.STOPPED: left}))
        return True

    stopped = turns.retried(attempt)
    batch.refresh_from_db()
    return stopped


def retry_failed(batch: ResetBatch, *, beyond: Q | None = None) -> int:
    """
    Have the run's failed mails tried again, from the first attempt on; how many.

    None of a run that was stopped, nor those to accounts that are `beyond` who asks.
    """

    def attempt() -> int:
        # Written first, so that nobody stops the run meanwhile.
        if not ResetBatch.objects.filter(pk=batch.pk).exclude(state=BatchState.STOPPED).update(state=F("state")):
            return 0
        failed = batch.emails.filter(state=EmailState.FAILED)
        if beyond is not None:
            failed = failed.exclude(member__in=get_user_model()._base_manager.filter(beyond).values("pk"))
        again = sum(
            batch.emails.filter(pk__in=part).update(state=EmailState.QUEUED, attempts=0, next_attempt_at=turn)
            for part, turn in _turns(batch, failed)
        )
        if again:
            tally(batch.pk, failed=-again)
            finished = ResetBatch.objects.filter(pk=batch.pk, state=BatchState.FINISHED)
            finished.update(state=BatchState.RUNNING, finished_at=None)
        return again

    return turns.retried(attempt)


def next_chunk(batch: ResetBatch | None = None) -> int | None:
    """The key of a chunk whose turn has come; on most databases, of one that no other worker is at."""
    due = BatchChunk.objects.due().filter(batch=batch) if batch else BatchChunk.objects.due()
    if not connections[turns.alias()].features.has_select_for_update_skip_locked:
        return due.values_list("pk", flat=True).first()
    free = due.select_for_update(skip_locked=True).values_list("pk", flat=True)
    return turns.retried(free.first)


def next_due() -> datetime | None:
    """When the next chunk's turn comes, of any run."""
    running = BatchChunk.objects.filter(batch__state=BatchState.RUNNING)
    turn = Greatest("due_at", Coalesce("batch__held_until", "due_at"))
    first: datetime | None = running.aggregate(first=Min(turn))["first"]
    return first


def turn_of(pk: int) -> datetime | None:
    """When a chunk's turn comes or came; None for one that is gone, or whose run is not going on."""
    found = BatchChunk.objects.filter(pk=pk, batch__state=BatchState.RUNNING)
    times = found.values_list("due_at", "batch__held_until").first()
    return max(filter(None, times)) if times else None


def forgotten_chunk(batch_id: int, *, since: datetime) -> int | None:
    """A chunk of the run whose turn came before then, and which no worker has in hand."""
    pk = next_chunk(ResetBatch(pk=batch_id))
    return pk if pk is not None and BatchChunk.objects.filter(pk=pk, due_at__lt=since).exists() else None


def take(chunk: BatchChunk) -> bool:
    """
    Claim a chunk whose turn has come by deleting it: of two workers, the other finds nothing to delete.

    Part of a transaction. Hours in which nobody worked are not made up for: what is left of a run with
    a limit moves by them.
    """
    mine = BatchChunk.objects.filter(pk=chunk.pk)
    if not chunk.batch.per_hour:
        return bool(mine.due(early=EARLY).delete()[0])
    # Written first: workers of one such run take turns, so that no two move what is left.
    ResetBatch.objects.filter(pk=chunk.batch_id).update(per_hour=F("per_hour"))
    due_at = mine.values_list("due_at", flat=True).first()
    if due_at is None or not mine.due(early=EARLY).delete()[0]:
        return False
    if (late := timezone.now() - due_at) > LATE:
        chunk.batch.chunks.update(due_at=F("due_at") + late)
    return True


def tally(batch_id: int, **changes: int) -> None:
    """Move the run's counters, in the transaction of what is counted."""
    if changes := {name: F(name) + change for name, change in changes.items() if change}:  # type: ignore[misc]
        ResetBatch.objects.filter(pk=batch_id).update(**changes)


def count(batch_id: int, states: Counter[Any], skips: Counter[Any]) -> None:
    """Count mails by the state that they came to, and those skipped by their reason; no statement for none."""
    if not states and not skips:
        return
    counters = {COUNTERS[state]: number for state, number in states.items() if state in COUNTERS and number}
    counters.pop("skipped", None)
    changes: dict[str, Any] = {name: F(name) + number for name, number in counters.items()}
    run = ResetBatch.objects.filter(pk=batch_id)

    def attempt() -> None:
        # The run's own row is written first. Where another worker ended it meanwhile, that one has counted these mails.
        if changes:
            run.exclude(state=BatchState.FINISHED).update(**changes)
        elif skips:
            run.update(state=F("state"))
        count_skips(batch_id, skips)

    turns.retried(attempt)


def hold(batch_id: int, until: datetime) -> None:
    """Take no further chunk of the run until then: its mail service asked for patience."""
    running = ResetBatch.objects.filter(pk=batch_id, state=BatchState.RUNNING)
    turns.retried(lambda: running.update(held_until=until))


def is_running(batch_id: int) -> bool:
    return ResetBatch.objects.filter(pk=batch_id, state=BatchState.RUNNING).exists()


def stopped_among(batch_ids: Iterable[int]) -> set[int]:
    return set(ResetBatch.objects.filter(pk__in=batch_ids, state=BatchState.STOPPED).values_list("pk", flat=True))


def _move(batch: ResetBatch, before: BatchState, after: BatchState, **changes: Any) -> bool:
    moved = ResetBatch.objects.filter(pk=batch.pk, state=before).update(state=after, **changes)
    batch.refresh_from_db()
    return bool(moved)


def _write_chunks(batch: ResetBatch, members: Iterable[Any], now: datetime) -> int:
    """One row for each chunk: small ones, a minute apart, where the run has a limit."""
    chosen = 0
    rows: list[BatchChunk] = []
    for keys in _slices(members, batch.at_once(CHUNK)):
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


def _turns(batch: ResetBatch, emails: QuerySet[ResetEmail]) -> Iterator[tuple[list[int], datetime]]:
    """Keys of mails, and when it is their turn at the run's rate."""
    keys, now = list(emails.order_by("pk").values_list("pk", flat=True)), timezone.now()
    size = batch.at_once(CHUNK)
    for first in range(0, len(keys), size):
        yield keys[first : first + size], now + first * batch.interval


def count_skips(batch_id: int, skips: Counter[Any]) -> None:
    """Count members passed over, by their reason."""
    for reason, number in skips.items():
        if number and not BatchSkips.objects.filter(batch=batch_id, reason=reason).update(count=F("count") + number):
            BatchSkips.objects.create(batch_id=batch_id, reason=reason, count=number)
    tally(batch_id, skipped=sum(skips.values()))


def cancel_unsent_links(batch: ResetBatch, *, by: Member | None = None) -> None:
    """End the links of mails that were stopped before any attempt, but for those that an earlier mail holds."""
    was_mailed = ResetEmail.objects.filter(reset=OuterRef("pk")).exclude(skip_reason=SkipReason.STOPPED)
    stopped = ResetEmail.objects.filter(reset=OuterRef("pk"), batch=batch, skip_reason=SkipReason.STOPPED, attempts=0)
    unsent = PasswordReset.objects.filter(~Exists(was_mailed), Exists(stopped), state=State.ACTIVE)
    ended = {"state": State.REVOKED, "reason": Reason.STAFF, "active_for": None, "nonce": None}

    def attempt() -> None:
        now = timezone.now()
        if unsent.update(**ended, closed_at=now):
            cancelled = PasswordReset.objects.filter(Exists(stopped), state=State.REVOKED, closed_at=now)
            pairs = [(reset.member, "revoke") for reset in cancelled.select_related("member")]
            audit.record_many(pairs, batch=batch, by=by)

    turns.retried(attempt)
