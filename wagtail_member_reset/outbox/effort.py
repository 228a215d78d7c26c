"""
How much work the email of a visitor's request is, so that a request which leads to none is as much.

Who watches a site's other answers notices what its worker does beside them, and shall learn little from it about who is
a member. What is alike is about the processor time, not its moment within a pass, nor what else the email needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..models import ResetRequest

# Until the first was measured: writing a link and its email, and sending it, in seconds of processor time. Each process
# measures for itself, so one that is forked for each task, as RQ's are, measures in vain and always uses these.
FIRST = {"resolve": 0.008, "send": 0.008}
# So much of what is remembered is the newest.
NEWEST = 0.2
# An answer that took a second, say to set up a connection, does not count as one.
MOST = 0.2
# So many seconds of a pass, in all: emails that come in meanwhile wait for its end.
MOST_OF_A_PASS = 1.0

Clock = Callable[[], float]

_seconds = dict(FIRST)


def begin() -> float:
    """What `note` counts from, in the same thread."""
    return time.thread_time()


def note(part: str, since: float) -> None:
    """Remember how much work this part of a member's request was."""
    took = min(time.thread_time() - since, MOST)
    _seconds[part] += NEWEST * (took - _seconds[part])


def imitate(count: int, *, work: Clock = time.thread_time, clock: Clock = time.monotonic) -> None:
    """
    Work for as long as so many requests would have taken, `MOST_OF_A_PASS` at most.

    With as many statements as fit into that. Where the database takes its time, `clock` ends it.
    """
    end, latest = work() + count * sum(_seconds.values()), clock() + MOST_OF_A_PASS
    while work() < end and clock() < latest:
        ResetRequest.objects.filter(resolved_at=None).exists()
