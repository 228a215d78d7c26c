"""One member's link: where it leads, whether it still stands, how it is issued and how it ends."""

from .issuer import LOG_ACTIONS, Effect, Issuer, effect_of_sending, issue_link, reissue
from .limits import is_spent_for_strangers, refusal_of_staff
from .location import PLACEHOLDER_HOSTS, base_url, is_placeholder, page_url, sender_address, site_name, url_of
from .state import (
    close,
    ending,
    erase_past_window,
    failing,
    lock_first,
    locked,
    next_erasure,
    outgrown,
    problem_of,
    purge,
    settle,
    settle_member,
    sweep,
    use,
)

__all__ = [
    "LOG_ACTIONS",
    "PLACEHOLDER_HOSTS",
    "Effect",
    "Issuer",
    "base_url",
    "close",
    "effect_of_sending",
    "ending",
    "erase_past_window",
    "failing",
    "is_placeholder",
    "is_spent_for_strangers",
    "issue_link",
    "lock_first",
    "locked",
    "next_erasure",
    "outgrown",
    "page_url",
    "problem_of",
    "purge",
    "refusal_of_staff",
    "reissue",
    "sender_address",
    "settle",
    "settle_member",
    "site_name",
    "sweep",
    "url_of",
    "use",
]
