"""What is seen in one column of a table, and whom columns may be about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Column:
    """What was seen in a column."""

    filled: int = 0
    shaped: int = 0  # cells with an address
    lines: Counter[str] = field(default_factory=Counter)  # with an account, by address and by name
    by_address: set[int] = field(default_factory=set)
    by_name: set[int] = field(default_factory=set)
    plain: int = 0  # usernames that may be anybody's first name, or a role
    numbers: int = 0  # usernames that are digits
    digits: int = 0  # cells of digits
    rising: int = 0  # those that follow a smaller one, with the first being 1
    last: int = 0

    def count(self, text: str) -> None:
        """Note a cell of digits."""
        number = int(text[:9])
        self.digits += 1
        self.rising += number > self.last and (self.digits > 1 or number == 1)
        self.last = number

    def counts_up(self) -> bool:
        """Whether these are the numbers of the lines, of which some may have been taken out."""
        return 0 < self.digits == self.rising and self.last <= 2 * self.digits

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
