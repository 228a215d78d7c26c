"""A file of members as long as any may be."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import EVERYBODY, Contest, Contestant, Results, Size
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import ratios

LINES = 500_000
MEBIBYTE = 1024 * 1024


def contestants(size: Size) -> Iterator[Contestant]:
    lines = LINES * size.count // EVERYBODY
    for name, note in (("file", ""), ("twin", ", once more: the control")):
        yield Contestant(name, f"{lines:,} lines{note}", "long_file", 0, arguments={"lines": lines})


def findings(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    yield judge(
        Goal("file of members, CPU", at_most=10),
        [found["cpu"] for found in results["file"]],
        unit=" s",
        control=Control.of(ratios(results["twin"], results["file"], lambda found: found["cpu"])),
        smaller=size.smaller,
    )
    yield judge(
        Goal("file of members, memory", at_most=200),
        [found["growth"] / MEBIBYTE for found in results["file"]],
        unit=" MiB",
        smaller=size.smaller,
    )


CONTEST = Contest("long_file", "A table with names", contestants, findings)
