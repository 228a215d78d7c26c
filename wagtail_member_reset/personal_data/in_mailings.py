"""Where mailings name a person without a row of their own: in chunks, drafts, and what was read of files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import F
from django.utils import timezone

from ..exceptions import ErasureRefused
from ..mailing import count
from ..models import Mailing, MailingChunk, MailingColumn, MailingState, MailingUnmatched, SkipReason
from .person import Person

AT_ONCE = 50
KEYS = ("ids", "held", "unclear_ids", "unclear_held")
# What a file calls a column. Where it has no such line, it may be anything.
CALLED = ("name", "beside")


def named_in(person: Person) -> dict[str, Any]:
    """Reads every chunk and every draft: seconds, where millions wait."""
    return {
        "waiting_in": sorted({str(chunk.mailing) for chunk in _chunks(person)}),
        "drafts": [str(mailing) for mailing in _naming(person)],
        "lines_of_files": [
            {"mailing": str(row.mailing), "line": line, "text": text}
            for row in _unmatched(person)
            for line, text, _reason in row.lines
            if person.is_mentioned(text)
        ],
        "files_of_drafts": sorted({str(column.file.mailing) for column in _columns(person)}),
    }


def leave_out(person: Person, *, reason: SkipReason) -> set[int]:
    """
    Take the person out of all of these, and have the counters say so; the keys of mailings that may be over by this.

    Part of a transaction. Raises `ErasureRefused` where somebody is at one of these rows.
    """
    touched = set()
    # Read to the end before anything is written: not every database goes on reading what changes meanwhile.
    for chunk in list(_chunks(person)):
        gone = _leave_out_of_chunk(chunk, person)
        if chunk.mailing.is_under_way:
            count(chunk.mailing_id, skips=Counter({reason: gone}))
            touched.add(chunk.mailing_id)
    for mailing in list(_naming(person)):
        _leave_out_of_mailing(mailing, person)
    for row in list(_unmatched(person)):
        row.lines, gone = _without(row.lines, person)
        row.count = max(row.count - gone, 0)
        row.save(update_fields=["lines", "count"])
    for column in list(_columns(person)):
        _leave_out_of_column(column, person)
    return touched


def _leave_out_of_chunk(chunk: MailingChunk, person: Person) -> int:
    rest = [key for key in chunk.members if not person.is_named(key)]
    same = MailingChunk.objects.filter(pk=chunk.pk, revision=chunk.revision)
    # A worker may be writing the email of this very person.
    if not same.update(members=rest, revision=F("revision") + 1):
        raise ErasureRefused
    if not rest:
        MailingChunk.objects.filter(pk=chunk.pk).delete()
    return len(chunk.members) - len(rest)


def _leave_out_of_mailing(mailing: Mailing, person: Person) -> None:
    told: dict[str, Any] = {"included": {**mailing.included}, "choice": {**mailing.choice}}
    if "members" in mailing.included:
        told["included"]["members"] = _others(mailing.included["members"], person)
    if "ids" in mailing.choice:
        told["choice"]["ids"] = _others(mailing.choice["ids"], person)
    same = Mailing.objects.filter(pk=mailing.pk, state=mailing.state, changed_at=mailing.changed_at)
    if not same.update(**told, changed_at=timezone.now() if mailing.state == MailingState.DRAFT else F("changed_at")):
        raise ErasureRefused


def _leave_out_of_column(column: MailingColumn, person: Person) -> None:
    for name in KEYS:
        setattr(column, name, _others(getattr(column, name), person))
    for name in CALLED:
        if person.is_mentioned(getattr(column, name)):
            setattr(column, name, "")
    column.samples = [text for text in column.samples if not person.is_mentioned(str(text))]
    unclear = [(line, text, _others(keys, person)) for line, text, keys in column.unclear]
    column.unclear = [(line, text, keys) for line, text, keys in unclear if keys and not person.is_mentioned(text)]
    column.unmatched, gone = _without(column.unmatched, person)
    column.unmatched_count = max(column.unmatched_count - gone, 0)
    column.save()


def _chunks(person: Person) -> Iterator[MailingChunk]:
    chunks = MailingChunk.objects.select_related("mailing").defer("mailing__choice").order_by("pk")
    return (chunk for chunk in chunks.iterator(chunk_size=AT_ONCE) if any(map(person.is_named, chunk.members)))


def _naming(person: Person) -> Iterator[Mailing]:
    """Mailings that name the person by hand: the choice of a draft, and whom staff included in any."""
    for mailing in Mailing.objects.order_by("pk").iterator(chunk_size=AT_ONCE):
        keys = [*mailing.choice.get("ids", ()), *mailing.included.get("members", ())]
        if any(map(person.is_named, keys)):
            yield mailing


def _unmatched(person: Person) -> Iterator[MailingUnmatched]:
    rows = MailingUnmatched.objects.select_related("mailing").order_by("pk")
    return (row for row in rows.iterator(chunk_size=AT_ONCE) if _mention(row.lines, person))


def _columns(person: Person) -> Iterator[MailingColumn]:
    for column in MailingColumn.objects.select_related("file__mailing").order_by("pk").iterator(chunk_size=AT_ONCE):
        keys = (key for name in KEYS for key in getattr(column, name))
        of_lines = (key for _line, _text, keys in column.unclear for key in keys)
        is_named = any(map(person.is_named, keys)) or any(map(person.is_named, of_lines))
        texts = [(0, str(text), "") for text in (*column.samples, *(getattr(column, name) for name in CALLED))]
        if is_named or _mention([*column.unclear, *column.unmatched, *texts], person):
            yield column


def _mention(lines: Iterable[Any], person: Person) -> bool:
    return any(person.is_mentioned(text) for _line, text, *_more in lines)


def _without(lines: list[Any], person: Person) -> tuple[list[Any], int]:
    kept = [each for each in lines if not person.is_mentioned(each[1])]
    return kept, len(lines) - len(kept)


def _others(keys: Iterable[Any], person: Person) -> list[Any]:
    return [key for key in keys if not person.is_named(key)]
