"""
A few hundred kilobytes of marks on one letter, which take half a minute to compose: as the address, in the link, as the
password. A page that stops for it has lost a worker, and a few such requests stop a site.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.score import killing
from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure

MOST_SECONDS = 1.0
# Who is at it longer than that is stopped, and counts as lost.
PATIENCE = 10.0
MARKS = "\u0327\u0301" * 117_000
# What the test client has to encode, and Django to decode, whatever the view does with it.
PLAIN = "a" * len(MARKS.encode())
EACH = 5


@measure("long_input", order=65)
def long_input(run: Run) -> Iterator[Figure]:
    asked = run.people.existing()
    run.people.settle()
    run.adapter.request(asked)
    link = run.adapter.link_to(asked)
    head = link.rstrip("/").rpartition("/")[0]

    def tries(text: str) -> list[Callable[[], Any]]:
        return [
            lambda: run.adapter.request(text + "@members.example"),
            lambda: run.adapter.request("a@" + text + ".example"),
            lambda: run.adapter.open(f"{head}/a{text[:2000]}/"),
            lambda: run.adapter.set_password(link, "a" + text),
        ]

    found = [_seconds(work) for work in tries(MARKS) for _ in range(EACH)]
    controls = [_seconds(work) for work in tries(PLAIN)]
    lost = sum(each is None for each in found)
    slowest = max((each for each in found if each is not None), default=0.0)
    control = max((each for each in controls if each is not None), default=PATIENCE)
    yield figure_of(n=len(found), lost=lost, slowest=slowest, control=control, is_valid=bool(link))


def figure_of(*, n: int, lost: int, slowest: float, control: float, is_valid: bool) -> Figure:
    if not is_valid:
        verdict, reason = Verdict.INCONCLUSIVE, "There was no link."
    elif lost or slowest > MOST_SECONDS:
        verdict, reason = Verdict.FAIL, f"A request took longer than {MOST_SECONDS:.0f} s."
    else:
        verdict, reason = Verdict.PASS, ""
    if verdict == Verdict.FAIL and control > MOST_SECONDS:
        verdict, reason = Verdict.INCONCLUSIVE, "Host too slow: plain letters took as long."
    return Figure(
        name="long input",
        text=f"slowest answer {slowest:.2f} s, workers lost {lost}",
        n=n,
        unit="requests",
        control=f"as many plain letters: {control:.2f} s",
        verdict=verdict,
        reason=reason,
        value={"lost": lost, "slowest": slowest, "control": control},
    )


def _seconds(work: Callable[[], Any]) -> float | None:
    """How long it took in a process of its own; None where that had to be stopped."""
    start = time.perf_counter()
    is_lost = killing.run_within(work, seconds=PATIENCE)
    return None if is_lost else time.perf_counter() - start
