"""Mailings: who is chosen, how far each is, and the links and emails that its chunks become."""

from .choose import SLICE, Choice, Kind, choice_from_json, chosen_accounts, in_groups, with_ids
from .ending import finish_mailing, finish_mailings, purge_mailings
from .files import LONGEST_FILE, Matches, read_file
from .issue import Promised, issue_chunk
from .reminders import look_for_reminders
from .state import (
    cancel_unsent_links,
    count_emails,
    forgotten_chunk,
    hold_mailing,
    is_running,
    move_counters,
    next_chunk,
    next_due,
    pause_mailing,
    resume_mailing,
    start_mailing,
    stop_mailing,
    stopped_among,
    try_failed_again,
    turn_of,
)

__all__ = [
    "LONGEST_FILE",
    "SLICE",
    "Choice",
    "Kind",
    "Matches",
    "Promised",
    "cancel_unsent_links",
    "count_emails",
    "finish_mailing",
    "finish_mailings",
    "forgotten_chunk",
    "choice_from_json",
    "resume_mailing",
    "hold_mailing",
    "in_groups",
    "is_running",
    "look_for_reminders",
    "next_chunk",
    "next_due",
    "pause_mailing",
    "purge_mailings",
    "chosen_accounts",
    "read_file",
    "try_failed_again",
    "start_mailing",
    "stop_mailing",
    "stopped_among",
    "move_counters",
    "turn_of",
    "with_ids",
    "issue_chunk",
]
