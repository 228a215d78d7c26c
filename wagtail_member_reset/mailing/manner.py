"""How a mailing is sent and what it says, for another one that goes on from it."""

from __future__ import annotations

from typing import Any

from ..models import Mailing

MANNER = ("site", "language", "paragraph", "per_hour", "hours_from", "hours_to")
# A mailing has no higher limit.
MOST_PER_HOUR = 10_000_000


def manner_of(mailing: Mailing) -> dict[str, Any]:
    """As `mailings.drafted` takes it."""
    return {name: getattr(mailing, name) for name in MANNER}
