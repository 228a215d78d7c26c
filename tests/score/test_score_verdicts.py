"""What the score calls a pass, and what it must not."""

import time

import pytest

from tests.conftest import make_person
from tests.score import killing, report
from tests.score.figures import Figure, Verdict
from tests.score.measures import busy, faults, kills, long_input, promotion, races
from tests.score.measures.response import KINDS, figure_of, normalised
from tests.score.measures.timing import Finding, judge
from tests.score.stats import Interval
from wagtail_member_reset import outbox, resets


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


SURVIVED = faults.Outcome("no fault")


def test_faults_that_cost_nothing_pass():
    figure = faults.figure_of([faults.Outcome("one"), faults.Outcome("another")], control=SURVIVED)

    assert (figure.verdict, figure.text) == (
        Verdict.PASS,
        "2 of 2; mails lost 0, doubled 0; error pages 0",
    )


@pytest.mark.parametrize("cost", [{"lost": 1}, {"doubled": 1}, {"error_page": True}], ids=str)
def test_fault_that_costs_something_fails_by_name(cost):
    figure = faults.figure_of([faults.Outcome("one"), faults.Outcome("cache down", **cost)], control=SURVIVED)

    assert (figure.verdict, figure.reason) == (Verdict.FAIL, "Not survived: cache down")


def test_faults_without_a_control_that_holds_say_nothing():
    figure = faults.figure_of([faults.Outcome("one", lost=1)], control=faults.Outcome("no fault", lost=1))

    assert figure.verdict == Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({"kills": 9, "doubled": 2, "unsure": 2}, Verdict.PASS),
        ({"kills": 9, "doubled": 3, "unsure": 2}, Verdict.FAIL),
        ({"kills": 9, "lost": 1}, Verdict.FAIL),
        ({"kills": 9, "doubled": 1, "unsure": 1, "different": 1}, Verdict.FAIL),
        ({"kills": 0}, Verdict.INCONCLUSIVE),
    ],
    ids=str,
)
def test_killed_workers_may_double_what_nobody_can_know_and_lose_nothing(counts, verdict):
    assert kills.worker_figure(kills.Count(tries=10, **counts)).verdict == verdict


@pytest.mark.slow
def test_every_mail_passes_the_places_at_which_workers_are_killed(db, mailoutbox, monkeypatch):
    points, passed = kills._points(), []
    for number, point in enumerate(points):
        resets.send(make_person(f"Mia{number}"), by=None)
        with monkeypatch.context() as patch, point(1):
            patch.setattr(killing, "die", lambda number=number: passed.append(number))
            outbox.drain()

    # This mail goes over no SMTP connection.
    assert len(mailoutbox) == len(points)
    assert len(set(passed)) == len(points) - 2 * len(killing.SMTP_CALLS)


@pytest.mark.parametrize("which", ["sends", "redemptions"])
def test_anything_half_done_by_a_killed_process_fails(which):
    counts = {"sends": kills.Count(kills=5), "redemptions": kills.Count(kills=5)}
    assert kills.web_figure(**counts).verdict == Verdict.PASS

    counts[which].violations = 1

    assert kills.web_figure(**counts).verdict == Verdict.FAIL


@pytest.mark.parametrize(
    ("wrong", "is_valid", "verdict"),
    [(0, True, Verdict.PASS), (1, True, Verdict.FAIL), (0, False, Verdict.INCONCLUSIVE)],
)
def test_race_with_a_violation_fails_and_one_that_did_not_run_says_nothing(wrong, is_valid, verdict):
    figure = races.figure_of("race", "text", rounds=5, wrong=wrong, is_valid=is_valid, value={})

    assert figure.verdict == verdict


def test_threads_of_a_race_give_their_answers_and_errors_in_order():
    answers = races.at_once([lambda: 1, lambda: 1 / 0, lambda: 3])

    assert (answers[0], type(answers[1]), answers[2]) == (1, ZeroDivisionError, 3)


NOTHING, SEEN = Interval(0.5, 0.45, 0.55), Interval(0.8, 0.7, 0.9)


@pytest.mark.parametrize(
    ("found", "same", "power", "verdict"),
    [
        (NOTHING, NOTHING, SEEN, Verdict.PASS),
        (SEEN, NOTHING, SEEN, Verdict.FAIL),
        (Interval(0.2, 0.1, 0.3), NOTHING, SEEN, Verdict.FAIL),
        (Interval(0.5, 0.3, 0.7), NOTHING, SEEN, Verdict.INCONCLUSIVE),
        (NOTHING, SEEN, SEEN, Verdict.INCONCLUSIVE),
        (NOTHING, NOTHING, NOTHING, Verdict.INCONCLUSIVE),
        (SEEN, NOTHING, NOTHING, Verdict.INCONCLUSIVE),
    ],
)
def test_busy_worker_passes_beside_controls_that_hold_alone(found, same, power, verdict):
    assert busy.judge(found, same=same, power=power)[0] == verdict


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"lost": 1}, Verdict.FAIL),
        ({"slowest": 1.1}, Verdict.FAIL),
        ({"slowest": 1.1, "control": 1.2}, Verdict.INCONCLUSIVE),
        ({"is_valid": False}, Verdict.INCONCLUSIVE),
    ],
    ids=str,
)
def test_long_input_that_stops_a_worker_fails(counts, verdict):
    usual = {"n": 20, "lost": 0, "slowest": 0.1, "control": 0.1, "is_valid": True}

    assert long_input.figure_of(**{**usual, **counts}).verdict == verdict


def test_work_in_a_fork_is_stopped_when_it_takes_too_long():
    assert killing.run_within(lambda: time.sleep(60), seconds=0.1)
    assert not killing.run_within(lambda: None, seconds=60)


@pytest.mark.parametrize(
    ("taken", "works", "verdict"),
    [(0, 5, Verdict.PASS), (1, 5, Verdict.FAIL), (0, 4, Verdict.INCONCLUSIVE), (5, 0, Verdict.INCONCLUSIVE)],
)
def test_promotion_passes_only_where_no_link_takes_over_and_each_other_works(taken, works, verdict):
    figure = promotion.figure_of(
        taken={"superuser": taken, "one right more": 0}, works={"gained nothing": works}, each=5
    )

    assert figure.verdict == verdict
