"""
The state machine of a mailing: its chunks, its counters, and whether it goes on.

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

from .. import audit, db
from ..accounts import Member
from ..models import (
    EmailState,
    Mailing,
    MailingChunk,
    MailingSkips,
    MailingState,
    PasswordReset,
    Reason,
    ResetEmail,
    SkipReason,
    State,
)

# Members of one task, one transaction, and one call of a mail service at most.
CHUNK = 1000
# Queues that wake a worker by the second may do so a little early.
EARLY = timedelta(seconds=2)
# A chunk of a mailing with a limit that is later than this was not merely waiting for a worker.
LATE = timedelta(minutes=1)
# How a mail's state counts.
COUNTERS = {EmailState.HANDED_OVER: "handed_over", EmailState.FAILED: "failed", EmailState.SKIPPED: "skipped"}


def start_mailing(
    mailing: Mailing, members: Callable[[], Iterable[Any]], *, beside: Callable[[int], Counter[SkipReason]]
) -> bool:
    """
    Write the mailing's chunks and let it go; False when somebody else has started it already.

    `members` gives primary keys. `beside` counts, given their number, those chosen who are not among them.
    """

    def attempt() -> bool:
        now = timezone.now()
        mine = Mailing.objects.filter(pk=mailing.pk, state=MailingState.DRAFT)
        # The keys stand in the chunks now, and whoever starts a mailing answers for it.
        choice = {name: value for name, value in mailing.choice.items() if name != "ids"}
        begun = {"state": MailingState.RUNNING, "started_at": now, "choice": choice, "created_by": mailing.created_by}
        if not mine.update(**begun):
            return False
        chosen = _write_chunks(mailing, members(), now)
        skips = beside(chosen)
        Mailing.objects.filter(pk=mailing.pk).update(chosen=chosen + sum(skips.values()))
        count_skips(mailing.pk, skips)
        return True

    started = db.retried(attempt)
    mailing.refresh_from_db()
    return started


def pause_mailing(mailing: Mailing) -> bool:
    """Take no further chunk; what a worker has in hand still goes out. False when it was not running."""
    return db.retried(lambda: _move(mailing, MailingState.RUNNING, MailingState.PAUSED, paused_at=timezone.now()))


def resume_mailing(mailing: Mailing) -> bool:
    """Go on after a pause, which moves the turns of what is left by its length."""
    if mailing.paused_at is None:
        return False
    now = timezone.now()

    def attempt() -> bool:
        if not _move(mailing, MailingState.PAUSED, MailingState.RUNNING, paused_at=None, held_until=None):
            return False
        if mailing.per_hour:
            first = mailing.chunks.aggregate(first=Min("due_at"))["first"] or now
            mailing.chunks.update(due_at=F("due_at") + max(now - first, timedelta(0)))
        return True

    return db.retried(attempt)


def stop_mailing(mailing: Mailing, *, by: Member | None) -> bool:
    """
    Send nothing more of the mailing, for good; False when it had ended.

    Links that were issued for mails which now never leave are cancelled: nobody has them. The log says so.
    """

    def attempt() -> bool:
        under_way = Mailing.objects.filter(pk=mailing.pk, state__in=[MailingState.RUNNING, MailingState.PAUSED])
        if not under_way.update(state=MailingState.STOPPED, finished_at=timezone.now()):
            return False
        # Waits for a worker that is writing a chunk's mails: these are no longer ours to stop.
        left = sum(len(members) for members in mailing.chunks.select_for_update().values_list("members", flat=True))
        mailing.chunks.all().delete()
        queued = mailing.emails.filter(state=EmailState.QUEUED)
        left += queued.update(state=EmailState.SKIPPED, skip_reason=SkipReason.STOPPED)
        cancel_unsent_links(mailing, by=by)
        count_skips(mailing.pk, Counter({SkipReason.STOPPED: left}))
        return True

    stopped = db.retried(attempt)
    mailing.refresh_from_db()
    return stopped


def try_failed_again(mailing: Mailing, *, beyond: Q | None = None) -> int:
    """
    Have the mailing's failed mails tried again, from the first attempt on; how many.

    None of a mailing that was stopped, nor those to accounts that are `beyond` who asks.
    """

    def attempt() -> int:
        # Written first, so that nobody stops the mailing meanwhile.
        if not Mailing.objects.filter(pk=mailing.pk).exclude(state=MailingState.STOPPED).update(state=F("state")):
            return 0
        failed = mailing.emails.filter(state=EmailState.FAILED)
        if beyond is not None:
            failed = failed.exclude(member__in=get_user_model()._base_manager.filter(beyond).values("pk"))
        again = sum(
            mailing.emails.filter(pk__in=part).update(state=EmailState.QUEUED, attempts=0, next_attempt_at=turn)
            for part, turn in _turns(mailing, failed)
        )
        if again:
            move_counters(mailing.pk, failed=-again)
            finished = Mailing.objects.filter(pk=mailing.pk, state=MailingState.FINISHED)
            finished.update(state=MailingState.RUNNING, finished_at=None)
        return again

    return db.retried(attempt)


def next_chunk(mailing: Mailing | None = None) -> int | None:
    """The key of a chunk whose turn has come; on most databases, of one that no other worker is at."""
    due = MailingChunk.objects.due().filter(mailing=mailing) if mailing else MailingChunk.objects.due()
    if not connections[db.alias()].features.has_select_for_update_skip_locked:
        return due.values_list("pk", flat=True).first()
    free = due.select_for_update(skip_locked=True).values_list("pk", flat=True)
    return db.retried(free.first)


def next_due() -> datetime | None:
    """When the next chunk's turn comes, of any mailing."""
    running = MailingChunk.objects.filter(mailing__state=MailingState.RUNNING)
    turn = Greatest("due_at", Coalesce("mailing__held_until", "due_at"))
    first: datetime | None = running.aggregate(first=Min(turn))["first"]
    return first


def turn_of(pk: int) -> datetime | None:
    """When a chunk's turn comes or came; None for one that is gone, or whose mailing is not going on."""
    found = MailingChunk.objects.filter(pk=pk, mailing__state=MailingState.RUNNING)
    times = found.values_list("due_at", "mailing__held_until").first()
    return max(filter(None, times)) if times else None


def forgotten_chunk(mailing_id: int, *, since: datetime) -> int | None:
    """A chunk of the mailing whose turn came before then, and which no worker has in hand."""
    pk = next_chunk(Mailing(pk=mailing_id))
    return pk if pk is not None and MailingChunk.objects.filter(pk=pk, due_at__lt=since).exists() else None


def take(chunk: MailingChunk) -> bool:
    """
    Claim a chunk whose turn has come by deleting it: of two workers, the other finds nothing to delete.

    Part of a transaction. Hours in which nobody worked are not made up for: what is left of a mailing with
    a limit moves by them.
    """
    mine = MailingChunk.objects.filter(pk=chunk.pk)
    if not chunk.mailing.per_hour:
        return bool(mine.due(early=EARLY).delete()[0])
    # Written first: workers of one such mailing take turns, so that no two move what is left.
    Mailing.objects.filter(pk=chunk.mailing_id).update(per_hour=F("per_hour"))
    due_at = mine.values_list("due_at", flat=True).first()
    if due_at is None or not mine.due(early=EARLY).delete()[0]:
        return False
    if (late := timezone.now() - due_at) > LATE:
        chunk.mailing.chunks.update(due_at=F("due_at") + late)
    return True


def move_counters(mailing_id: int, **changes: int) -> None:
    """Move the mailing's counters, in the transaction of what is counted."""
    if changes := {name: F(name) + change for name, change in changes.items() if change}:  # type: ignore[misc]
        Mailing.objects.filter(pk=mailing_id).update(**changes)


def count_emails(mailing_id: int, states: Counter[Any], skips: Counter[Any]) -> None:
    """Count mails by the state that they came to, and those skipped by their reason; no statement for none."""
    if not states and not skips:
        return
    counters = {COUNTERS[state]: number for state, number in states.items() if state in COUNTERS and number}
    counters.pop("skipped", None)
    changes: dict[str, Any] = {name: F(name) + number for name, number in counters.items()}
    mailing = Mailing.objects.filter(pk=mailing_id)

    def attempt() -> None:
        # The mailing's own row is written first. Where another worker ended it meanwhile, that one has counted these mails.
        if changes:
            mailing.exclude(state=MailingState.FINISHED).update(**changes)
        elif skips:
            mailing.update(state=F("state"))
        count_skips(mailing_id, skips)

    db.retried(attempt)


def hold_mailing(mailing_id: int, until: datetime) -> None:
    """Take no further chunk of the mailing until then: its mail service asked for patience."""
    running = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING)
    db.retried(lambda: running.update(held_until=until))


def is_running(mailing_id: int) -> bool:
    return Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING).exists()


def stopped_among(mailing_ids: Iterable[int]) -> set[int]:
    return set(Mailing.objects.filter(pk__in=mailing_ids, state=MailingState.STOPPED).values_list("pk", flat=True))


def _move(mailing: Mailing, before: MailingState, after: MailingState, **changes: Any) -> bool:
    moved = Mailing.objects.filter(pk=mailing.pk, state=before).update(state=after, **changes)
    mailing.refresh_from_db()
    return bool(moved)


def _write_chunks(mailing: Mailing, members: Iterable[Any], now: datetime) -> int:
    """One row for each chunk: small ones, a minute apart, where the mailing has a limit."""
    chosen = 0
    rows: list[MailingChunk] = []
    for keys in _slices(members, mailing.at_once(CHUNK)):
        rows.append(MailingChunk(mailing=mailing, members=keys, due_at=now + chosen * mailing.interval))
        chosen += len(keys)
        if len(rows) == CHUNK:
            db.insert(rows)
            rows = []
    db.insert(rows)
    return chosen


def _slices(members: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(members)
    while keys := [key if isinstance(key, int) else str(key) for key in islice(rest, size)]:
        yield keys


def _turns(mailing: Mailing, emails: QuerySet[ResetEmail]) -> Iterator[tuple[list[int], datetime]]:
    """Keys of mails, and when it is their turn at the mailing's rate."""
    keys, now = list(emails.order_by("pk").values_list("pk", flat=True)), timezone.now()
    size = mailing.at_once(CHUNK)
    for first in range(0, len(keys), size):
        yield keys[first : first + size], now + first * mailing.interval


def count_skips(mailing_id: int, skips: Counter[Any]) -> None:
    """Count members passed over, by their reason."""
    for reason, number in skips.items():
        if number and not MailingSkips.objects.filter(mailing=mailing_id, reason=reason).update(
            count=F("count") + number
        ):
            MailingSkips.objects.create(mailing_id=mailing_id, reason=reason, count=number)
    move_counters(mailing_id, skipped=sum(skips.values()))


def cancel_unsent_links(mailing: Mailing, *, by: Member | None = None) -> None:
    """End the links of mails that were stopped before any attempt, but for those that an earlier mail holds."""
    was_mailed = ResetEmail.objects.filter(reset=OuterRef("pk")).exclude(skip_reason=SkipReason.STOPPED)
    stopped = ResetEmail.objects.filter(
        reset=OuterRef("pk"), mailing=mailing, skip_reason=SkipReason.STOPPED, attempts=0
    )
    unsent = PasswordReset.objects.filter(~Exists(was_mailed), Exists(stopped), state=State.ACTIVE)
    ended = {"state": State.REVOKED, "reason": Reason.STAFF, "active_for": None, "nonce": None}

    def attempt() -> None:
        now = timezone.now()
        if unsent.update(**ended, closed_at=now):
            cancelled = PasswordReset.objects.filter(Exists(stopped), state=State.REVOKED, closed_at=now)
            pairs = [(reset.member, "revoke") for reset in cancelled.select_related("member")]
            audit.record_many(pairs, mailing=mailing, by=by)

    db.retried(attempt)
