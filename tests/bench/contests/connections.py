"""A mail server far away, where each reply takes 30 ms: what connections side by side are worth."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import Contest, Contestant, Results, Size
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import ratios, wall_each

LATE = 0.03
# For each connection, so that all take equally long to greet and to part.
MAILS = 50
SIDE_BY_SIDE = (4, 8)


def contestants(size: Size) -> Iterator[Contestant]:
    yield _with("one", 1)
    for number in SIDE_BY_SIDE:
        yield _with(str(number), number)
    yield _with("twin", SIDE_BY_SIDE[0], ", once more: the control")


def _with(name: str, number: int, note: str = "") -> Contestant:
    mails = MAILS * number
    return Contestant(
        name,
        f"ours, SMTP, {number} connection{'s' if number > 1 else ''}{note}",
        "run",
        mails,
        mails,
        way="smtp",
        late=LATE,
        settings={"WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS": number},
    )


def findings(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    control = Control.of(ratios(results["twin"], results[str(SIDE_BY_SIDE[0])], wall_each))
    for number in SIDE_BY_SIDE:
        yield judge(
            Goal(f"{number} connections at 30 ms a reply, times as fast as one", at_least=0.8 * number),
            ratios(results["one"], results[str(number)], wall_each),
            form=".2f",
            unit="x",
            control=control,
        )


CONTEST = Contest("connections", "SMTP at 30 ms for each reply", contestants, findings, kinds=("sqlite",))
