"""What the bench calls met, and what it must not."""

import pytest

from tests.bench import contests, report
from tests.bench.contests import Contestant, Size
from tests.bench.goals import Control, Finding, Goal, Verdict, judge, outcome
from tests.bench.numbers import Spread, cpu_each, ratios, statements_per_thousand

QUIET, NOISY = Control.of([0.98, 1.0, 1.05]), Control.of([0.7, 1.0, 1.6])
FASTER = Goal("faster", at_least=2)


def rounds(*cpu, mails=1000, statements=10):
    return [{"cpu": each, "wall": 2 * each, "statements": statements, "growth": 0, "mails": mails} for each in cpu]


def test_spread_is_median_least_and_most():
    assert Spread.of([5, 1, 3, 9, 4]) == Spread(4, 1, 9)
    assert Spread.of([5, 1, 3, 9, 4]).text(".1f") == "4.0 (1.0 to 9.0)"
    assert Spread.of([7]).text(".0f", factor=2) == "14"


def test_ratios_are_of_the_same_round_and_by_member():
    assert ratios(rounds(4, 8), rounds(1, 4, mails=500), cpu_each) == [2.0, 1.0]


def test_rounds_that_do_not_match_are_an_error():
    with pytest.raises(ValueError, match="zip"):
        ratios(rounds(1), rounds(1, 2), cpu_each)


def test_statements_are_for_a_thousand_members():
    [found] = rounds(1, mails=100_000, statements=950)

    assert statements_per_thousand(found) == 9.5


@pytest.mark.parametrize(
    ("goal", "values", "verdict"),
    [
        (FASTER, [1.0, 2.0, 9.0], Verdict.MET),
        (FASTER, [1.0, 1.9, 9.0], Verdict.NOT_MET),
        (Goal("less", at_most=5), [1.0, 5.0, 9.0], Verdict.MET),
        (Goal("less", at_most=5), [1.0, 5.1, 9.0], Verdict.NOT_MET),
    ],
)
def test_median_decides_on_a_quiet_machine(goal, values, verdict):
    assert judge(goal, values, control=QUIET).verdict == verdict


@pytest.mark.parametrize("values", [[9.0], [0.1]])
@pytest.mark.parametrize("control", [NOISY, Control.of([1.2]), Control.of([0.8]), Control.of([0.8, 1.0, 1.3])])
def test_noisy_machine_claims_nothing_either_way(values, control):
    found = judge(FASTER, values, control=control)

    assert found.verdict == Verdict.INCONCLUSIVE
    assert "too noisy" in found.reason


def test_smaller_measurement_than_the_goal_asks_for_claims_nothing():
    found = judge(FASTER, [9.0], control=QUIET, smaller="1,000 members")

    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "Measured with 1,000 members: see --full.")


def test_what_needs_no_clock_is_judged_on_any_machine():
    assert judge(FASTER, [9.0]).verdict == Verdict.MET


def finding(verdict):
    return Finding("goal", "1", verdict)


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([Verdict.MET, Verdict.MET], Verdict.MET),
        ([Verdict.MET, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.NOT_MET], Verdict.NOT_MET),
        ([Verdict.NOT_MET, Verdict.ERROR], Verdict.ERROR),
        ([], Verdict.INCONCLUSIVE),
    ],
)
def test_worst_verdict_is_the_whole_run_s(verdicts, whole):
    assert outcome([finding(verdict) for verdict in verdicts]) == whole


def invented(contest, size):
    """Rounds as the contest's contestants would hand them back, with any numbers."""
    looks = dict.fromkeys(("latest", "link", "sweep", "pass", "report"), 0.001)
    visits = {"requests": 100, "p99": 0.01}
    lists = ("page", "near", "quiet", "domains", "panel", "near_panel", "listing", "plain_listing")
    visits |= {name: {"seconds": 0.1, "statements": 1} for name in lists}
    visits |= {name: {"growth": 1000, "wall": 1.0} for name in ("csv", "xlsx")}
    found = {"cpu": 1.0, "wall": 1.0, "statements": 10, "growth": 0, "enqueue": 0.01, "size": 1000, **looks, **visits}
    return {each.name: [{**found, "mails": each.mails or 1}] * 2 for each in contest.contestants(size)}


@pytest.mark.parametrize("contest", contests.every(), ids=lambda contest: contest.name)
@pytest.mark.parametrize("size", [Size(1000), Size(contests.EVERYBODY)], ids=str)
def test_every_contest_finds_its_goals_has_a_control_and_makes_a_table(contest, size):
    contestants = list(contest.contestants(size))

    for kind in contest.kinds:
        results = invented(contest, size)
        findings = list(contest.findings(results, size, kind))
        table = report.table(contest, contestants, results, kind)

        assert findings
        # Memory needs no control.
        assert "twin" in results or contest is contests.needs_help.FILES
        assert all(each.title in table for each in contestants)


def test_goals_of_the_issue_are_all_asked_on_some_database():
    size = Size(contests.EVERYBODY)
    asked = {
        (finding.goal.rpartition(": ")[2], kind)
        for contest in contests.every()
        for kind in contest.kinds
        for finding in contest.findings(invented(contest, size), size, kind)
    }

    wanted = {"at least 10x", "at least 80x", "at least 2.2x", "at least 3.2x", "at least 6.4x", "at least 1.7x"}
    wanted |= {"at most 30 s", "at most 1.4x", "at most 15", "at most 25", "at most 100", "at most 10 us"}
    wanted |= {"at most 1.2x", "at least 8x", "at least 4x"}
    wanted |= {"at most 1", "at most 2", "at most 12", "at most 10 MiB", "at most 20 MiB"}
    wanted |= {"at most 5 MiB", "at most 3x", "at most 200 kB", "at most 0.3 s"}
    wanted |= {"at most 10 s", "at most 200 MiB"}
    assert {goal for goal, _kind in asked} == wanted
    assert ("at most 15", "postgres") in asked
    assert {("at most 25", "sqlite"), ("at least 80x", "sqlite")} <= asked


def test_column_that_nobody_has_is_left_out_and_a_cell_that_one_lacks_is_a_dash():
    contest = contests.every()[0]
    one, other = (Contestant(name, name, "run", 10) for name in ("one", "other"))
    results = {"one": [{"cpu": 2.0, "mails": 1000}], "other": [{"wall": 1.0, "mails": 1000}]}

    head, first, second = report.table(contest, [one, other], results, "sqlite").splitlines()[3:]

    assert head.split("  ")[-1] == "wall us/member"
    assert first.split() == ["one", "2000", "-"]
    assert second.split() == ["other", "-", "1000"]


def test_finding_is_written_with_verdict_goal_and_reason():
    found = Finding("faster: at least 2x", "1.5x", Verdict.INCONCLUSIVE, "Too noisy.")

    assert list(report.goals([found])) == [
        "inconclusive  faster: at least 2x; measured 1.5x",
        "              Too noisy.",
    ]
    assert found.as_json()["verdict"] == "inconclusive"
