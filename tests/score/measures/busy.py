"""
Whether the site's other answers tell who has an account, while its worker does what was asked for.

Somebody asks for an address, and then asks for another page again and again. The worker of this package acts at a
random moment, so whoever watches has to look at the whole time in which it may. How long the slowest answers and
all together took is compared for members and strangers. One control compares strangers with strangers, where nothing
may be found; in the other, one side works for a while more, which must be found.

The others send within the request itself, so that there is no moment to watch: see `timing`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from unittest import mock

from tests.score import stats
from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure
from tests.score.stats import Interval

MOST_AUC = 0.6
# Shorter than a site has it, which leaves less to look through for who watches.
WAIT = (0.1, 0.4)
WATCHED_SECONDS = 0.65
PAGE = "/account/password-reset/sent/"
SLOWEST = 5
# What the second control works more: several times what an email takes.
ADDED_MS = 60.0
SIGNS = {"slowest": "the slowest answers", "all": "all answers"}
# Each pair takes four times as long as a pair of `time`.
PART = 5


@measure("busy", order=20)
def enumeration_by_busy_worker(run: Run) -> Iterator[Figure]:
    if not run.target.is_ours:
        return
    from wagtail_member_reset.outbox import requests

    count = max(run.pairs // PART, 10)
    kinds: dict[str, list[tuple[str, str]]] = {
        "asked": [(run.people.existing(), run.people.missing()) for _ in range(count)],
        "same": [(run.people.missing(), run.people.missing()) for _ in range(count)],
        "power": [(run.people.missing(), run.people.missing()) for _ in range(count)],
    }
    run.people.settle()
    shots = [(kind, pair) for kind, pairs in kinds.items() for pair in pairs]
    run.rng.shuffle(shots)
    seen: dict[str, list[tuple[dict[str, float], dict[str, float]]]] = {kind: [] for kind in kinds}
    with mock.patch.multiple(requests, SHORTEST_WAIT=WAIT[0], LONGEST_WAIT=WAIT[1]):
        for kind, (first, second) in shots:
            more = ADDED_MS if kind == "power" else 0.0
            if run.rng.random() < 0.5:
                a = _watched(run, first, more)
                b = _watched(run, second)
            else:
                b = _watched(run, second)
                a = _watched(run, first, more)
            seen[kind].append((a, b))
    found = {kind: {sign: _auc(run, pairs, sign) for sign in SIGNS} for kind, pairs in seen.items()}
    for sign, words in SIGNS.items():
        same, power = found["same"][sign], found["power"][sign]
        verdict, reason = judge(found["asked"][sign], same=same, power=power)
        yield Figure(
            name=f"busy: member or stranger, by {words} beside it",
            text=f"AUC {_words(found['asked'][sign])}",
            n=count,
            unit="pairs",
            control=f"A/A: {_words(same)}; with {ADDED_MS:.0f} ms of work added: {_words(power)}",
            verdict=verdict,
            reason=reason,
            value={kind: vars(each[sign]) for kind, each in found.items()},
        )


def judge(found: Interval, *, same: Interval, power: Interval) -> tuple[Verdict, str]:
    """Nothing passes beside a control that does not hold."""
    if same.minus(0.5).nearest > 0 or power.minus(0.5).nearest == 0:
        return Verdict.INCONCLUSIVE, "Host too noisy, or too few pairs: the controls do not hold."
    if found.minus(0.5).nearest > 0:
        return Verdict.FAIL, "The answers beside it tell who has an account."
    if 0.5 + found.minus(0.5).farthest > MOST_AUC:
        return Verdict.INCONCLUSIVE, f"Too few pairs to show that it is below {MOST_AUC}."
    return Verdict.PASS, ""


def _watched(run: Run, address: str, more_ms: float = 0.0) -> dict[str, float]:
    """What the answers of another page were like while a request for this address was done, in milliseconds."""
    from wagtail_member_reset.outbox import requests

    run.adapter.mails()
    resolve = requests.resolve_due
    with mock.patch.object(requests, "resolve_due", _with_work(resolve, more_ms) if more_ms else resolve):
        if run.adapter.request(address).status_code >= 400:
            raise RuntimeError("A request was not taken.")
        took, end = [], time.perf_counter() + WATCHED_SECONDS
        while (start := time.perf_counter()) < end:
            run.adapter._get(PAGE)
            took.append((time.perf_counter() - start) * 1000)
        run.adapter.mails()
    took.sort()
    return {"slowest": sum(took[-SLOWEST:]), "all": sum(took) / len(took)}


def _with_work(resolve: Callable[[], int], milliseconds: float) -> Callable[[], int]:
    left = [milliseconds / 1000]

    def resolve_and_work() -> int:
        led_to_none = resolve()
        end = time.thread_time() + left.pop() if left else 0.0
        while time.thread_time() < end:
            pass
        return led_to_none

    return resolve_and_work


def _auc(run: Run, pairs: list[tuple[dict[str, float], dict[str, float]]], sign: str) -> Interval:
    return stats.auc([(a[sign], b[sign]) for a, b in pairs], rng=run.rng)


def _words(auc: Interval) -> str:
    return f"{auc.estimate:.3f} ({auc.low:.3f} to {auc.high:.3f})"
