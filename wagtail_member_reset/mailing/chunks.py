"""The chunks of a mailing: members for whom nothing was written yet, taken by whichever worker comes first."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, connections, transaction
from django.db.models import Exists, F, Min, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from .. import db
from ..exceptions import SettingError
from ..models import EmailState, Mailing, MailingChunk, MailingState, Purpose, ResetEmail, SkipReason
from . import counters

logger = logging.getLogger("wagtail_member_reset")

# Members of one task, one transaction, and one call of a mail service at most.
CHUNK = 1000
# Queues that wake a worker by the second may do so a little early, and so may a cron job.
EARLY = timedelta(seconds=5)
# How long a chunk that could not be written waits, the first time; then twice as long each time.
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
# A chunk of one member that cannot be written so often is written off, with the member.
MOST_ATTEMPTS = 3
# Of these, all but the last two are about the database or the site as a whole, and no member is to blame.
OF_THE_SITE, OF_A_ROW = (DatabaseError, InterfaceError, SettingError), (DataError, IntegrityError)

# What the row says of a member for whom nothing can be written: `reports` would read the code in the same way.
FAILED = {"state": EmailState.FAILED, "result_code": "error", "outcome": "failed", "cause": "no_answer"}


def write_chunks(mailing: Mailing, members: Iterable[Any], *, again: bool = False) -> int:
    """Write the mailing's chunks for the members with these primary keys; how many members. Part of a transaction."""
    chosen, now = 0, timezone.now()
    rows: list[MailingChunk] = []
    for keys in _slices(members, CHUNK):
        rows.append(MailingChunk(mailing=mailing, members=keys, due_at=now, again=again))
        chosen += len(keys)
        if len(rows) == CHUNK:
            db.insert(rows)
            rows = []
    db.insert(rows)
    return chosen


def next_chunk(mailing: Mailing | None = None) -> int | None:
    """The key of a chunk whose turn has come; on most databases, of one that no other worker is at."""
    due = MailingChunk.objects.due().filter(mailing=mailing) if mailing else MailingChunk.objects.due()
    if not connections[db.alias()].features.has_select_for_update_skip_locked:
        return due.values_list("pk", flat=True).first()
    free = due.select_for_update(skip_locked=True).values_list("pk", flat=True)
    return db.retried(free.first)


def next_turn(mailing_id: int | None = None) -> datetime | None:
    """When the next chunk's turn comes, of one mailing or of any that is running; None where no chunk is left."""
    running = MailingChunk.objects.filter(mailing__state=MailingState.RUNNING)
    if mailing_id is not None:
        running = running.filter(mailing=mailing_id)
    turn = Greatest("due_at", Coalesce("mailing__held_until", "due_at"), Coalesce("mailing__turn_at", "due_at"))
    first: datetime | None = running.aggregate(first=Min(turn))["first"]
    return first


def turn_of(pk: int) -> datetime | None:
    """When a chunk's turn comes or came; None for one that is gone, or whose mailing is not going on."""
    found = MailingChunk.objects.filter(pk=pk, mailing__state=MailingState.RUNNING)
    times = found.values_list("due_at", "mailing__held_until", "mailing__turn_at").first()
    return max(filter(None, times)) if times else None


def forgotten_chunk(mailing_id: int, *, since: datetime) -> int | None:
    """A chunk of the mailing whose turn came before then, and which no worker has in hand."""
    pk = next_chunk(Mailing(pk=mailing_id))
    turn = turn_of(pk) if pk is not None else None
    return pk if turn is not None and turn < since else None


def forgotten_mailings(*, since: datetime) -> list[int]:
    """
    Running mailings whose turn came before then, and which nobody has got any further since.

    Each is named once to all who ask at the same time, and again only after as long.
    """
    due = Exists(MailingChunk.objects.filter(mailing=OuterRef("pk"), due_at__lt=since))
    times = ("progress_at", "held_until", "turn_at")
    is_past = [Q(**{name: None}) | Q(**{f"{name}__lt": since}) for name in times]
    forgotten = Mailing.objects.filter(*is_past, due, state=MailingState.RUNNING)
    keys = list(forgotten.order_by("pk").values_list("pk", flat=True))
    return [key for key in keys if forgotten.filter(pk=key).update(turn_at=timezone.now())]


def take(chunk: MailingChunk, number: int) -> list[Any]:
    """
    Take the first so many members of a chunk, and leave the others in it: their keys, none when another worker was
    faster, when the turn has not come, or when the mailing is not going on. Part of a transaction, first in it.
    """
    mine = MailingChunk.objects.due(early=EARLY, has_room=True).filter(pk=chunk.pk, revision=chunk.revision)
    rest = {"members": chunk.members[number:], "revision": F("revision") + 1, "attempts": 0}
    if not mine.order_by().update(**rest):
        return []
    if not _is_going(chunk.mailing_id):
        transaction.set_rollback(True, using=db.alias())
        return []
    if not rest["members"]:
        # Not deleted at once: where somebody listens to deletions, Django would ask first and delete by the key alone.
        MailingChunk.objects.filter(pk=chunk.pk).delete()
    return list(chunk.members[:number])


def _is_going(mailing_id: int) -> bool:
    """
    Whether a mailing still runs, after its chunk was taken: whoever stopped it may have held the chunk meanwhile, and a
    statement that had to wait for that does not look at the mailing again.
    """
    features = connections[db.alias()].features
    going = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING)
    if features.has_select_for_update and not features.has_select_for_no_key_update:
        # On MySQL, a new email shares the row of its mailing, and two who then count would end each other.
        return bool(going.update(state=F("state")))
    return going.exists()


def set_back(chunk: MailingChunk, error: Exception) -> None:
    """
    Let a chunk that could not be written wait, so that others have their turn; or find out which of its members it is.

    Raises in its turn when the database is away.
    """
    if isinstance(error, OF_THE_SITE) and not isinstance(error, OF_A_ROW):
        # What a database says may quote a row.
        said = error if isinstance(error, SettingError) else type(error).__name__
        logger.error("mailing=%s chunk=%s not written: %s", chunk.mailing_id, chunk.pk, said)
        _put_off(chunk)
        return
    logger.error("mailing=%s chunk=%s not written", chunk.mailing_id, chunk.pk, exc_info=error)
    if len(chunk.members) > 1:
        _split(chunk)
    elif chunk.attempts + 1 < MOST_ATTEMPTS or not _write_off(chunk, error):
        _put_off(chunk)


def _write_off(chunk: MailingChunk, error: Exception) -> bool:
    """Give up a chunk of one member, who counts as failed; False when not even that can be written."""

    def attempt() -> bool:
        if not MailingChunk.objects.filter(pk=chunk.pk, revision=chunk.revision).delete()[0]:
            return True
        member = get_user_model()._base_manager.filter(pk__in=chunk.members).values_list("pk", flat=True).first()
        if member is None:
            counters.count(chunk.mailing_id, skips=Counter({SkipReason.GONE: 1}))
            return True
        told = {**FAILED, "result_text": type(error).__name__}
        email = ResetEmail(mailing_id=chunk.mailing_id, member_id=member, purpose=Purpose.RESET, attempts=1, **told)
        email.save(force_insert=True)
        counters.count(chunk.mailing_id, failed=1)
        return True

    try:
        return db.retried(attempt)
    except DatabaseError:
        logger.exception("mailing=%s chunk=%s cannot be written off", chunk.mailing_id, chunk.pk)
        return False


def _put_off(chunk: MailingChunk) -> None:
    """Let a chunk that could not be written wait, longer with each attempt, so that others have their turn."""
    delay = min(FIRST_DELAY * 2**chunk.attempts, LONGEST_DELAY)
    later = {"due_at": timezone.now() + delay, "attempts": F("attempts") + 1, "revision": F("revision") + 1}
    db.retried(lambda: MailingChunk.objects.filter(pk=chunk.pk, revision=chunk.revision).update(**later))


def _split(chunk: MailingChunk) -> None:
    """
    Cut a chunk in two: where one member spoils it, the half without them goes out, and the other is cut again.

    Both take their turn behind all who wait already, and are new rows, so that nobody takes them for one just tried.
    """
    half = len(chunk.members) // 2

    def attempt() -> None:
        if MailingChunk.objects.filter(pk=chunk.pk, revision=chunk.revision).delete()[0]:
            for members in (chunk.members[:half], chunk.members[half:]):
                MailingChunk.objects.create(mailing_id=chunk.mailing_id, members=members, again=chunk.again)

    db.retried(attempt)


def _slices(members: Iterable[Any], size: int) -> Iterator[list[Any]]:
    return db.parts((key if isinstance(key, int) else str(key) for key in members), size)
