"""
The measures, each in a file of this folder, found by itself.

A measure is a function that takes a `Run` (one target on its own site) and hands back figures.
It asks `run.people` for accounts before `run.settle()`, and then works through `run.adapter` alone.
"""

from __future__ import annotations

import pkgutil
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module

from tests.score.adapters import Adapter
from tests.score.figures import Figure
from tests.score.people import People
from tests.score.targets import Target


@dataclass
class Run:
    """What a measure works with. Every draw comes from `rng`, so that a seed repeats it."""

    measure: str
    target: Target
    adapter: Adapter
    seed: int
    pairs: int
    rounds: int
    kills: int
    people: People = field(init=False)
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        # By the measure's name, too: what one of them draws must not move the others' draws.
        self.rng = random.Random(f"{self.seed} {self.measure}")
        self.people = People(self.rng, family=self.measure)


Function = Callable[[Run], Iterable[Figure]]


@dataclass(frozen=True)
class Measure:
    name: str
    order: int
    run: Function


MEASURES: dict[str, Measure] = {}


def measure(name: str, *, order: int) -> Callable[[Function], Function]:
    """Register a measure. `order` says when it runs: the ones that need a quiet site come first."""

    def register(function: Function) -> Function:
        if name in MEASURES:
            raise ValueError(f"There are two measures {name}.")
        MEASURES[name] = Measure(name, order, function)
        return function

    return register


def load() -> list[Measure]:
    """Every measure of this folder, in the order in which they run."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return sorted(MEASURES.values(), key=lambda found: (found.order, found.name))
