"""Which column of a table says who is meant: found by what matches accounts, and then by how it is called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from . import words
from .addresses import addresses_in
from .column import Column, Telling, Who
from .dialect import MOST_CELLS
from .numbers import Numbers
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


class Survey:
    """A table, looked at once."""

    def __init__(self, records: Iterable[tuple[int, list[str]]], people: People) -> None:
        self.people = people
        self.columns: dict[int, Column] = defaultdict(Column)
        self.first: list[tuple[int, list[str]]] = []
        self._agree: Counter[tuple[int, int]] = Counter()
        self._clash: Counter[tuple[int, int]] = Counter()
        self._numbers = Numbers(people)
        self._is_whole = True
        self._look(records)
        self.named = self._named_header()
        self.names: list[str] = self.first[self.named][1] if self.named is not None else []

    def whos(self) -> list[Who]:
        """The columns that may say who is meant, with the most likely one first."""
        best = self._best()
        others = [at for at in self.columns if self._names_anybody(at)]
        others.sort(key=lambda at: -len(self._seen(at).by_address | self._seen(at).by_name))
        offered = [best, *(self.who(at) for at in others if at != best.column)]
        return offered[:MOST_OFFERED]

    def who(self, at: int) -> Who:
        """This column, with the usernames that go with it."""
        column = self._seen(at)
        usernames = self._usernames(at) if column.shaped and not self._is_about_another(at) else None
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
                return None if _is_value(cell) else position
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
        agreeing = {at for at in self._numbers.agreeing() if not self._seen(at).counts_up()}
        return Telling(names=names or None, numbers=numbers | agreeing, roles=roles)

    def _look(self, records: Iterable[tuple[int, list[str]]]) -> None:
        has_any, cells = False, 0
        for position, (number, row) in enumerate(records):
            if position < MOST_ABOVE:
                self.first.append((number, [cell[:LONGEST_KEPT] for cell in row[:MOST_CELLS]]))
            self._is_whole = position < LOOKED_AT
            if position >= LOOKED_AT and (has_any or cells > MOST_LOOKED_AT):
                return
            if position >= LOOKED_AT and position % EVERY:
                continue
            cells += min(len(row), MOST_CELLS)
            by_address, by_name = self._read(row)
            has_any = has_any or bool(by_address or by_name)
            self._numbers.note(row, set().union(*by_address.values()))
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
            if text.isdecimal():
                column.count(text)
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
                column.numbers += text.isdecimal()
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
        return self._likely_header()

    def _likely_header(self) -> int | None:
        """The first record before all people, if some of its cells are called as columns are."""
        for position, (_number, row) in enumerate(self.first):
            cells = [cell.strip() for cell in row if cell.strip()]
            if any("@" in cell or self.people.by_username(cell) for cell in cells):
                return None
            if len(cells) > 1 and any(map(words.may_be_header, cells)):
                return position
        return None

    def _best(self) -> Who:
        address = self._address()
        usernames = self._usernames(address)
        if address is not None and self._seen(address).by_address:
            if usernames is None or self._agrees(address, usernames):
                return Who(address, usernames)
            # They name different people: one of the two columns is about somebody else, or the lines are in disorder.
            if words.is_username(self._called(usernames)) and words.is_address(self._called(address)):
                return Who(address, usernames)
            better = self._ordinary(self._seen(usernames).by_name) > self._ordinary(self._seen(address).by_address)
            return Who(usernames) if better else Who(address)
        if usernames is not None and self._seen(usernames).by_name:
            return Who(usernames)
        return Who(address, usernames) if address is not None else self._nobody()

    def _nobody(self) -> Who:
        """Where people have to choose: a column that names nobody, or else one that is not there."""
        named = [at for at, name in enumerate(self.names) if words.is_username(name)]
        there = [at for at in (*named, *sorted(self.columns)) if not self._names_anybody(at)]
        is_safe = self._is_whole or not any(map(self._names_anybody, self.columns))
        return Who(there[0] if there and is_safe else max((len(row) for _number, row in self.first), default=0))

    def _address(self) -> int | None:
        """The column of addresses that leads to the most members; among about equals, the one that is called so."""
        columns = {at: self._seen(at) for at in self._addresses()}
        ordinary = {at: self._ordinary(column.by_address) for at, column in columns.items()}
        most = max((ordinary[at] for at, column in columns.items() if not column.repeats()), default=0)

        def key(at: int) -> tuple[object, ...]:
            column, name = columns[at], self._called(at)
            is_near = ordinary[at] >= 0.8 * most
            likely = (not column.repeats(), is_near, words.is_address(name), ordinary[at])
            return (*likely, words.is_near_address(name), len(column.by_address), column.shaped, -at)

        return max(columns, key=key, default=None)

    def _addresses(self) -> list[int]:
        """
        The columns that may hold the members' own addresses: those that are called exactly so, if there are any.

        They stay even if they are empty, or lead to nobody: whose address is in another column is not told then.
        """
        exact = [at for at, name in enumerate(self.names) if words.is_address(name)]
        if exact:
            return list({words.bare(self.names[at]): at for at in reversed(exact)}.values())
        own = [at for at in {*self.columns, *range(len(self.names))} if not self._is_about_another(at)]
        near = [at for at in own if words.is_near_address(self._called(at))]
        if any(self._seen(at).shaped for at in near):
            return [at for at in near if self._seen(at).shaped]
        return [at for at in own if at in near or self._seen(at).shaped]

    def _usernames(self, address: int | None) -> int | None:
        there = {*self.columns, *range(len(self.names))} - {address}
        found = [at for at in there if self._holds_usernames(at, address)]
        named = [at for at in found if words.is_username(self._called(at))]
        return max(named or found, key=lambda at: (len(self._seen(at).by_name), -at), default=None)

    def _holds_usernames(self, at: int, address: int | None) -> bool:
        """
        Whether a column says who is meant, by username. A role may read as one, and so may a first name.

        Where nothing but a chance speaks for it, it does not: people can still choose it.
        """
        column, name = self._seen(at), self._called(at)
        if self._is_alone():
            return bool(column.by_name) or words.is_username(name)
        if self._is_about_another(at) or (address is not None and column.counts_up()):
            return False
        if words.is_username(name):
            return not words.is_vague(name) or self._is_confirmed(at, address)
        lines = column.lines["name"]
        is_likely = 10 * len(column.by_name) >= 9 * lines and 2 * lines >= column.filled - bool(self.names)
        if not is_likely or words.is_known(name) or 2 * max(column.plain, column.numbers) >= lines:
            return False
        if address is None or not self._ordinary(column.by_name):
            return False
        return self._agree[address, at] > 1 + 10 * self._clash[address, at]

    def _is_confirmed(self, at: int, address: int | None) -> bool:
        """Whether a column that is called "user" holds the members' usernames, and not who made the entries."""
        column = self._seen(at)
        if address is not None and (self._clash[address, at] or self._agree[address, at]):
            return not self._clash[address, at]
        # A login as the key of a line is rarely somebody else's; but where addresses lead to members, one would agree.
        if not words.is_login(self._called(at)) or not column.by_name:
            return words.is_login(self._called(at))
        is_key = address is None or (at < address and not self._seen(address).by_address)
        return is_key and self._ordinary(column.by_name) == column.lines["name"]

    def _agrees(self, address: int, usernames: int) -> bool:
        return self._clash[address, usernames] <= self._agree[address, usernames]

    def _called(self, at: int) -> str:
        return self.names[at].strip() if at < len(self.names) else ""

    def _seen(self, at: int) -> Column:
        return self.columns.get(at) or Column()

    def _names_anybody(self, at: int) -> bool:
        return bool(self._seen(at).by_address or self._seen(at).by_name)

    def _is_alone(self) -> bool:
        return len(self.columns) == 1

    def _is_about_another(self, at: int) -> bool:
        """Where there is no other column, it is meant all the same."""
        return not self._is_alone() and words.is_about_another(self._called(at))

    def _ordinary(self, accounts: set[int]) -> int:
        return sum(self.people.rank[number] == ORDINARY for number in accounts)


def _is_telling(cell: str) -> bool:
    return words.is_address(cell) or (words.is_username(cell) and not words.is_vague(cell))


def _is_value(cell: str) -> bool:
    """Whether this looks like an address or a username with a mistake in it, rather than what a column is called."""
    if words.may_be_header(cell) or " " in cell:
        return False
    return cell.islower() or not cell.rstrip(".:?").replace("-", "").isalpha()
