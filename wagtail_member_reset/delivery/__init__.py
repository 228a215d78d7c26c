"""
From the promise of a mail to its delivery: the only part that knows how mail is sent.

`wake` says that there is something to do; `drain` does it; `requests` turns what
visitors typed into promises; `transport` speaks with the mail backend; `tracking`
keeps what mail providers report afterwards.
"""

from ..reports.services import reports
from .letters import letter
from .requests import accept
from .wake import wake, wake_on_commit, wake_overdue, wake_run
from .worker import at_work, drain, send_chunk

__all__ = [
    "accept",
    "at_work",
    "drain",
    "letter",
    "reports",
    "send_chunk",
    "wake",
    "wake_on_commit",
    "wake_overdue",
    "wake_run",
]
