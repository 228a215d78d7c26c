"""What is told of a mailing that has started: how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..models import Mailing, SkipReason


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far a mailing is. `left` is how long it will take at its pace so far; None where that cannot be said.

    A paused mailing `needs_mending` where only the administrator can.
    """

    mailing: Mailing
    skips: dict[SkipReason, int]
    left: timedelta | None
    needs_mending: bool
    # Why it paused by itself, and what to do.
    why_paused: str = ""
