"""A goal, what was measured, and whether that meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from tests.bench.numbers import Spread

# How far a contestant may be from itself: in the median of the rounds, and from round to round.
OFF, APART = 0.10, 1.5


class Verdict(str, Enum):
    MET = "met"
    NOT_MET = "NOT met"
    INCONCLUSIVE = "inconclusive"
    # The measurement itself broke: that is no figure at all.
    ERROR = "ERROR"


@dataclass(frozen=True)
class Goal:
    name: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def text(self) -> str:
        return f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"

    def is_met_by(self, value: float) -> bool:
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most


@dataclass(frozen=True)
class Control:
    """One contestant measured twice in each round, as if it were two: how far the same is from the same."""

    spread: Spread

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Control:
        return cls(Spread.of(ratios))

    @property
    def is_quiet(self) -> bool:
        """Whether it is within its limits in both directions, which of the two goes first being chance."""
        is_near = 1 - OFF <= self.spread.median <= 1 / (1 - OFF)
        return is_near and self.spread.high / self.spread.low <= APART

    @property
    def text(self) -> str:
        return f"the same against itself: {self.spread.text('.2f')}"


@dataclass(frozen=True)
class Finding:
    goal: str
    measured: str
    verdict: Verdict
    reason: str = ""
    values: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict.value}


def judge(
    goal: Goal,
    values: Sequence[float],
    *,
    form: str = ".1f",
    unit: str = "",
    control: Control | None = None,
    smaller: str = "",
) -> Finding:
    """
    Whether the median of the rounds meets a goal.

    `control` is there where the values come from a clock. `smaller` says in which way the measurement
    was smaller than the goal asks for: then it claims nothing.
    """
    spread = Spread.of(values)
    measured = f"{spread.text(form)}{unit}"
    verdict = Verdict.MET if goal.is_met_by(spread.median) else Verdict.NOT_MET
    reason = ""
    if smaller:
        verdict, reason = Verdict.INCONCLUSIVE, f"Measured with {smaller}: see --full."
    elif control is not None and not control.is_quiet:
        verdict, reason = Verdict.INCONCLUSIVE, f"The machine is too noisy; {control.text}."
    return Finding(f"{goal.name}: {goal.text}{unit}", measured, verdict, reason, list(values))


def outcome(findings: Sequence[Finding]) -> Verdict:
    """The worst of them; nothing measured claims nothing."""
    for verdict in (Verdict.ERROR, Verdict.NOT_MET, Verdict.INCONCLUSIVE):
        if any(finding.verdict == verdict for finding in findings):
            return verdict
    return Verdict.MET if findings else Verdict.INCONCLUSIVE
