"""What the score calls a pass, and what it must not."""

import pytest

from tests.score import report
from tests.score.figures import Figure, Verdict
from tests.score.measures.response import KINDS, figure_of, normalised
from tests.score.measures.timing import Finding, judge
from tests.score.stats import Interval


def finding(auc=0.5, shift=0.0, *, width=0.02, stump=0.5, n=1000):
    return Finding(Interval(auc, auc - width, auc + width), Interval(shift, shift - width, shift + width), stump, n)


QUIET, FOUND = finding(), finding(0.8, 1.1)


def test_equal_times_beside_good_controls_pass():
    assert judge(finding(), same=QUIET, power=FOUND) == (Verdict.PASS, "")


@pytest.mark.parametrize(
    "leak", [finding(0.54), finding(0.46), finding(shift=0.99), finding(stump=0.56), finding(0.9, 5.0)], ids=str
)
def test_bound_outside_a_limit_fails(leak):
    assert judge(leak, same=QUIET, power=FOUND)[0] == Verdict.FAIL


@pytest.mark.parametrize("same", [finding(width=0.06), finding(0.56), finding(stump=0.6)], ids=str)
def test_control_outside_its_limits_is_inconclusive(same):
    verdict, reason = judge(finding(), same=same, power=FOUND)

    assert verdict == Verdict.INCONCLUSIVE
    assert "Host too noisy" in reason


@pytest.mark.parametrize("power", [finding(), finding(0.6, 0.5, width=0.9)], ids=str)
def test_added_millisecond_that_is_not_found_is_inconclusive(power):
    assert judge(finding(), same=QUIET, power=power)[0] == Verdict.INCONCLUSIVE


def test_too_few_pairs_never_pass():
    verdict, reason = judge(finding(n=100), same=QUIET, power=FOUND)

    assert verdict == Verdict.INCONCLUSIVE
    assert "Too few pairs" in reason


def test_leak_wholly_beyond_a_limit_is_found_on_a_noisy_host_too():
    assert judge(finding(0.95, 9.0), same=finding(width=0.08), power=FOUND)[0] == Verdict.FAIL


def test_leak_beside_a_control_that_finds_one_is_inconclusive():
    assert judge(finding(0.95, 9.0), same=finding(0.7, 1.5), power=FOUND)[0] == Verdict.INCONCLUSIVE


def seen(usual=("SELECT",), **others):
    kinds = {kind: [usual] * 3 for kind in KINDS}
    return figure_of("response: SQL statements", {**kinds, **others}, unit="statements")


def test_identical_answers_pass():
    assert seen().verdict == Verdict.PASS


def test_one_answer_that_differs_fails_and_is_named():
    found = seen(inactive=[("SELECT",), ("SELECT",), ("SELECT", "INSERT")])

    assert (found.verdict, found.value["differing"]) == (Verdict.FAIL, ["inactive"])


def test_answers_that_differ_by_themselves_are_inconclusive():
    assert seen(missing=[("SELECT",), ("INSERT",), ("SELECT",)]).verdict == Verdict.INCONCLUSIVE


def test_nothing_seen_is_inconclusive():
    assert seen(usual=()).verdict == Verdict.INCONCLUSIVE


def test_statements_are_compared_without_their_values():
    one = normalised("SAVEPOINT \"s140_x1\" SELECT a1 FROM b WHERE c = 'it''s' AND d > -3.5 LIMIT 21")
    other = normalised("SAVEPOINT \"s7_x22\" SELECT a1 FROM b WHERE c = '' AND d > 4 LIMIT 21")

    assert one == other == "SAVEPOINT (name) SELECT a1 FROM b WHERE c = ? AND d > ? LIMIT ?"


def test_cursors_on_the_server_are_compared_without_their_numbers():
    assert normalised('DECLARE "_django_curs_139_sync_6" CURSOR') == normalised(
        'DECLARE "_django_curs_7_sync_41" CURSOR'
    )


def figure(verdict, name="time: existing or missing"):
    return Figure(name, "", 1, verdict, "none", reason="why")


def outcome(own, *others):
    return report.outcome({"ours": own, "leaky": list(others)}, ours="ours", known_leak="leaky")[0]


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR])
def test_one_figure_that_does_not_pass_decides(verdict):
    assert outcome([figure(Verdict.PASS), figure(verdict)], figure(Verdict.FAIL)) == verdict


def test_pass_needs_the_known_leak_found_in_the_same_run():
    own = [figure(Verdict.PASS)]

    assert outcome(own, figure(Verdict.FAIL)) == Verdict.PASS
    assert outcome(own, figure(Verdict.PASS)) == Verdict.INCONCLUSIVE
    assert outcome(own) == Verdict.INCONCLUSIVE


def test_figure_survives_its_json():
    found = figure(Verdict.INCONCLUSIVE)

    assert Figure.from_json(found.as_json()) == found
