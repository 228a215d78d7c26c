"""
How much work the email of a visitor's request is, so that a request which leads to none is as much.

Who watches a site's other answers notices what its worker does beside them, and must not learn from it who is a member.
"""

from __future__ import annotations

import time

from ..models import ResetRequest

# Until the first was measured: writing a link and its email, and sending it, in seconds of processor time.
FIRST = {"resolve": 0.008, "send": 0.008}
# So much of what is remembered is the newest.
NEWEST = 0.2
# An answer that took a second, say to set up a connection, does not count as one.
MOST = 0.2
# In a batch of more, nobody sees one email more or less. One visitor cannot make it so large.
MOST_IMITATED = 50
# Where the database takes its time, this ends before the processor time is used up.
MOST_STATEMENTS = 100

_seconds = dict(FIRST)


def begin() -> float:
    """What `note` counts from, in the same thread."""
    return time.thread_time()


def note(part: str, since: float) -> None:
    """Remember how much work this part of a member's request was."""
    took = min(time.thread_time() - since, MOST)
    _seconds[part] += NEWEST * (took - _seconds[part])


def imitate(count: int) -> None:
    """Work for as long as so many requests would have taken, with as many statements as fit into that."""
    for _request in range(min(count, MOST_IMITATED)):
        end, left = time.thread_time() + sum(_seconds.values()), MOST_STATEMENTS
        while time.thread_time() < end and left:
            ResetRequest.objects.filter(resolved_at=None).exists()
            left -= 1
