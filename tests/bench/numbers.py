"""Rounds, and what they come to. Plain Python."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Round = dict[str, Any]
"""What one contestant was measured at, once."""
Rounds = list[Round]


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def text(self, form: str, *, factor: float = 1) -> str:
        """ "18.2 (17.5 to 19.0)" """
        low, high = (format(each * factor, form) for each in (self.low, self.high))
        median = format(self.median * factor, form)
        return median if low == high else f"{median} ({low} to {high})"


def ratios(above: Rounds, below: Rounds, value: Callable[[Round], float]) -> list[float]:
    """Round by round, since what slows the machine down slows both of one round."""
    return [value(one) / value(other) for one, other in zip(above, below, strict=True)]


def cpu_each(found: Round) -> float:
    return float(found["cpu"] / found["mails"])


def wall_each(found: Round) -> float:
    return float(found["wall"] / found["mails"])


def cpu_of_request(found: Round) -> float:
    return float(found["cpu"] / found["requests"])


def per_second(found: Round) -> float:
    return float(found["requests"] / found["wall"])


def statements_per_thousand(found: Round) -> float:
    return float(1000 * found["statements"] / found["mails"])
