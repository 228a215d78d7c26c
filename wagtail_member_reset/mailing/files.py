"""Files of members: the accounts that a CSV file names, by address or by username."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import formats
from django.utils.translation import gettext as _

from ..accounts import comparable
from ..exceptions import ChoiceError
from .choose import SLICE

MOST_LINES = 500_000
LONGEST_FILE = 64 * 1024 * 1024
LONGEST_TEXT = 200
# Read of a line: who is meant stands further to the left.
MOST_CELLS = 100
DELIMITERS = ",;\t"
EXAMPLES = 10_000
NAMED_ADDRESS = re.compile(r"[^<>]*<\s*([^<>\s]+@[^<>\s]+)\s*>")


@dataclass(frozen=True, kw_only=True)
class Matches:
    """What a file of addresses or usernames came to. `unmatched` has line number and text of the first ten thousand."""

    ids: tuple[Any, ...]
    lines: int
    unmatched: list[tuple[int, str]] = field(default_factory=list)
    unmatched_count: int = 0


def read_file(data: bytes) -> Matches:
    """
    Find the accounts that a CSV file names, by address or by username, in whichever column.

    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252. Accounts of the same
    address are all meant. Raises `ChoiceError` for what is no list at all.
    """
    if len(data) > LONGEST_FILE:
        raise ChoiceError(_("The file is larger than 64 MB."))
    said: dict[int, str] = {}
    wanted: dict[str, list[int]] = defaultdict(list)
    for number, cells in _rows(_decode(data)):
        if len(said) == MOST_LINES:
            most = formats.number_format(MOST_LINES, force_grouping=True)
            raise ChoiceError(_("The file has more than %(number)s lines.") % {"number": most})
        # A column of addresses says who is meant; a line without one may hold a username.
        named = [cell for cell in cells if "@" in cell] or cells
        said[number] = named[0][:LONGEST_TEXT]
        for cell in named:
            wanted[comparable(_bare(cell))].append(number)
    ids: list[Any] = []
    for key, names in _names():
        if any(name in wanted for name in names):
            ids.append(key)
            for name in names:
                for number in wanted.get(name, ()):
                    said.pop(number, None)
    lines = len({number for numbers in wanted.values() for number in numbers})
    return Matches(
        ids=tuple(ids), lines=lines, unmatched=list(islice(said.items(), EXAMPLES)), unmatched_count=len(said)
    )


def _names() -> Iterator[tuple[Any, list[str]]]:
    """Every account with what it may be called in a file. Read once, since no index serves a look-up of addresses."""
    model = get_user_model()
    fields = dict.fromkeys((model.USERNAME_FIELD, model.get_email_field_name()))
    for key, *names in model._default_manager.order_by("pk").values_list("pk", *fields).iterator(chunk_size=SLICE):
        yield key, [comparable(name) for name in names if name]


def _bare(cell: str) -> str:
    """The address of "Mia Sample <mia@members.example>", as mail programs export it."""
    found = NAMED_ADDRESS.fullmatch(cell)
    return found[1] if found else cell


def _decode(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("windows-1252", "replace")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells that hold something; spreadsheets separate by commas, semicolons or tabs."""
    if "\x00" in text[:LONGEST_TEXT]:
        raise ChoiceError(_("The file is no text: save it as CSV."))
    first = text[: 10 * LONGEST_TEXT]
    delimiter = max(DELIMITERS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    first_line = 1
    try:
        for row in lines:
            if any("\n" in cell and cell.count("@") > 1 for cell in row):
                text = _("The quotation mark in line %(line)d of the file is not closed before the next address.")
                raise ChoiceError(text % {"line": first_line})
            first_line = lines.line_num + 1
            # A spreadsheet that was told so writes a quote before what it would else compute.
            if cells := [text for cell in row[:MOST_CELLS] if (text := cell.strip().lstrip("'"))]:
                yield lines.line_num, cells
    except csv.Error as error:
        text = _("Line %(line)d of the file cannot be read: save it as CSV once more.")
        raise ChoiceError(text % {"line": lines.line_num}) from error
