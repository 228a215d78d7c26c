"""The figures on the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence

from tests.bench.contests import Contest, Contestant, Results
from tests.bench.goals import Finding
from tests.bench.numbers import (
    Round,
    Rounds,
    Spread,
    cpu_each,
    cpu_of_request,
    per_second,
    statements_per_thousand,
    wall_each,
)
from tests.score.report import WIDTH

MEBIBYTE = 1024 * 1024
# Heading, value of a round, format, factor; a column that has nothing for anybody is left out.
Column = tuple[str, Callable[[Round], float], str, float]
COLUMNS: list[Column] = [
    ("CPU us/member", cpu_each, ".0f", 1e6),
    ("wall us/member", wall_each, ".0f", 1e6),
    ("statements/1000", statements_per_thousand, ".0f", 1),
    ("memory MiB", lambda found: found["growth"], ".1f", 1 / MEBIBYTE),
]
OF_PAGES: list[Column] = [
    ("CPU s", lambda found: found["cpu"], ".2f", 1),
    ("kB", lambda found: found["size"], ".0f", 1e-3),
    ("memory MiB", lambda found: found["growth"], ".1f", 1 / MEBIBYTE),
]
OF_TABLES: list[Column] = [
    ("latest ms", lambda found: found["latest"], ".2f", 1e3),
    ("link ms", lambda found: found["link"], ".2f", 1e3),
    ("sweep ms", lambda found: found["sweep"], ".2f", 1e3),
    ("pass ms", lambda found: found["pass"], ".2f", 1e3),
    ("report ms", lambda found: found["report"], ".2f", 1e3),
]
OF_VISITS: list[Column] = [
    ("CPU ms", cpu_of_request, ".2f", 1e3),
    ("statements", lambda found: found["statements"] / found["requests"], ".1f", 1),
    ("requests/s", per_second, ".0f", 1),
    ("p99 ms", lambda found: found["p99"], ".1f", 1e3),
]
OF_LISTS: list[Column] = [
    ("page ms", lambda found: found["page"]["seconds"], ".1f", 1e3),
    ("near ms", lambda found: found["near"]["seconds"], ".1f", 1e3),
    ("quiet ms", lambda found: found["quiet"]["seconds"], ".1f", 1e3),
    ("domains ms", lambda found: found["domains"]["seconds"], ".1f", 1e3),
    ("panel ms", lambda found: found["panel"]["seconds"], ".1f", 1e3),
    ("near panel ms", lambda found: found["near_panel"]["seconds"], ".1f", 1e3),
    ("users ms", lambda found: found["listing"]["seconds"], ".1f", 1e3),
    ("Wagtail's ms", lambda found: found["plain_listing"]["seconds"], ".1f", 1e3),
    ("page statements", lambda found: found["page"]["statements"], ".0f", 1),
]
OF_FILES: list[Column] = [
    (f"{kind} {heading}", lambda found, kind=kind, name=name: found[kind][name], form, factor)
    for kind in ("csv", "xlsx")
    for heading, name, form, factor in (("MiB", "growth", ".1f", 1 / MEBIBYTE), ("s", "wall", ".1f", 1))
]
OF_LONG_FILES: list[Column] = [
    ("CPU s", lambda found: found["cpu"], ".1f", 1),
    ("memory MiB", lambda found: found["growth"], ".1f", 1 / MEBIBYTE),
]
OTHERS = {
    "page": OF_PAGES,
    "tables": OF_TABLES,
    "needs_help": OF_LISTS,
    "needs_help_files": OF_FILES,
    "long_file": OF_LONG_FILES,
    **dict.fromkeys(("public", "load", "password"), OF_VISITS),
}
MISSING = "-"


def table(contest: Contest, contestants: Sequence[Contestant], results: Results, kind: str) -> str:
    columns = OTHERS.get(contest.name, COLUMNS)
    rows = [["", *(heading for heading, *_ in columns)]]
    rows += [[each.title, *_cells(results[each.name], columns)] for each in contestants]
    kept = [column for column in zip(*rows, strict=True) if set(column[1:]) != {MISSING}]
    widths = [max(map(len, column)) for column in kept]
    lines = [
        "  ".join(_fitted(cell, width, index) for index, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in zip(*kept, strict=True)
    ]
    return "\n".join(["", f"{contest.title} ({kind})", "-" * WIDTH, *(line.rstrip() for line in lines)])


def goals(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        head = f"{finding.verdict.value:<13} {finding.goal}"
        yield from textwrap.wrap(f"{head}; measured {finding.measured}", WIDTH, subsequent_indent=" " * 16)
        yield from textwrap.wrap(finding.reason, WIDTH, initial_indent=" " * 14, subsequent_indent=" " * 16)


def _cells(rounds: Rounds, columns: Sequence[Column]) -> Iterator[str]:
    for _heading, value, form, factor in columns:
        try:
            yield Spread.of([value(found) for found in rounds]).text(form, factor=factor).replace(" to ", "-")
        except (KeyError, ZeroDivisionError):  # this contest does not measure it
            yield MISSING


def _fitted(cell: str, width: int, index: int) -> str:
    return cell.rjust(width) if index else cell.ljust(width)
