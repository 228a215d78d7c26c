"""
Whether the time of the answer tells who has an account.

Three comparisons and two controls, measured in one go, in an order drawn by lot:
both controls compare accounts of the same kind, one as they are (A/A: it must find
nothing) and one with a millisecond added on one side (power: it must be found).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.score import stats
from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure
from tests.score.stats import Interval

MOST_AUC = 0.55
MOST_SHIFT_MS = 1.0
MOST_STUMP = 0.55
ADDED_MS = 1.0
WARM_UP = 30

COMPARED = ["missing", "inactive", "unusable"]
SAME, POWER = "same kind (A/A)", "same kind + 1 ms (power)"
WORDS = {"missing": "missing", "inactive": "inactive", "unusable": "without a usable password"}


@dataclass(frozen=True)
class Shot:
    """One request to time: for which comparison, in which pair, on which side."""

    comparison: str
    address: str
    added_ms: float = 0.0


@dataclass(frozen=True)
class Finding:
    """How far the two sides of one comparison can be told apart."""

    auc: Interval
    shift_ms: Interval
    stump: float
    n: int

    @property
    def is_within(self) -> bool:
        """Whether every bound is inside its limit: a test of equivalence, which too few tries cannot pass."""
        return (
            0.5 + self.auc.minus(0.5).farthest <= MOST_AUC
            and self.shift_ms.farthest <= MOST_SHIFT_MS
            and self.stump <= MOST_STUMP
        )

    @property
    def is_beyond(self) -> bool:
        """Whether a whole interval lies outside its limit: a leak that more tries would not take away."""
        return 0.5 + self.auc.minus(0.5).nearest > MOST_AUC or self.shift_ms.nearest > MOST_SHIFT_MS

    @property
    def is_apart(self) -> bool:
        """Whether there is a difference at all, however small."""
        return self.auc.minus(0.5).nearest > 0 and self.shift_ms.nearest > 0

    def __str__(self) -> str:
        auc, shift = self.auc, self.shift_ms
        return (
            f"AUC {auc.estimate:.3f} ({auc.low:.3f} to {auc.high:.3f}), "
            f"shift {shift.estimate:+.2f} ms ({shift.low:+.2f} to {shift.high:+.2f}), classifier {self.stump:.3f}"
        )

    def as_json(self) -> dict[str, object]:
        return {"auc": vars(self.auc), "shift_ms": vars(self.shift_ms), "classifier": self.stump, "n": self.n}


@measure("time", order=10)
def enumeration_by_time(run: Run) -> Iterator[Figure]:
    pairs = _pairs(run)
    warm_up = [run.people.existing() if number % 2 else run.people.missing() for number in range(WARM_UP)]
    accounts = run.people.settle()
    for address in warm_up:
        run.adapter.request(address)
    found = {name: _finding(run, times) for name, times in _timed(run, pairs).items()}
    for kind in COMPARED:
        verdict, reason = judge(found[kind], same=found[SAME], power=found[POWER])
        yield Figure(
            name=f"time: existing or {WORDS[kind]}",
            text=str(found[kind]),
            n=run.pairs,
            unit="pairs",
            control=f"A/A: {found[SAME]}; with 1 ms added: {found[POWER]}",
            verdict=verdict,
            reason=reason,
            value={
                "accounts": accounts,
                "found": found[kind].as_json(),
                "same": found[SAME].as_json(),
                "power": found[POWER].as_json(),
            },
        )


def judge(found: Finding, *, same: Finding, power: Finding) -> tuple[Verdict, str]:
    """Nothing passes beside a control that does not hold; what lies wholly beyond a limit was found all the same."""
    if found.is_beyond and not same.is_apart:
        return Verdict.FAIL, "The time tells who has an account."
    if found.n < (needed := stats.fewest_pairs(MOST_AUC - 0.5)):
        return Verdict.INCONCLUSIVE, f"Too few pairs to show that nothing is there: at least {needed} are needed."
    if not same.is_within:
        return Verdict.INCONCLUSIVE, "Host too noisy: two requests of the same kind are not inside the limits."
    if power.is_within or not power.is_apart:
        return Verdict.INCONCLUSIVE, "Host too noisy: a millisecond that was added was not found."
    if found.is_within:
        return Verdict.PASS, ""
    return Verdict.FAIL, "Not shown to be inside the limits, though the controls are."


def _pairs(run: Run) -> list[tuple[Shot, Shot]]:
    """Every pair of the run, in an order drawn by lot; each side of it first as often as last."""
    people, pairs = run.people, []
    for _ in range(run.pairs):
        for kind in COMPARED:
            pairs += [(Shot(kind, people.existing()), Shot(kind, getattr(people, kind)()))]
        pairs.append((Shot(SAME, people.existing()), Shot(SAME, people.existing())))
        pairs.append((Shot(POWER, people.existing(), ADDED_MS), Shot(POWER, people.existing())))
    run.rng.shuffle(pairs)
    return pairs


def _timed(run: Run, pairs: list[tuple[Shot, Shot]]) -> dict[str, list[tuple[float, float]]]:
    """The times in milliseconds, for each comparison."""
    times: dict[str, list[tuple[float, float]]] = {}
    for first, second in pairs:
        if run.rng.random() < 0.5:
            a, b = _time(run, first), _time(run, second)
        else:
            b, a = _time(run, second), _time(run, first)
        times.setdefault(first.comparison, []).append((a, b))
    return times


def _time(run: Run, shot: Shot) -> float:
    start = time.perf_counter_ns()
    if shot.added_ms:
        time.sleep(shot.added_ms / 1000)
    response = run.adapter.request(shot.address)
    took = (time.perf_counter_ns() - start) / 1e6
    if response.status_code >= 400:
        raise RuntimeError(f"A request was answered with {response.status_code}.")
    return took


def _finding(run: Run, times: list[tuple[float, float]]) -> Finding:
    return Finding(
        auc=stats.auc(times, rng=run.rng),
        shift_ms=stats.shift(times),
        stump=stats.stump(times, rng=run.rng),
        n=len(times),
    )
