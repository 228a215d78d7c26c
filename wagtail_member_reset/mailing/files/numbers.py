"""Which columns of a table hold numbers of the members, by the accounts that its addresses lead to."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth import get_user_model

from .deciding import key_of, numbers_of
from .dialect import MOST_CELLS
from .people import People

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
        keys = {self.people.keys[number] for _cells, accounts in self._noted for number in accounts}
        members = get_user_model()._default_manager.in_bulk(list(keys)) if keys else {}
        own = {key: {each for each in numbers_of(member) if each.isdecimal()} for key, member in members.items()}
        agree, clash = Counter[int](), Counter[int]()
        for cells, accounts in self._noted:
            there = set().union(*(own.get(self.people.keys[number], set()) for number in accounts))
            for at, key in cells.items():
                if there:
                    (agree if key in there else clash)[at] += 1
        return {at for at in agree if agree[at] > 1 + 10 * clash[at]}
