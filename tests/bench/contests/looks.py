"""Tables that have grown, and the page for all in the listing."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.contests import EVERYBODY, Contest, Contestant, Results, Size
from tests.bench.goals import Control, Finding, Goal, judge
from tests.bench.numbers import ratios

SMALL, LARGE = 20_000, 1_000_000
LOOKS = {
    "latest": "where a member stands",
    "link": "a link is opened",
    "sweep": "the sweep, with nothing to do",
    "pass": "a worker's pass, with nothing to do",
    "report": "the newest 50 of a state",
}


def in_tables(size: Size) -> Iterator[Contestant]:
    large = LARGE * size.count // EVERYBODY
    small = SMALL * size.count // EVERYBODY
    for name, rows, note in (("large", large, ""), ("small", small, ""), ("twin", small, ", once more: the control")):
        yield Contestant(name, f"{rows:,} resets{note}", "tables", size.count, resets=rows)


def about_tables(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    for look, title in LOOKS.items():
        yield judge(
            Goal(f"{title}: a million resets beside 20,000", at_most=3),
            ratios(results["large"], results["small"], lambda found, look=look: found[look]),
            form=".2f",
            unit="x",
            control=Control.of(ratios(results["twin"], results["small"], lambda found, look=look: found[look])),
            smaller=size.smaller,
        )


def of_pages(size: Size) -> Iterator[Contestant]:
    everybody = f"for all of {size.count:,}"
    ours = {"action": "send_member_resets"}
    yield Contestant("ours", f"ours, {everybody}", "page", size.count, arguments=ours)
    wagtail = {"action": "set_active_state"}
    yield Contestant("wagtail", f"Wagtail's (de)activation, {everybody}", "page", size.count, arguments=wagtail)
    yield Contestant("twin", f"ours, {everybody}, once more: the control", "page", size.count, arguments=ours)


def about_pages(results: Results, size: Size, kind: str) -> Iterator[Finding]:
    ours = results["ours"]
    yield judge(
        Goal("bulk action, the page for all members", at_most=200),
        [found["size"] / 1000 for found in ours],
        form=".0f",
        unit=" kB",
        smaller=size.smaller,
    )
    yield judge(
        Goal("bulk action, CPU of that page", at_most=0.3),
        [found["cpu"] for found in ours],
        form=".2f",
        unit=" s",
        control=Control.of(ratios(results["twin"], ours, lambda found: found["cpu"])),
        smaller=size.smaller,
    )


TABLES = Contest("tables", "The tables as they grow", in_tables, about_tables)
PAGE = Contest("page", "A bulk action's page", of_pages, about_pages)
