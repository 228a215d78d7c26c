"""One member's link: where it leads, whether it still stands, how it is issued and how it ends."""

from .handed_out import hand_out
from .issuer import LOG_ACTIONS, Effect, Issuer, effect_of_sending, reissue, take_up
from .limits import is_spent_for_mailings, is_spent_for_strangers, refusal_of_staff
from .location import (
    LocationProblem,
    admin_url,
    base_url,
    has_refused_host,
    leads_nowhere,
    page_url,
    problem_of_location,
    sender_address,
    site_name,
    url_of,
)
from .state import (
    close,
    close_inactive,
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
from .upgrades import follow as follow_upgrade
from .upgrades import is_upgrading
from .upgrades import notice as notice_upgrade
from .viewers import has_viewed, note_copier, note_viewer

__all__ = [
    "LOG_ACTIONS",
    "Effect",
    "Issuer",
    "LocationProblem",
    "admin_url",
    "base_url",
    "close",
    "close_inactive",
    "effect_of_sending",
    "ending",
    "erase_past_window",
    "failing",
    "follow_upgrade",
    "hand_out",
    "has_refused_host",
    "has_viewed",
    "is_spent_for_mailings",
    "is_spent_for_strangers",
    "is_upgrading",
    "leads_nowhere",
    "lock_first",
    "locked",
    "next_erasure",
    "note_copier",
    "note_viewer",
    "notice_upgrade",
    "outgrown",
    "page_url",
    "problem_of",
    "problem_of_location",
    "purge",
    "refusal_of_staff",
    "reissue",
    "sender_address",
    "settle",
    "settle_member",
    "site_name",
    "sweep",
    "take_up",
    "url_of",
    "use",
]
