"""
The contests, each in a file of this folder: who is measured beside whom, and which goals that answers.

Within a contest, each round measures every contestant once, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.bench.goals import Finding
from tests.bench.numbers import Rounds

EVERYBODY = 100_000
"""Members that the large goals are about."""


@dataclass(frozen=True)
class Size:
    """How much is measured: as much as the goals ask for, or less, for a try."""

    count: int

    @property
    def smaller(self) -> str:
        return f"{self.count:,} members" if self.count < EVERYBODY else ""


@dataclass(frozen=True)
class Contestant:
    name: str
    title: str
    work: str
    """A function of `works`, `looks`, `visits`, `needs_help` or `long_files`."""
    table: int
    """Accounts in the database."""
    mails: int = 0
    """Members whom it mails, all in the table or the first of them."""
    way: str = ""
    """What takes its mails: "smtp" or "provider"."""
    late: float = 0.0
    """Seconds by which each answer of the mail server or service is late."""
    resets: int = 0
    """Resets in the database, which then is not copied: they are looked at only."""
    filling: str = "with_resets"
    """The function of `history` or `needs_help` that writes them."""
    arguments: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


Results = dict[str, Rounds]


@dataclass(frozen=True)
class Contest:
    name: str
    title: str
    contestants: Callable[[Size], Iterable[Contestant]]
    findings: Callable[[Results, Size, str], Iterable[Finding]]
    """From results, size and kind of database."""
    kinds: tuple[str, ...] = ("sqlite", "postgres")


def every() -> list[Contest]:
    # They import what stands above.
    from tests.bench.contests import connections, few, long_files, looks, many, needs_help, public, workers

    runs = [few.CONTEST, many.CONTEST, connections.CONTEST, workers.CONTEST]
    return [
        *runs,
        looks.TABLES,
        looks.PAGE,
        needs_help.LISTS,
        needs_help.FILES,
        long_files.CONTEST,
        public.ASKING,
        public.LOAD,
        public.CHOOSING,
    ]
