"""
The outbox: every email that is to leave, from the row that promises it to the mail backend.

`enqueue` writes the row together with its link; `wake` has it sent soon, elsewhere; `drain` sends what
is due; `accept` keeps what visitors typed until a pass of `drain` resolves it. `tell_former_address` promises a notice
to the address that an account had before.
"""

from ..texts import Content
from .background import (
    look_if_due,
    starts_with_a_visit,
    wake,
    wake_mailing,
    wake_on_commit,
    wake_overdue,
    works_by_itself,
)
from .entry import enqueue
from .former import is_told, tell_former_address
from .letter import letter_of, subject_of
from .requests import MOST_ACCOUNTS, accept, forget_requests, requests_of
from .requests import count_shared as count_shared_requests
from .requests import purge as purge_requests
from .sample import SampleSent, problems_of_draft, sample_of, sample_of_text, send_test
from .send import at_work, drain, send_chunk
from .tasks import is_configured as has_task_backend
from .unblocking import may_be_blocked, unblock

__all__ = [
    "MOST_ACCOUNTS",
    "Content",
    "SampleSent",
    "accept",
    "at_work",
    "count_shared_requests",
    "drain",
    "enqueue",
    "forget_requests",
    "has_task_backend",
    "is_told",
    "letter_of",
    "look_if_due",
    "may_be_blocked",
    "problems_of_draft",
    "purge_requests",
    "requests_of",
    "sample_of",
    "sample_of_text",
    "send_chunk",
    "send_test",
    "starts_with_a_visit",
    "subject_of",
    "tell_former_address",
    "unblock",
    "wake",
    "wake_mailing",
    "wake_on_commit",
    "wake_overdue",
    "works_by_itself",
]
