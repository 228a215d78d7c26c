"""Which column of a table says who is meant: found by what matches accounts, and then by how it is called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from django.contrib.auth import get_user_model

from . import words
from .addresses import addresses_in
from .deciding import key_of, numbers_of
from .dialect import MOST_CELLS
from .people import ORDINARY, People

# Records that are looked at; while none of them has an account, one of so many of the others, and so many cells in all.
LOOKED_AT = 2_000
EVERY = 25
MOST_LOOKED_AT = 400_000
# Above the header may stand a title, and who made the file when.
MOST_ABOVE = 30
LONGEST_KEPT = 200
# Columns that people can choose from instead.
MOST_OFFERED = 6
# Lines whose numbers are compared with those of the accounts; who share an address, if they are no more than this.
MOST_COMPARED, MOST_SHARED = 500, 10
LONGEST_NUMBER = 18
# As a cell, these may be somebody's role, too.
VAGUE = frozenset({"user", "login", "account", "benutzer", "usuario", "utente", "handle", "uid"})


@dataclass
class Column:
    """What was seen in a column."""

    filled: int = 0
    shaped: int = 0  # cells with an address
    lines: Counter[str] = field(default_factory=Counter)  # with an account, by address and by name
    by_address: set[int] = field(default_factory=set)
    by_name: set[int] = field(default_factory=set)
    plain: int = 0  # usernames that may be anybody's first name, or a role
    last: int | None = None
    counts_up: bool = True  # each number is one more than the last: it is the line's, and no member's

    def repeats(self) -> bool:
        """Whether it names the same few again and again: who looks after the members."""
        return self.lines["address"] >= 4 and 2 * len(self.by_address) < self.lines["address"]


@dataclass(frozen=True)
class Who:
    """
    The column that says who is meant, and that of usernames where the address in the first leads to nobody.

    A list has one column, and nothing but addresses counts in it.
    """

    column: int
    beside: int | None = None
    is_list: bool = False


@dataclass(frozen=True)
class Telling:
    """
    What columns hold that can tell those who share an address apart.

    `names` is None where no column is called as the names of people are.
    """

    names: frozenset[int] | None = None
    numbers: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()


class Survey:
    """A table, looked at once."""

    def __init__(self, records: Iterable[tuple[int, list[str]]], people: People) -> None:
        self.people = people
        self.columns: dict[int, Column] = defaultdict(Column)
        self.first: list[tuple[int, list[str]]] = []
        self._agree: Counter[tuple[int, int]] = Counter()
        self._clash: Counter[tuple[int, int]] = Counter()
        self._numbered: list[tuple[dict[int, str], set[int]]] = []
        self._look(records)
        self.named = self._named_header()
        self.names: list[str] = self.first[self.named][1] if self.named is not None else []

    def whos(self) -> list[Who]:
        """The columns that may say who is meant, with the most likely one first."""
        best = self._best()
        others = [at for at, column in self.columns.items() if column.by_address or column.by_name]
        others.sort(key=lambda at: -len(self.columns[at].by_address | self.columns[at].by_name))
        offered = [best, *(self.who(at) for at in others if at != best.column)]
        return offered[:MOST_OFFERED]

    def who(self, at: int) -> Who:
        """This column, with the usernames that go with it."""
        column = self.columns[at]
        usernames = self._usernames(at) if column.shaped else None
        return Who(at, usernames if usernames is not None and self._agrees(at, usernames) else None)

    def header(self, at: int) -> int | None:
        """Which of the first records is the header, given the column that says who is meant."""
        if self.named is not None:
            return self.named
        for position, (_number, row) in enumerate(self.first):
            cell = row[at].strip() if at < len(row) else ""
            if any(map(addresses_in, row)) or self.people.by_username(cell):
                return None
            if cell:
                return position
        return None

    def name(self, at: int) -> str:
        position = self.header(at)
        row = self.first[position][1] if position is not None else []
        return row[at].strip() if at < len(row) else ""

    @cached_property
    def telling(self) -> Telling:
        """One query, for the first who asks."""
        called = {at: name.strip() for at, name in enumerate(self.names)}
        names = frozenset(at for at, name in called.items() if words.is_person(name))
        numbers = frozenset(at for at, name in called.items() if words.is_number(name))
        roles = frozenset(at for at, name in called.items() if words.is_role(name))
        return Telling(names=names or None, numbers=numbers | self._agreeing_numbers(), roles=roles)

    def _agreeing_numbers(self) -> set[int]:
        """Columns with numbers of the accounts that the addresses lead to, in more than one line."""
        keys = {self.people.keys[number] for _cells, accounts in self._numbered for number in accounts}
        members = get_user_model()._default_manager.in_bulk(list(keys)) if keys else {}
        own = {key: {each for each in numbers_of(member) if each.isdecimal()} for key, member in members.items()}
        agree, clash = Counter[int](), Counter[int]()
        for cells, accounts in self._numbered:
            there = set().union(*(own.get(self.people.keys[number], set()) for number in accounts))
            for at, key in cells.items():
                if there:
                    (agree if key in there else clash)[at] += 1
        return {at for at in agree if agree[at] > 1 + 10 * clash[at] and not self.columns[at].counts_up}

    def _note_numbers(self, row: list[str], accounts: set[int]) -> None:
        cells = {}
        for at, cell in enumerate(row[:MOST_CELLS]):
            text = cell.strip()
            if len(text) > LONGEST_NUMBER or not (text.isascii() and text.isdecimal()):
                continue
            column, value = self.columns[at], int(text)
            column.counts_up = column.counts_up and column.last in (None, value - 1)
            column.last, cells[at] = value, key_of(text)
        if cells and 0 < len(accounts) <= MOST_SHARED and len(self._numbered) < MOST_COMPARED:
            self._numbered.append((cells, accounts))

    def _look(self, records: Iterable[tuple[int, list[str]]]) -> None:
        has_any, cells = False, 0
        for position, (number, row) in enumerate(records):
            if position < MOST_ABOVE:
                self.first.append((number, [cell[:LONGEST_KEPT] for cell in row[:MOST_CELLS]]))
            if position >= LOOKED_AT and (has_any or cells > MOST_LOOKED_AT):
                return
            if position >= LOOKED_AT and position % EVERY:
                continue
            cells += min(len(row), MOST_CELLS)
            by_address, by_name = self._read(row)
            has_any = has_any or bool(by_address or by_name)
            self._note_numbers(row, set().union(*by_address.values()))
            for at, accounts in by_address.items():
                for other, named in by_name.items():
                    counter = self._agree if accounts & named else self._clash
                    counter[at, other] += 1

    def _read(self, row: list[str]) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        by_address: dict[int, set[int]] = {}
        by_name: dict[int, set[int]] = {}
        for at, cell in enumerate(row[:MOST_CELLS]):
            text = cell.strip()
            if not text:
                continue
            column = self.columns[at]
            column.filled += 1
            if found := addresses_in(text):
                column.shaped += 1
                if accounts := {each for readings in found for each in islice(self.people.by_address(readings), 100)}:
                    by_address[at] = accounts
                    column.lines["address"] += 1
                    column.by_address |= accounts
            accounts = set(self.people.by_username(text)) if at not in by_address else set()
            if accounts and not words.is_known(text):
                by_name[at] = accounts
                column.lines["name"] += 1
                column.by_name |= accounts
                column.plain += text.replace(" ", "").isalpha()
        return by_address, by_name

    def _named_header(self) -> int | None:
        """The first record whose cells are called as columns are."""
        for position, (_number, row) in enumerate(self.first):
            cells = [cell.strip() for cell in row if cell.strip()]
            if any("@" in cell for cell in cells):
                continue
            known = sum(map(words.is_known, cells))
            if 2 * known > len(cells) or any(_is_telling(cell) for cell in cells):
                return position
        return None

    def _best(self) -> Who:
        address = self._address()
        usernames = self._usernames(address)
        if address is not None and self.columns[address].by_address:
            if usernames is None or self._agrees(address, usernames):
                return Who(address, usernames)
            # They name different people: one of the two columns is about somebody else.
            better = self._ordinary(self.columns[usernames].by_name) > self._ordinary(self.columns[address].by_address)
            return Who(usernames) if better else Who(address)
        if usernames is not None and self.columns[usernames].by_name:
            return Who(usernames)
        if address is not None:
            return Who(address, usernames)
        named = [at for at, name in enumerate(self.names) if words.is_address(name) or words.is_username(name)]
        return Who(named[0] if named else min(self.columns, default=0))

    def _address(self) -> int | None:
        """The column of addresses that leads to the most members; among about equals, the one that is called so."""
        shaped = {at: column for at, column in self.columns.items() if column.shaped}
        ordinary = {at: self._ordinary(column.by_address) for at, column in shaped.items()}
        most = max((ordinary[at] for at, column in shaped.items() if not column.repeats()), default=0)

        def key(at: int) -> tuple[object, ...]:
            column, name = shaped[at], self._called(at)
            is_near = ordinary[at] >= 0.8 * most
            likely = (not column.repeats(), is_near, words.is_address(name), ordinary[at])
            return (*likely, words.is_near_address(name), len(column.by_address), column.shaped, -at)

        return max(shaped, key=key, default=None)

    def _usernames(self, address: int | None) -> int | None:
        there = {*self.columns, *range(len(self.names))} - {address}
        found = [at for at in there if self._holds_usernames(at, address)]
        named = [at for at in found if words.is_username(self._called(at))]
        return max(named or found, key=lambda at: (len(self.columns[at].by_name), -at), default=None)

    def _holds_usernames(self, at: int, address: int | None) -> bool:
        """
        Whether a column says who is meant, by username. A role may read as one, and so may a first name.

        Where nothing but a chance speaks for it, it does not: people can still choose it.
        """
        column, name = self.columns[at], self._called(at)
        if words.is_username(name):
            return True
        if not column.by_name:
            return False
        if len(self.columns) == 1:
            return True
        lines = column.lines["name"]
        is_likely = 10 * len(column.by_name) >= 9 * lines and 2 * lines >= column.filled - bool(self.names)
        if not is_likely or words.is_known(name) or 2 * column.plain >= lines or not self._ordinary(column.by_name):
            return False
        if address is None or not self.columns[address].by_address:
            return lines > 1
        return self._agree[address, at] > 1 + 10 * self._clash[address, at]

    def _agrees(self, address: int, usernames: int) -> bool:
        return self._clash[address, usernames] <= self._agree[address, usernames]

    def _called(self, at: int) -> str:
        return self.names[at].strip() if at < len(self.names) else ""

    def _ordinary(self, accounts: set[int]) -> int:
        return sum(self.people.rank[number] == ORDINARY for number in accounts)


def _is_telling(cell: str) -> bool:
    return words.is_address(cell) or (words.is_username(cell) and cell.casefold() not in VAGUE)
