"""
From the promise of a mail to its delivery: the only part that knows how mail is sent.

`wake` says that there is something to do; `drain` does it; `requests` turns what
visitors typed into promises; `transport` speaks with the mail backend; `tracking`
keeps what mail providers report afterwards.
"""

from .provider import reports
from .requests import accept
from .wake import wake, wake_on_commit, wake_overdue
from .worker import drain, letter

__all__ = ["accept", "drain", "letter", "reports", "wake", "wake_on_commit", "wake_overdue"]
