"""How a file is written: a list as an email program copies it, or a table; and what stands between its cells."""

from __future__ import annotations

import io
import re
from collections import Counter
from itertools import islice
from typing import TextIO

from .addresses import addresses_in, is_nothing_else
from .lines import LONGEST_LINE, Lines, records, separator_of
from .listed import is_mail
from .people import People
from .words import is_known

DELIMITERS = ",;\t|"
# Of the file's beginning, in characters and in records.
LOOKED_AT = 256 * 1024
MOST_RECORDS = 300
MOST_CELLS = 100
# As people and mail programs write it between recipients, and spreadsheets never between cells.
BETWEEN = re.compile("[,;] |>[,;]")


def delimiter_of(stream: TextIO, people: People) -> str:
    """
    What separates the cells of a table; empty for a list.

    A table has a header, or more than one line.
    """
    stream.seek(0)
    head = stream.read(LOOKED_AT)
    is_all = len(head) < LOOKED_AT
    if _is_list(stream, head, is_all=is_all):
        return ""
    if said := separator_of(head.partition("\n")[0]):
        return said
    if not is_all and "\n" in head:
        head = head[: head.rindex("\n") + 1]
    return max(DELIMITERS, key=lambda delimiter: _fit(head, delimiter, people))


def _is_list(stream: TextIO, head: str, *, is_all: bool) -> bool:
    lines = [line for line in head.splitlines() if line.strip(" \t\ufeff")]
    if is_all and len(lines) == 1:
        return "@" in lines[0]
    if not is_all and len(lines) == 1:
        # A long list is one long line.
        return "@" in lines[0] and not _has_more(stream)
    return is_all and len(lines) > 1 and (is_mail(lines) or _is_folded(lines))


def _is_folded(lines: list[str]) -> bool:
    """
    Whether a mail program folded a list behind its separators, or each line has several recipients.

    In a table, other cells stand beside the addresses, and nothing between the separator and the next cell.
    """
    if not all("@" in line for line in lines) or not any(line.count("@") > 1 for line in lines):
        return False
    ends = all(line.rstrip().endswith((",", ";")) for line in lines[:-1])
    several = all(line.count("@") > 1 and BETWEEN.search(line) for line in lines[:-1])
    return (ends or several) and all(map(_has_recipients_alone, lines))


def _has_recipients_alone(line: str) -> bool:
    """Whether what is no address is part of the name before one, which then is in pointed brackets."""
    is_name = False
    for part in re.split("[,;]", line):
        if is_name and "<" not in part and part.strip():
            return False
        is_name = bool(part.strip()) and "@" not in part
    return not is_name


def _has_more(stream: TextIO) -> bool:
    """Whether another line follows what is read of the first one."""
    while piece := stream.readline(LONGEST_LINE):
        if piece.endswith(("\n", "\r")):
            return any(line.strip() for line in islice(stream, 100))
    return False


def _fit(head: str, delimiter: str, people: People) -> tuple[int, int, int, int, float]:
    """
    How well the accounts fit: the lines whose best column has an account and nothing else, and rather one than two in
    a cell; the same for addresses of whomever; lines that are torn within quotes, as few as can be; lines with an
    account in any way; and how many lines are as wide as most.
    """
    clean, shaped, loose, torn = Counter[int](), Counter[int](), Counter[int](), 0
    widths: Counter[int] = Counter()
    lines = Lines(io.StringIO(head, newline=""))
    for _number, row in islice(records(lines, delimiter), MOST_RECORDS):
        widths[len(row)] += 1
        torn += any(cell.count('"') % 2 for cell in row[:MOST_CELLS])
        for at, cell in enumerate(row[:MOST_CELLS]):
            found = addresses_in(cell)
            if found:
                is_there = any(map(people.by_address, found))
                points = (
                    (2 if len({str(each[:1]).lower() for each in found}) == 1 else 1) if is_nothing_else(cell) else 0
                )
                shaped[at] += points
                clean[at] += points * is_there
                loose[at] += is_there
            elif cell and not is_known(cell) and people.by_username(cell.strip()):
                clean[at] += 2
    [(width, most)] = widths.most_common(1) or [(1, 0)]
    alike = most / widths.total() if width > 1 else 0
    return _most(clean), _most(shaped), -torn, _most(loose), alike


def _most(counter: Counter[int]) -> int:
    return max(counter.values(), default=0)
