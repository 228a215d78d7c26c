"""
How far two kinds of answer can be told apart by their times. Plain Python, no guesses about distributions.

Each function takes pairs `(a, b)` that were measured one right after the other, in
an order drawn by lot. What drifts or stalls on the host hits both sides of a pair alike.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Pairs = Sequence[tuple[float, float]]

Z = 1.959964  # the normal quantile of a two-sided interval of 95 %


@dataclass(frozen=True)
class Interval:
    """An estimate, and the interval that holds the truth in 95 of 100 runs."""

    estimate: float
    low: float
    high: float

    @property
    def farthest(self) -> float:
        """The upper bound of the size, whatever the sign."""
        return max(abs(self.low), abs(self.high))

    @property
    def nearest(self) -> float:
        """The lower bound of the size: nought where the interval holds nought."""
        return 0.0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))

    def minus(self, amount: float) -> Interval:
        return Interval(self.estimate - amount, self.low - amount, self.high - amount)


def auc(pairs: Pairs, *, rng: random.Random, resamples: int = 2000) -> Interval:
    """
    The chance that one of the `a` took longer than one of the `b`: 0.5 tells nothing, 0 and 1 tell all.

    The interval comes from a bootstrap that draws pairs, not single times.
    """
    order = _order(pairs)
    size = len(pairs)
    everyone = range(size)
    estimate = _auc_of(order, [1] * size)
    drawn = []
    for _ in range(resamples):
        weights = [0] * size
        for chosen in rng.choices(everyone, k=size):
            weights[chosen] += 1
        drawn.append(_auc_of(order, weights))
    drawn.sort()
    return Interval(estimate, _quantile(drawn, 0.025), _quantile(drawn, 0.975))


def shift(pairs: Pairs) -> Interval:
    """
    By how much the `a` took longer than the `b`: the Hodges-Lehmann estimate for pairs.

    That is the median of the means of every two differences; the interval counts off as many of them
    as Wilcoxon's signed-rank test does (Hollander and Wolfe, Nonparametric Statistical Methods, 3.2 and 3.3).
    """
    differences = sorted(a - b for a, b in pairs)
    size = len(differences)
    means = sorted((differences[i] + differences[j]) / 2 for i in range(size) for j in range(i, size))
    outside = size * (size + 1) / 4 - Z * math.sqrt(size * (size + 1) * (2 * size + 1) / 24)
    cut = max(math.floor(outside) - 1, 0)
    return Interval(_quantile(means, 0.5), means[cut], means[-1 - cut])


def stump(pairs: Pairs, *, rng: random.Random, folds: int = 5) -> float:
    """
    How often an attacker who learned one threshold is right about times not seen before; 0.5 is guessing.

    Cross-validated: a threshold and its direction are chosen on four folds and judged on the fifth.
    The two times of a pair are always in the same fold.
    """
    shuffled = rng.sample(list(pairs), len(pairs))
    right = 0.0
    for fold in range(folds):
        held_out = shuffled[fold::folds]
        learned = [pair for index, pair in enumerate(shuffled) if index % folds != fold]
        threshold, above_is_a = _best_threshold(learned)
        right += sum(((a > threshold) == above_is_a) + ((b > threshold) != above_is_a) for a, b in held_out)
    return right / (2 * len(pairs))


def fewest_pairs(margin: float) -> int:
    """How many pairs an AUC needs for its interval to reach no further than `margin` to either side, for equals."""
    size = 2
    while Z * math.sqrt((2 * size + 1) / (12 * size * size)) > margin:
        size += 1
    return size


def _order(pairs: Pairs) -> list[list[tuple[int, bool]]]:
    """The pairs' indices by their times, each with whether it is an `a`; what is equal stands together."""
    times = sorted([(a, i, True) for i, (a, _) in enumerate(pairs)] + [(b, i, False) for i, (_, b) in enumerate(pairs)])
    order: list[list[tuple[int, bool]]] = []
    last = None
    for time, index, is_a in times:
        if time != last:
            order.append([])
            last = time
        order[-1].append((index, is_a))
    return order


def _auc_of(order: list[list[tuple[int, bool]]], weights: Sequence[int]) -> float:
    below, won = 0, 0.0
    for tied in order:
        if len(tied) == 1:
            index, is_a = tied[0]
            if is_a:
                won += weights[index] * below
            else:
                below += weights[index]
            continue
        a = sum(weights[index] for index, is_a in tied if is_a)
        b = sum(weights[index] for index, is_a in tied if not is_a)
        won += a * (below + b / 2)
        below += b
    total = sum(weights)
    return won / (total * total)


def _best_threshold(pairs: Pairs) -> tuple[float, bool]:
    """The threshold that is right most often, and whether what lies above it is an `a`."""
    times = sorted([(a, 1) for a, _ in pairs] + [(b, -1) for _, b in pairs])
    best, threshold, above_is_a = -1, times[0][0], True
    # How many more `a` than `b` lie at or below: far from nought means told apart.
    lead = 0
    for position, (time, step) in enumerate(times):
        lead += step
        following = times[position + 1][0] if position + 1 < len(times) else time
        if (time < following or position + 1 == len(times)) and abs(lead) > best:
            # Halfway to the next, for times that have not been seen.
            best, threshold, above_is_a = abs(lead), (time + following) / 2, lead < 0
    return threshold, above_is_a


def _quantile(ordered: Sequence[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
