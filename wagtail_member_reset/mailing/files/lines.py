"""From a stream of text to records: quoted line breaks are read, and a quotation mark that is not closed is bounded."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import TextIO

from django.db import models
from django.utils.translation import gettext_lazy as _

# Of a physical line, in characters; the rest is not read. Less than what Python's reader takes for a cell.
LONGEST_LINE = 100_000
# A quoted cell goes over at most so many lines, or characters.
MOST_SPANNED = 100
LONGEST_SPAN = 100_000
MOST_NOTES = 100
SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=([^\w\s\"@.]|\t)?\"?[,;\t]*", re.IGNORECASE)


class Note(models.TextChoices):
    """What is to be said of a line, whomever it names."""

    UNCLOSED = "unclosed", _("Line %(line)d: a quotation mark is not closed. The line was read on its own.")
    SPANS = (
        "spans",
        _("Line %(line)d: the text in quotation marks runs on over lines that look like other people’s."),
    )
    LONG = "long", _("Line %(line)d is very long: only its beginning was read.")

    def at(self, line: int) -> str:
        return str(self.label) % {"line": line}


class Unclosed(Exception):
    """A quoted cell goes on for too long."""


class Lines:
    """The physical lines of a stream, with their number, for a CSV reader that may have to begin anew."""

    def __init__(self, stream: TextIO) -> None:
        self.number = 0
        # Of the record that is being read.
        self.kept: list[str] = []
        # Whether the stream ended within it.
        self.is_cut = False
        self.notes: list[tuple[int, Note]] = []
        self._size = 0
        self._again: deque[str] = deque()
        self._read = partial(stream.readline, LONGEST_LINE)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.kept and (len(self.kept) >= MOST_SPANNED or self._size > LONGEST_SPAN):
            raise Unclosed
        line = self._again.popleft() if self._again else self._next()
        self.number += 1
        self.kept.append(line)
        self._size += len(line)
        return line

    def begin_record(self) -> None:
        self.kept, self._size, self.is_cut = [], 0, False

    def begin_anew(self) -> str:
        """Give the first line of the record, and read the others once more."""
        first, *others = self.kept
        self._again.extendleft(reversed(others))
        self.number -= len(others)
        self.begin_record()
        return first

    def note(self, number: int, note: Note) -> None:
        if len(self.notes) < MOST_NOTES:
            self.notes.append((number, note))

    def _next(self) -> str:
        line = self._read()
        if not line:
            self.is_cut = bool(self.kept)
            raise StopIteration
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            self.note(self.number + 1, Note.LONG)
            rest = line
            while rest and rest[-1] not in "\r\n":
                rest = self._read()
            line += "\n"
        return line.replace("\x00", "") if "\x00" in line else line


def records(lines: Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records that hold something, each with the number of its first line."""
    reader, width = csv.reader(lines, delimiter=delimiter), 0
    while True:
        lines.begin_record()
        try:
            row = next(reader)
            is_whole = not lines.is_cut and (len(lines.kept) == 1 or _is_closed(lines.kept, delimiter))
        except StopIteration:
            return
        except (Unclosed, csv.Error):
            is_whole = False
        first = lines.number - len(lines.kept) + 1
        if not is_whole:
            lines.note(first, Note.UNCLOSED)
            row = _split(lines.begin_anew(), delimiter, width)
            reader = csv.reader(lines, delimiter=delimiter)
        elif len(lines.kept) > 1 and _swallows(row, delimiter, width):
            lines.note(first, Note.SPANS)
        width = width if width > 1 else len(row)
        if (first > 1 or not separator_of(lines.kept[0] if lines.kept else "")) and any(map(str.strip, row)):
            yield first, row


def separator_of(line: str) -> str:
    """What a first line like `sep=;` says, as it is written for Excel."""
    found = SEPARATOR_LINE.fullmatch(line[:20].rstrip("\r\n"))
    return found[1] or "," if found else ""


def _is_closed(kept: list[str], delimiter: str) -> bool:
    """Whether the quotation marks of a record are as RFC 4180 has them."""
    try:
        return len(list(csv.reader(kept, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


def _swallows(row: list[str], delimiter: str, width: int) -> bool:
    """Whether a cell of several lines may hold other people's records: two stray marks far apart look like a pair."""
    inner = (line for cell in row if "\n" in cell or "\r" in cell for line in cell.splitlines()[1:])
    return width > 1 and any("@" in line and line.count(delimiter) >= width - 1 for line in inner)


def _split(line: str, delimiter: str, width: int) -> list[str]:
    """A line by itself. Where its last cell begins with the mark, the others are whole; else marks are characters."""
    row = next(csv.reader([line], delimiter=delimiter), [])
    if 1 < width <= len(row):
        return row
    return [cell.strip().strip('"') for cell in line.rstrip("\r\n").split(delimiter)]
