"""The options of a mailing: how it is sent and what it says, also for another one that goes on from it."""

from __future__ import annotations

from typing import Any

from ..models import Mailing

OPTIONS = ("site", "language", "paragraph", "per_hour", "hours_from", "hours_to")
# A mailing has no higher limit.
MOST_PER_HOUR = 10_000_000


def options_of(mailing: Mailing) -> dict[str, Any]:
    """As `mailings.drafted` takes it."""
    return {name: getattr(mailing, name) for name in OPTIONS}
