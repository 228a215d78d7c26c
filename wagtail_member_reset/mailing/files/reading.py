"""
Files of members: the accounts that a file names.

The file is read in a stream, several times: for its encoding, for its separators, for the column that says who is
meant, and then for the people.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, TextIO

from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...exceptions import ChoiceError
from .around import begins_below, is_outside, with_footer
from .column import Who
from .columns import Survey
from .dialect import MOST_CELLS, delimiter_of
from .encodings import Encoding, encoding_of
from .formats import LOOKED_AT, refuse_binary, refuse_markup
from .found import Found, Unclear
from .lines import Lines, Note, records
from .listed import entries
from .people import People
from .shown import shown

MOST_LINES = 500_000
LONGEST_FILE = 64 * 1024 * 1024
LONGEST_NAME = 60
UNKNOWN_ENCODING = gettext_lazy(
    "The file’s encoding is not known: some letters could not be read. Save it as CSV with the encoding UTF-8."
)


@dataclass(frozen=True, kw_only=True)
class ColumnRead:
    """
    Who is meant, if this column says so. The first column of a file is number 1; a list has none, and is number 0.

    `ids` are ordinary members and staff. `held` are superusers and people who may manage users. Each line in
    `unclear` may mean several accounts; `unclear_ids` are all of them but for the held ones among them, which are
    `unclear_held`. `people` is how many are meant for sure.
    """

    number: int
    name: str
    beside: str
    samples: list[str]
    ids: tuple[Any, ...]
    held: tuple[Any, ...]
    unclear: list[Unclear]
    unclear_count: int
    unclear_ids: tuple[Any, ...]
    unclear_held: tuple[Any, ...]
    unmatched: list[tuple[int, str, str]]
    unmatched_count: int
    lines: int
    people: int

    def chosen(self, *, each: bool = False, admins: bool = False) -> tuple[Any, ...]:
        """Whom to mail: with `each`, all of an unclear line; with `admins`, those held back as well."""
        keys = dict.fromkeys(self.ids)
        keys |= dict.fromkeys(self.unclear_ids if each else ())
        keys |= dict.fromkeys(self.held if admins else ())
        keys |= dict.fromkeys(self.unclear_held if admins and each else ())
        return tuple(keys)

    @property
    def names_anybody(self) -> bool:
        return bool(self.ids or self.held or self.unclear_count)


@dataclass(frozen=True, kw_only=True)
class FileReading:
    """What a file came to. Of its `columns`, the first is the one that says who is meant, as far as can be told."""

    columns: list[ColumnRead]
    is_list: bool
    is_encoding_known: bool
    notes: list[tuple[int, Note]]
    # There may be accounts that were hidden from who brought the file.
    is_partial: bool = False

    @property
    def names_anybody(self) -> bool:
        return any(column.names_anybody for column in self.columns)


def read_file(file: BinaryIO, *, column: str = "", hidden: Q | None = None) -> FileReading:
    """
    Find the accounts that a file names, but for those `hidden` from who brought it. A `column`, by its name or its
    number, is taken for the one that says who.

    The file can be moved about in, and stays open. Raises `ChoiceError` for what is no table and no list.
    """
    if file.seek(0, io.SEEK_END) > LONGEST_FILE:
        raise ChoiceError(_("The file is larger than 64 MB."))
    file.seek(0)
    refuse_binary(file.read(LOOKED_AT))
    encoding = encoding_of(file)
    with _text(file, encoding) as stream:
        refuse_markup(stream.read(LOOKED_AT))
        people = People(hidden)
        delimiter = delimiter_of(stream, people)
        if delimiter:
            columns, notes = _read_table(stream, delimiter, people, column)
        elif column:
            raise ChoiceError(_("The file is a list of addresses, and has no columns to choose from."))
        else:
            columns, notes = [_read_list(stream, people)], []
    reading = FileReading(
        columns=columns,
        is_list=not delimiter,
        is_encoding_known=encoding.is_known,
        notes=notes,
        is_partial=people.is_partial,
    )
    if not people.has_addresses and not reading.names_anybody:
        raise ChoiceError(_("No line has a username of an account. Accounts of this site are not found by address."))
    return reading


@contextmanager
def _text(file: BinaryIO, encoding: Encoding) -> Iterator[TextIO]:
    file.seek(0)
    stream = io.TextIOWrapper(file, encoding=encoding.name, errors="replace", newline="")
    try:
        yield stream
    finally:
        stream.detach()


def _read_table(
    stream: TextIO, delimiter: str, people: People, column: str
) -> tuple[list[ColumnRead], list[tuple[int, Note]]]:
    survey = Survey(records(_lines(stream), delimiter), people)
    whos = [survey.who(_column_called(column, survey))] if column else survey.whos()
    headers = [survey.header(who.column) for who in whos]
    found = [
        Found(people, who, begins=_after(survey, header), survey=survey)
        for who, header in zip(whos, headers, strict=True)
    ]
    header_row = survey.first[headers[0]][1] if headers and headers[0] is not None else None
    widest = header_row or max((row for _number, row in survey.first), key=len, default=[])
    width = sum(bool(cell.strip()) for cell in widest)
    lines = _lines(stream)
    for count, (number, row, is_footer) in enumerate(with_footer(records(lines, delimiter), lines)):
        if count > MOST_LINES:
            most = formats.number_format(MOST_LINES, force_grouping=True)
            raise ChoiceError(_("The file has more than %(number)s lines.") % {"number": most})
        cells = row[:MOST_CELLS]
        # Files that were put together from several have several headers.
        if cells != header_row:
            for each in found:
                is_apart = is_footer or number < each.begins
                if is_outside(cells, each.who.column, is_apart=is_apart, width=width):
                    each.leave_outside(number, cells)
                else:
                    each.add(number, cells)
    return [_column_read(survey, each) for each in found], lines.notes


def _lines(stream: TextIO) -> Lines:
    stream.seek(0)
    return Lines(stream)


def _after(survey: Survey, header: int | None) -> int:
    """The number of the first line that may name somebody."""
    return survey.first[header][0] + 1 if header is not None else begins_below(survey.first)


def _column_called(column: str, survey: Survey) -> int:
    """By its name first, since a name may be a number."""
    widest = max((len(row) for _number, row in survey.first), default=0)
    names = [survey.name(at) for at in range(widest)]
    for at, name in enumerate(names):
        if name and name.casefold() == column.strip().casefold():
            return at
    if column.isascii() and column.isdigit() and 0 < int(column[:9]) <= widest:
        return int(column) - 1
    there = ", ".join(f"{at} {shown(name)}".strip() for at, name in enumerate(names[:20], start=1))
    raise ChoiceError(
        _("The file has no column %(column)s. It has: %(columns)s.") % {"column": shown(column), "columns": there}
    )


def _column_read(survey: Survey, found: Found) -> ColumnRead:
    column, beside = found.who.column, found.who.beside
    called = (survey.name(beside) or str(beside + 1)) if beside is not None else ""
    return _read(found, number=column + 1, name=survey.name(column), beside=called)


def _read(found: Found, *, number: int, name: str = "", beside: str = "") -> ColumnRead:
    found.settle()
    return ColumnRead(
        number=number,
        name=shown(name[:LONGEST_NAME]),
        beside=shown(beside[:LONGEST_NAME]),
        samples=found.samples,
        ids=found.keys(found.certain),
        held=found.keys(found.held),
        unclear=found.unclear,
        unclear_count=found.unclear_count,
        unclear_ids=found.keys(found.unclear_marks),
        unclear_held=found.keys(found.unclear_held),
        unmatched=[(line, shown(text), reason.value) for line, text, reason in sorted(found.unmatched)],
        unmatched_count=found.unmatched_count,
        lines=found.lines,
        people=sum(found.certain) + sum(found.held),
    )


def _read_list(stream: TextIO, people: People) -> ColumnRead:
    found = Found(people, Who(0, is_list=True), begins=0)
    for number, entry in enumerate(islice(entries(stream), MOST_LINES + 1), start=1):
        if number > MOST_LINES:
            most = formats.number_format(MOST_LINES, force_grouping=True)
            raise ChoiceError(_("The list has more than %(number)s addresses.") % {"number": most})
        found.add(number, [entry])
    return _read(found, number=0)
