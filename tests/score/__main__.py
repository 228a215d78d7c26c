"""
Measures this package, Django's reset view, Wagtail's admin reset and django-allauth, each in a process of its own.

Ends with 0 if this package passed, 1 if it failed or a measure broke, 2 if the run can claim nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.score import report
from tests.score.figures import Figure, Verdict
from tests.score.report import Results
from tests.score.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
TITLES = {target.name: target.title for target in TARGETS.values()}
ENDS = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.ERROR: 1, Verdict.INCONCLUSIVE: 2}


def main() -> int:
    asked = _arguments()
    about = report.circumstances(
        database=asked.db, seed=asked.seed, pairs=asked.pairs, rounds=asked.rounds, kills=asked.kills
    )
    print(_summary(about), flush=True)
    results: Results = {}
    for target in asked.target or TITLES:
        start = time.monotonic()
        results[target] = _measured(target, asked)
        print(f"{TITLES[target]}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    about["load_after"] = report.load()
    print(report.table(results, TITLES))
    verdict, reasons = report.outcome(results, ours="ours", known_leak="django_view")
    print("", f"Load of the host before and after: {about['load_before']}, {about['load_after']}", sep="\n")
    part = f", by {', '.join(asked.only)} alone" if asked.only else ""
    print(f"{TITLES['ours']}: {report.MARKS[verdict]}{part}", *reasons, sep="\n  ")
    if asked.json:
        figures = {target: [figure.as_json() for figure in found] for target, found in results.items()}
        whole = {"about": about, "figures": figures, "verdict": verdict.value, "reasons": reasons}
        asked.json.write_text(json.dumps(whole, indent=2) + "\n")
    return ENDS[verdict]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make score", description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000, help="pairs for each comparison (1000; 100 for a try)")
    parser.add_argument("--rounds", type=int, default=500, help="rounds of each race, 16 threads each (500)")
    parser.add_argument("--kills", type=int, default=200, help="processes killed (200)")
    parser.add_argument("--db", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--seed", type=int, default=20240229)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    parser.add_argument("--target", action="append", choices=list(TITLES), help="only this one; may be repeated")
    parser.add_argument("--only", action="append", metavar="MEASURE", help="only this measure; may be repeated")
    asked = parser.parse_args()
    if asked.pairs < 10:
        parser.error("--pairs needs at least 10.")
    return asked


def _measured(target: str, asked: argparse.Namespace) -> list[Figure]:
    """A target's figures, from a process in which nothing else is configured."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "figures.json"
        size = {"seed": asked.seed, "pairs": asked.pairs, "rounds": asked.rounds, "kills": asked.kills}
        order = {"target": target, "size": size, "only": asked.only, "to": str(answer)}
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": f"tests.score.sites.{target}",
            "SCORE_DB": asked.db,
            # Sets are walked through in the same order in every run.
            "PYTHONHASHSEED": "0",
        }
        command = [sys.executable, "-m", "tests.score.child", json.dumps(order)]
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if ended.returncode or not answer.exists():
            reason = f"The process ended with {ended.returncode}; what it said stands above."
            return [Figure("site", "not measured", 0, Verdict.ERROR, "none", reason=reason)]
        return [Figure.from_json(found) for found in json.loads(answer.read_text())]


def _summary(about: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return f"{about['database']}, seed {about['seed']}, {about['system']}, Python {about['python']}\n{versions}"


if __name__ == "__main__":
    sys.exit(main())
