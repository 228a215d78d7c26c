"""The list of who needs help as it grows, and its files."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import EVERYBODY, Contest, Contestant, Results, Size
from tests.bench.contests.looks import LARGE, SMALL
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import ratios

MEBIBYTE = 1024 * 1024
PAGES = {
    "page": "the first page",
    "near": "the first page, for who may not see everybody",
    "quiet": "the first page of those not in yet",
}
MOST_STATEMENTS = {**dict.fromkeys(PAGES, 12), "domains": 12, "panel": 2, "near_panel": 2}
MOST_MEMORY = {"csv": 10, "xlsx": 20}


def in_lists(size: Size) -> Iterator[Contestant]:
    large, small = (rows * size.count // EVERYBODY for rows in (LARGE, SMALL))
    for name, rows, note in (("large", large, ""), ("small", small, ""), ("twin", small, ", once more: the control")):
        yield Contestant(name, f"{rows:,} people{note}", "lists", 0, resets=rows, filling="needing_help")


def about_lists(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    for look, title in PAGES.items():
        yield judge(
            Goal(f"needs help, {title}: a million beside 20,000", at_most=3),
            ratios(results["large"], results["small"], lambda found, look=look: found[look]["seconds"]),
            form=".2f",
            unit="x",
            control=Control.of(
                ratios(results["twin"], results["small"], lambda found, look=look: found[look]["seconds"])
            ),
            smaller=size.smaller,
        )
    for look, most in MOST_STATEMENTS.items():
        yield judge(
            Goal(f"needs help, statements: {PAGES.get(look, look)}", at_most=most),
            [found[look]["statements"] for found in results["large"]],
            form=".0f",
        )
    yield judge(
        Goal("user listing, statements beyond Wagtail's", at_most=1),
        [found["listing"]["statements"] - found["plain_listing"]["statements"] for found in results["large"]],
        form=".0f",
    )


def of_files(size: Size) -> Iterator[Contestant]:
    rows = LARGE * size.count // EVERYBODY
    # A tenth of them need action.
    yield Contestant("files", f"{rows // 10:,} rows in a file", "files", 0, resets=rows, filling="needing_help")


def about_files(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    for file, most in MOST_MEMORY.items():
        yield judge(
            Goal(f"needs help, memory for {file.upper()}", at_most=most),
            [found[file]["growth"] / MEBIBYTE for found in results["files"]],
            unit=" MiB",
            smaller=size.smaller,
        )


LISTS = Contest("needs_help", "Who needs help, as it grows", in_lists, about_lists)
FILES = Contest("needs_help_files", "Who needs help, as files", of_files, about_files)
