import random

import pytest

from tests.score import stats
from tests.score.stats import Interval


def times(count, *, added=0.0, seed=1):
    """Pairs of times as a host has them: some milliseconds, now and then a stall."""
    rng = random.Random(seed)

    def one():
        return rng.gauss(5, 0.5) + (20 if rng.random() < 0.02 else 0)

    return [(one() + added, one()) for _ in range(count)]


def test_auc_counts_who_took_longer_and_halves_for_ties():
    pairs = [(2.0, 1.0), (3.0, 3.0)]

    # Of the four comparisons, 2 > 1, 3 > 1 and half of 3 = 3 are won.
    assert stats.auc(pairs, rng=random.Random(1), resamples=10).estimate == 2.5 / 4


@pytest.mark.parametrize(("pairs", "expected"), [([(2, 1)] * 5, 1.0), ([(1, 2)] * 5, 0.0), ([(1, 1)] * 5, 0.5)])
def test_auc_of_certain_cases_has_no_width(pairs, expected):
    assert stats.auc(pairs, rng=random.Random(1), resamples=10) == Interval(expected, expected, expected)


def test_auc_interval_of_equals_has_the_width_that_theory_gives():
    found = stats.auc(times(400), rng=random.Random(1), resamples=500)

    assert found.low < 0.5 < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * (1 / (6 * 400)) ** 0.5, rel=0.25)


def test_shift_is_the_median_of_the_means_of_two_differences():
    # Differences 1, 2 and 6: means 1, 1.5, 2, 3.5, 4 and 6.
    assert stats.shift([(1, 0), (2, 0), (6, 0)]).estimate == pytest.approx(2.75)


def test_shift_finds_what_was_added_in_spite_of_stalls():
    found = stats.shift(times(300, added=1.0))

    assert found.low < 1.0 < found.high
    assert found.high - found.low < 0.5


def test_shift_interval_holds_the_truth_in_about_95_of_100_runs():
    missed = sum(stats.shift(times(40, seed=seed)).nearest > 0 for seed in range(200))

    assert 2 <= missed <= 22


def test_stump_learns_a_clear_threshold_in_either_direction():
    clear = [(9.0 + number / 1000, 1.0 + number / 1000) for number in range(50)]
    reversed_ = [(b, a) for a, b in clear]

    assert stats.stump(clear, rng=random.Random(1)) == 1.0
    assert stats.stump(reversed_, rng=random.Random(1)) == 1.0


def test_stump_guesses_where_there_is_nothing_to_learn():
    assert stats.stump(times(500), rng=random.Random(1)) == pytest.approx(0.5, abs=0.06)


def test_same_seed_gives_the_same_figures():
    pairs = times(50)

    first, second = (stats.auc(pairs, rng=random.Random(7), resamples=100) for _ in range(2))

    assert first == second


def test_equals_need_a_few_hundred_pairs_for_five_hundredths():
    assert 250 <= stats.fewest_pairs(0.05) <= 260
