"""
From the promise of a mail to its delivery: the only part that knows how mail is sent.

`wake` says that there is something to do; `drain` does it; `requests` turns what
visitors typed into promises; `transport` speaks with the mail backend.
"""

from .requests import accept
from .wake import wake, wake_on_commit, wake_overdue
from .worker import drain

__all__ = ["accept", "drain", "wake", "wake_on_commit", "wake_overdue"]
