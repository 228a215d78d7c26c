"""Two workers at one mailing, where each call of the mail service takes 100 ms."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import Contest, Contestant, Results, Size
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import ratios, wall_each

LATE = 0.1
MAILS = 20_000
CREWS = {"one": 1, "two": 2, "twin": 1}


def contestants(size: Size) -> Iterator[Contestant]:
    mails = min(MAILS, 10 * size.count)
    for name, processes in CREWS.items():
        title = f"ours, batch calls, {processes} worker{'s' if processes > 1 else ''}"
        note = ", once more: the control" if name == "twin" else ""
        how = {"processes": processes}
        yield Contestant(name, title + note, "workers", mails, mails, way="provider", late=LATE, arguments=how)


def findings(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    yield judge(
        Goal("two workers at 100 ms a call, times as fast as one", at_least=1.7),
        ratios(results["one"], results["two"], wall_each),
        form=".2f",
        unit="x",
        control=Control.of(ratios(results["twin"], results["one"], wall_each)),
    )


CONTEST = Contest("workers", "Batch calls at 100 ms each", contestants, findings, kinds=("postgres",))
