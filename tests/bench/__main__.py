"""
Measures a mailing beside Django's form, allauth and a site's own loop, interleaved, and judges the goals.

Ends with 0 if every goal was met, 1 if one was not or a measurement broke, 2 if the run can claim nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import contests, databases, goals, outside, report
from tests.bench.contests import EVERYBODY, Contest, Size
from tests.bench.goals import Finding, Verdict
from tests.bench.runner import Runner
from tests.score.report import circumstances, load

ENDS = {Verdict.MET: 0, Verdict.NOT_MET: 1, Verdict.ERROR: 1, Verdict.INCONCLUSIVE: 2}
SMALLEST = 1000


def main() -> int:
    asked, start = _arguments(), time.monotonic()
    size, kinds = Size(EVERYBODY if asked.full else asked.count), asked.db or list(databases.KINDS)
    about = circumstances(database=" and ".join(kinds), members=size.count, rounds=asked.rounds)
    print(_heading(about), flush=True)
    found: list[dict[str, Any]] = []
    for kind in kinds:
        found += _on(kind, asked.only, size, asked.rounds)
    about |= {"load_after": load(), "seconds": round(time.monotonic() - start)}
    everything = [finding for each in found for finding in each["findings"]]
    print(f"\nLoad of the host before and after: {about['load_before']}, {about['load_after']}; {about['seconds']} s")
    verdict = goals.outcome(everything)
    counted = [f"{sum(each.verdict == one for each in everything)} {one.value}" for one in Verdict]
    print(f"{len(everything)} goals: {', '.join(counted)}")
    if asked.json:
        plain = [{**each, "findings": [finding.as_json() for finding in each["findings"]]} for each in found]
        asked.json.write_text(
            json.dumps({"about": about, "contests": plain, "verdict": verdict.value}, indent=2) + "\n"
        )
    return ENDS[verdict]


def _on(kind: str, only: Sequence[str] | None, size: Size, rounds: int) -> list[dict[str, Any]]:
    chosen = [each for each in contests.every() if kind in each.kinds and (not only or each.name in only)]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        kept = stack.enter_context(databases.of_kind(kind, folder))
        runner = Runner(folder, kept, stack.enter_context(outside.running()))
        return [_held(contest, runner, kind, size, rounds) for contest in chosen]


def _held(contest: Contest, runner: Runner, kind: str, size: Size, rounds: int) -> dict[str, Any]:
    results: contests.Results = {}
    contestants = list(contest.contestants(size))
    try:
        results = runner.contest(contest, size, rounds, say=_progress)
        print(report.table(contest, contestants, results, kind))
        findings = list(contest.findings(results, size, kind))
    except Exception as error:
        traceback.print_exc()
        findings = [Finding(contest.title, "nothing", Verdict.ERROR, repr(error))]
    print("", *report.goals(findings), sep="\n", flush=True)
    return {
        "contest": contest.name,
        "database": kind,
        "contestants": [asdict(each) for each in contestants],
        "rounds": results,
        "findings": findings,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    count = f"members of the large contests ({SMALLEST}, for a try; the goals ask for {EVERYBODY})"
    parser.add_argument("--count", type=int, default=SMALLEST, help=count)
    parser.add_argument("--full", action="store_true", help=f"the same as --count {EVERYBODY}")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each contest (5)")
    parser.add_argument("--db", action="append", choices=list(databases.KINDS), help="only this one (both)")
    names = [contest.name for contest in contests.every()]
    parser.add_argument("--only", action="append", choices=names, help="only this contest; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    asked = parser.parse_args()
    if asked.count < SMALLEST:
        parser.error(f"--count needs at least {SMALLEST}.")
    if asked.rounds < 1:
        parser.error("--rounds needs at least 1.")
    return asked


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _heading(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['database']}, {about['members']:,} members, medians of {about['rounds']} rounds (least to most), "
        f"{about['system']}, Python {about['python']}\n{versions}"
    )


if __name__ == "__main__":
    sys.exit(main())
