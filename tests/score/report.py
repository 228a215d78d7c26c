"""The figures on the terminal, and what this run can claim."""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from tests.score.figures import Figure, Verdict

PACKAGES = ["wagtail-member-reset", "wagtail", "Django", "django-allauth", "django-anymail", "psycopg"]
WIDTH = 118
MARKS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "FAIL",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.ERROR: "ERROR",
}

Results = dict[str, list[Figure]]


def circumstances(*, database: str, **size: int) -> dict[str, Any]:
    """What somebody needs to know to repeat the run, or to doubt it."""
    return {
        "database": database,
        **size,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load_before": load(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
    }


def load() -> list[float]:
    """How busy the host is, over one, five and fifteen minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def table(results: Results, titles: dict[str, str]) -> str:
    lines = []
    for target, figures in results.items():
        lines += ["", titles[target], "-" * WIDTH]
        for figure in figures:
            lines += _rows(figure)
    return "\n".join(lines)


def outcome(results: Results, *, ours: str, known_leak: str) -> tuple[Verdict, list[str]]:
    """
    What the run says of this package, with the reasons.

    A pass also needs that the measures of time found out `known_leak` in the same
    run: what finds nothing anywhere proves nothing.
    """
    own = results.get(ours, [])
    if not own:
        return Verdict.INCONCLUSIVE, ["This package was not measured."]
    for verdict in (Verdict.ERROR, Verdict.FAIL, Verdict.INCONCLUSIVE):
        if reasons := [f"{figure.name}: {figure.reason}" for figure in own if figure.verdict == verdict]:
            return verdict, reasons
    timed = {figure.name for figure in own if figure.name.startswith("time:")}
    found_out = {figure.name for figure in results.get(known_leak, []) if figure.verdict == Verdict.FAIL}
    if missed := sorted(timed - found_out):
        return Verdict.INCONCLUSIVE, [f"{name}: Django's view, which leaks, was not found out." for name in missed]
    return Verdict.PASS, []


def _rows(figure: Figure) -> Iterable[str]:
    head = f"{MARKS[figure.verdict]:<13} {figure.name}"
    count = f"n = {figure.n} {figure.unit}"
    yield f"{head:<{WIDTH - len(count)}}{count}"
    for text in (figure.text, f"control: {figure.control}", figure.reason):
        yield from textwrap.wrap(text, WIDTH, initial_indent=" " * 14, subsequent_indent=" " * 16)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
