"""The file of a command: opened, and what was read of it, in words."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from ..mailing import LONGEST_FILE, UNKNOWN_ENCODING, ColumnRead, FileReading, Nobody

SHOWN_LINES = 20
PIECE = 1024 * 1024


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The file of this name; for `-`, a copy of the standard input, which cannot be read twice."""
    if name != "-":
        with _file(name) as file:
            yield file
        return
    with tempfile.TemporaryFile() as copy:
        for piece in islice(iter(partial(sys.stdin.buffer.read, PIECE), b""), LONGEST_FILE // PIECE + 1):
            copy.write(piece)
        yield cast(BinaryIO, copy)


def _file(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error


def described(reading: FileReading) -> Iterator[str]:
    """How the file was read, and whom it names."""
    column = reading.columns[0]
    if not reading.is_encoding_known:
        yield str(UNKNOWN_ENCODING)
    yield "The file is a list of addresses." if reading.is_list else _column(column)
    for other in reading.columns[1:]:
        yield f"  or, with --column {other.number}: {_called(other)}; accounts: {other.people:,}"
    accounts = len(column.ids) + len(column.held)
    yield f"Lines: {column.lines:,}. Accounts: {accounts:,}. Not matched: {column.unmatched_count:,}."
    for number, text, reason in column.unmatched[:SHOWN_LINES]:
        yield f"  line {number}: {text!r}: {Nobody(reason).label}"
    if column.unmatched_count > SHOWN_LINES:
        yield f"  and {column.unmatched_count - SHOWN_LINES:,} more"
    for number, note in reading.notes[:SHOWN_LINES]:
        yield note.at(number)
    if column.unclear_count:
        yield f"Lines that may mean more than one account: {column.unclear_count:,}."
        yield from _unclear(column)


def _column(column: ColumnRead) -> str:
    beside = f", and {column.beside!r} where the address matches no account" if column.beside else ""
    samples = f": {', '.join(column.samples)}" if column.samples else ""
    return f"Who is meant: column {_called(column)}{beside}{samples}"


def _called(column: ColumnRead) -> str:
    return f"{column.number}, {column.name!r}" if column.name else str(column.number)


def _unclear(column: ColumnRead) -> Iterator[str]:
    lines = column.unclear[:SHOWN_LINES]
    keys = {key for each in lines for key in each.ids}
    members = get_user_model()._default_manager.in_bulk(list(keys))
    for each in lines:
        names = ", ".join(members[key].get_username() for key in each.ids if key in members)
        yield f"  line {each.line}: {each.text!r}: {names}"
    if column.unclear_count > len(lines):
        yield f"  and {column.unclear_count - len(lines):,} more"
