"""Which columns of a table hold numbers of the members, by the accounts that its addresses lead to."""

from __future__ import annotations

from collections import Counter

from .dialect import MOST_CELLS
from .people import People
from .persons import Persons, key_of

# Lines whose numbers are compared with those of the accounts; who share an address, if they are no more than this.
MOST_COMPARED, MOST_SHARED = 500, 10
LONGEST_NUMBER = 18


class Numbers:
    """Numbers in lines whose address leads to accounts, noted line by line."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._noted: list[tuple[dict[int, str], set[int]]] = []

    def note(self, row: list[str], accounts: set[int]) -> None:
        if not 0 < len(accounts) <= MOST_SHARED or len(self._noted) >= MOST_COMPARED:
            return
        texts = {at: cell.strip() for at, cell in enumerate(row[:MOST_CELLS])}
        cells = {
            at: key_of(text)
            for at, text in texts.items()
            if len(text) <= LONGEST_NUMBER and text.isascii() and text.isdecimal()
        }
        if cells:
            self._noted.append((cells, accounts))

    def agreeing(self) -> set[int]:
        """Columns with numbers of the accounts, in more than one line and with hardly an exception. One query."""
        there = Persons(self.people).of({number for _cells, accounts in self._noted for number in accounts})
        own = {at: {each for each in person.numbers if each.isdecimal()} for at, person in there.items()}
        agree, clash = Counter[int](), Counter[int]()
        for cells, accounts in self._noted:
            known = set().union(*(own.get(number, set()) for number in accounts))
            for at, key in cells.items():
                if known:
                    (agree if key in known else clash)[at] += 1
        return {at for at in agree if agree[at] > 1 + 10 * clash[at]}
