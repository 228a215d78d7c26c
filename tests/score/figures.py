"""What a measure hands back: one figure, never without its number of tries, its control and a verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Verdict(str, Enum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    # The measure itself broke: that is no figure at all.
    ERROR = "error"


@dataclass(frozen=True)
class Figure:
    name: str
    """What was measured, in words that the README may quote."""
    text: str
    """The value in words."""
    n: int
    """How many tries it rests on, with `unit` saying of what."""
    verdict: Verdict
    control: str
    """What says that the measure could have found something, and had not found what is not there."""
    unit: str = "tries"
    reason: str = ""
    """Why it is not a pass."""
    value: dict[str, Any] = field(default_factory=dict)
    """The numbers, for those who calculate with them."""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict.value}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Figure:
        return cls(**{**found, "verdict": Verdict(found["verdict"])})
