"""What stands around a table: the club's address above the header, who made the file below the last line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from . import words
from .addresses import addresses_in, is_nothing_else, without_addresses
from .lines import Lines

# A letterhead and a footer have at most so many records.
LONGEST_AROUND = 5
MOST_CELLS = 100
SHORTEST_NAME = 3


def with_footer(records: Iterator[tuple[int, list[str]]], lines: Lines) -> Iterator[tuple[int, list[str], bool]]:
    """
    The records, each with whether it may belong to a footer: a few records behind the only blank line.

    Where blank lines come again and again, they part groups of members.
    """
    held: list[tuple[int, list[str]]] = []
    read, gaps, last = 0, 0, 0
    for number, row in records:
        is_gap = read > 1 and number > last + 1
        if held and (is_gap or len(held) == LONGEST_AROUND):
            yield from ((*each, False) for each in held)
            held, gaps = [], gaps + 1
        read, gaps, last = read + 1, gaps + is_gap, lines.number
        if gaps == 1:
            held.append((number, row))
        else:
            yield number, row, False
    yield from ((*each, True) for each in held)


def begins_below(first: Sequence[tuple[int, list[str]]]) -> int:
    """
    The number of the line where a table without a header begins, given its first records; 0 if with the first.

    Above a blank line, a letterhead has fewer cells than any line of the table.
    """
    filled = [sum(bool(cell.strip()) for cell in row) for _number, row in first]
    for at in range(1, min(LONGEST_AROUND + 1, len(first))):
        if first[at][0] > first[at - 1][0] + 1 and max(filled[:at]) < min(filled[at:]):
            return first[at][0]
    return 0


def is_outside(cells: list[str], at: int, *, is_apart: bool, width: int) -> bool:
    """
    Whether a line is no line of the table: it stands apart from it, or is a sentence with an address in it.

    `width` is how many columns are called something. A line whose names are in its address is a member's all the same.
    """
    cell = cells[at].strip() if at < len(cells) else ""
    if not cell or not (is_apart or " " in cell):
        return False
    filled = [each for each in cells[:MOST_CELLS] if each.strip()]
    if is_apart:
        may_be = width > 1 or len(filled) > 1
    else:
        may_be = len(filled) == 1 and _is_sentence(cell, width)
    return may_be and not _agrees(cell, filled)


def _is_sentence(cell: str, width: int) -> bool:
    if "@" not in cell or "<" in cell or "(" in cell or is_nothing_else(cell):
        return False
    rest = without_addresses(cell)
    return words.speaks_of_another(rest) or (width > 1 and sum(map(str.isalpha, rest.split())) > 1)


def _agrees(cell: str, filled: list[str]) -> bool:
    """Whether a name in the line is in the address, or in the username, too."""
    found = [readings[0] for readings in addresses_in(cell) if readings]
    local, _at, domain = (found or [cell])[0].casefold().rpartition("@")
    local, domain = (local, domain) if local else (domain, "")
    rest = [without_addresses(each) for each in filled if each.strip() != cell or "@" in each]
    names = "".join(sign if sign.isalnum() else " " for sign in " ".join(rest).casefold()).split()
    return any(len(name) >= SHORTEST_NAME and name in local and name not in domain for name in names)
