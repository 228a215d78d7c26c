"""A hundred thousand members, and a tenth of them: how the cost grows."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import Contest, Contestant, Results, Size
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import cpu_each, ratios, statements_per_thousand

MEBIBYTE = 1024 * 1024
# Django's form reads the whole table for each mail, so a few mails tell what one costs.
SAMPLE = 40
STATEMENTS = {"postgres": 15, "sqlite": 25}


def contestants(size: Size) -> Iterator[Contestant]:
    all_, tenth = size.count, size.count // 10
    yield Contestant("all", f"ours, batch calls, {all_:,}", "run", all_, all_, way="provider")
    yield Contestant("tenth", f"ours, batch calls, {tenth:,}", "run", tenth, tenth, way="provider")
    title = f"Django's form, SMTP, {SAMPLE} of {all_:,}"
    yield Contestant("django", title, "django_form", all_, min(SAMPLE, all_), way="smtp")
    yield Contestant("twin", f"ours, batch calls, {tenth:,}: the control", "run", tenth, tenth, way="provider")


def findings(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    clocked = {"control": Control.of(ratios(results["twin"], results["tenth"], cpu_each)), "smaller": size.smaller}
    all_, tenth = results["all"], results["tenth"]
    if kind == "sqlite":
        yield judge(
            Goal("batch calls, CPU per member, times less than Django's form with all in the table", at_least=80),
            ratios(results["django"], all_, cpu_each),
            form=".0f",
            unit="x",
            **clocked,
        )
    yield judge(Goal("all members, CPU of one core", at_most=30), [each["cpu"] for each in all_], unit=" s", **clocked)
    yield judge(
        Goal("CPU per member, all beside a tenth", at_most=1.4),
        ratios(all_, tenth, cpu_each),
        form=".2f",
        unit="x",
        **clocked,
    )
    yield judge(
        Goal("batch calls, statements for 1,000 members", at_most=STATEMENTS[kind]),
        [statements_per_thousand(each) for each in all_],
        smaller=size.smaller,
    )
    yield judge(
        Goal("enqueue, CPU per member", at_most=10),
        [1e6 * each["enqueue"] / each["mails"] for each in all_],
        unit=" us",
        **clocked,
    )
    yield judge(
        Goal("most memory, all beyond a tenth", at_most=5),
        [(one["growth"] - other["growth"]) / MEBIBYTE for one, other in zip(all_, tenth, strict=True)],
        unit=" MiB",
        smaller=size.smaller,
    )


CONTEST = Contest("many", "Every member of a large table", contestants, findings)
