"""Whom the lines of a file mean, line by line, given the column that says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress, islice
from typing import Any, NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from .addresses import LONGEST_CELL, addresses_in, is_nothing_else, without_addresses
from .column import Telling, Who
from .columns import Survey
from .deciding import Line, decided, names_another
from .people import HELD_BACK, NONE, Accounts, People
from .persons import Person, Persons
from .shown import LONGEST_TEXT, shown

EXAMPLES = 10_000
SAMPLES, LONGEST_SAMPLE = 3, 80
# Lines whose accounts are compared with them at once.
SLICE = 500
# Who share an address are compared with the line, if they are no more than this; so many are named.
MOST_SHARED, MOST_NAMED = 100, 5


class Nobody(models.TextChoices):
    """Why a line names nobody."""

    EMPTY = "empty", _("The column is empty")
    NO_ADDRESS = "no_address", _("No account has this address")
    NO_USERNAME = "no_username", _("No address, and no account has this username")
    NOT_IN_REACH = (
        "not_in_reach",
        _("It names no account, or none that the person who uploaded the file may see"),
    )
    TOO_LONG = "too_long", _("Too long for an address or a username")
    INACTIVE = "inactive", _("The account that it names is not active")
    OUTSIDE = "outside", _("Above or below the table")
    UNREADABLE = "unreadable", _("It has characters that could not be read")


@dataclass(frozen=True)
class Unclear:
    """A line that may mean several accounts."""

    line: int
    text: str
    ids: tuple[Any, ...]


class _Open(NamedTuple):
    line: int
    text: str
    accounts: tuple[int, ...]
    cells: list[str]
    needs_full_name: bool
    is_sure: bool


class Found:
    """
    Lines come by `add`; what is left open is decided in slices, and all is by `settle`.

    Before the line where it `begins`, there may be a title; but where files were put together, also people.
    """

    def __init__(self, people: People, who: Who, *, begins: int, survey: Survey | None = None) -> None:
        self.people, self.who, self.begins, self._survey = people, who, begins, survey
        self.certain, self.held = bytearray(len(people)), bytearray(len(people))
        self.unclear_marks, self.unclear_held = bytearray(len(people)), bytearray(len(people))
        self.unclear: list[Unclear] = []
        self.unclear_count = 0
        self.unmatched: list[tuple[int, str, Nobody]] = []
        self.unmatched_count = 0
        self.samples: list[str] = []
        self.lines = 0
        self._open: list[_Open] = []
        self._persons = Persons(people)
        self._crowds: set[int] = set()

    def add(self, line: int, cells: list[str]) -> None:
        cell = cells[self.who.column].strip() if self.who.column < len(cells) else ""
        if line < self.begins and not _is_address_alone(cell):
            return
        self.lines += 1
        if cell and len(self.samples) < SAMPLES and (sample := shown(cell[:LONGEST_SAMPLE])) not in self.samples:
            self.samples.append(sample)
        addresses = addresses_in(cell) if cell else []
        shared = [accounts for readings in addresses if (accounts := self.people.by_address(readings))]
        usernames = self._by_username(cells, cell)
        if not shared and not usernames:
            why = _why(cell, has_address=bool(addresses), is_partial=self.people.is_partial)
            self._count_unmatched(line, cell or _said(cells), why)
        elif not shared:
            self._take(line, cell, tuple(usernames), cells, needs_full_name=True)
        elif usernames and (both := _among(usernames, shared)):
            # A username among those of an address says which of them is meant.
            self._take(line, cell, both, cells, needs_full_name=True)
        elif not usernames and len(addresses) == 1 and len(shared[0]) == 1:
            self._mark(shared[0])  # as nearly all lines
        elif usernames and self.who.beside is not None:
            self._leave_to_people(line, cell, [usernames, *shared])
        elif sum(map(len, shared)) > MOST_SHARED:
            self._leave_to_people(line, cell, shared)
        else:
            # Of two addresses, the second may be a former one or another person's, if the first has no account.
            is_first = len(addresses) == 1 or bool(self.people.by_address(addresses[0]))
            several = not is_first or any(accounts != shared[0] for accounts in shared[1:])
            numbers = tuple(sorted(set().union(*shared)) if several else shared[0])
            self._take(line, cell, numbers, cells, needs_full_name=several, is_sure=is_first)

    def leave_outside(self, line: int, cells: list[str]) -> None:
        """Report a line that does not belong to the table; above the header, a title is none to report."""
        cell = cells[self.who.column] if self.who.column < len(cells) else ""
        if line >= self.begins or _is_address_alone(cell):
            self.lines += 1
            self._count_unmatched(line, _said(cells), Nobody.OUTSIDE)

    def settle(self) -> None:
        """Decide what is still open."""
        there = self._persons.of({number for each in self._open for number in each.accounts})
        for each in self._open:
            self._decide(each, {number: there[number] for number in each.accounts if number in there})
        self._open = []

    def keys(self, marked: bytearray) -> tuple[Any, ...]:
        return tuple(compress(self.people.keys, marked))

    @cached_property
    def _telling(self) -> Telling:
        return self._survey.telling if self._survey is not None else Telling()

    def _by_username(self, cells: list[str], cell: str) -> Accounts:
        if self.who.is_list:
            return NONE
        beside = self.who.beside
        if beside is not None and beside < len(cells) and (found := self.people.by_username(cells[beside].strip())):
            return found
        if not cell or ("@" in cell and not self.people.has_addresses_for_names):
            return NONE
        return self.people.by_username(cell)

    def _take(
        self,
        line: int,
        text: str,
        accounts: tuple[int, ...],
        cells: list[str],
        *,
        needs_full_name: bool,
        is_sure: bool = True,
    ) -> None:
        if is_sure and len(accounts) == 1:
            self._mark(accounts)
            return
        kept = [cell[:LONGEST_TEXT] for cell in cells]
        kept[self.who.column : self.who.column + 1] = [without_addresses(text)[:LONGEST_TEXT]]
        open_ = _Open(line, text[:LONGEST_TEXT], accounts, kept, needs_full_name, is_sure)
        if not any(map(str.strip, kept)):
            # Nothing but the address: no name could decide.
            self._decide(open_, {})
            return
        self._open.append(open_)
        if len(self._open) >= SLICE:
            self.settle()

    def _decide(self, each: _Open, persons: dict[int, Person]) -> None:
        """All accounts of a line are asked first: who is not active, or is held back, may be the one that it means."""
        line = self._line(each.cells) if persons else Line([], column=0, telling=Telling())
        one = decided(persons, line, set_apart=self.people.set_apart, needs_full_name=each.needs_full_name)
        if one is not None:
            if self.people.is_active[one]:
                self._mark((one,))
            else:
                self._count_unmatched(each.line, each.text, Nobody.INACTIVE)
            return
        # An account that is not active gets no mail, and does not keep another from its own.
        active = tuple(number for number in each.accounts if self.people.is_active[number]) or each.accounts
        ordinary = tuple(number for number in active if self.people.rank[number] != HELD_BACK)
        others = [person for number, person in persons.items() if number not in ordinary]
        is_sure = each.is_sure and len(ordinary) == 1
        if not is_sure or (ordinary[0] in persons and names_another(line, persons[ordinary[0]], others)):
            self._leave_unclear(each, active)
        else:
            self._mark(active)

    def _line(self, cells: list[str]) -> Line:
        if roles := self._telling.roles:
            cells = ["" if at in roles else cell for at, cell in enumerate(cells)]
        return Line(cells, column=self.who.column, telling=self._telling)

    def _mark(self, accounts: Iterable[int]) -> None:
        for number in accounts:
            (self.held if self.people.rank[number] == HELD_BACK else self.certain)[number] = 1

    def _mark_unclear(self, accounts: Iterable[int]) -> None:
        for number in accounts:
            (self.unclear_held if self.people.rank[number] == HELD_BACK else self.unclear_marks)[number] = 1

    def _leave_unclear(self, each: _Open, accounts: tuple[int, ...]) -> None:
        self.unclear_count += 1
        self._mark_unclear(accounts)
        if len(self.unclear) < EXAMPLES:
            keys = tuple(self.people.keys[number] for number in accounts)
            self.unclear.append(Unclear(each.line, shown(each.text), keys))

    def _leave_to_people(self, line: int, text: str, shared: list[Accounts]) -> None:
        """Leave a line to people: very many share its address, or its username is that of somebody else."""
        for accounts in shared:
            # The index keeps those who share one for as long as this takes.
            if id(accounts) not in self._crowds:
                if len(accounts) > 1:
                    self._crowds.add(id(accounts))
                self._mark_unclear(accounts)
        self.unclear_count += 1
        if len(self.unclear) < EXAMPLES:
            keys = (self.people.keys[number] for number in islice(chain(*shared), MOST_NAMED))
            self.unclear.append(Unclear(line, shown(text), tuple(keys)))

    def _count_unmatched(self, line: int, text: str, reason: Nobody) -> None:
        self.unmatched_count += 1
        if len(self.unmatched) < EXAMPLES:
            self.unmatched.append((line, text[:LONGEST_TEXT], reason))


def _among(usernames: Accounts, shared: list[Accounts]) -> tuple[int, ...]:
    return tuple(number for number in usernames if any(number in accounts for accounts in shared))


def _is_address_alone(cell: str) -> bool:
    return bool(addresses_in(cell)) and is_nothing_else(cell)


def _said(cells: list[str]) -> str:
    """What else the line says, where its column is empty."""
    return ", ".join(text[:LONGEST_TEXT] for cell in cells if (text := cell.strip()))[:LONGEST_TEXT]


def _why(cell: str, *, has_address: bool, is_partial: bool) -> Nobody:
    if not cell:
        return Nobody.EMPTY
    if "\ufffd" in cell[:LONGEST_CELL]:
        return Nobody.UNREADABLE
    if len(cell) > LONGEST_CELL:
        return Nobody.TOO_LONG
    if is_partial:
        return Nobody.NOT_IN_REACH
    return Nobody.NO_ADDRESS if has_address else Nobody.NO_USERNAME
