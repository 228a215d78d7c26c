"""What is told of a mailing: whom it would mail, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..accounts import Member
from ..models import Mailing, SkipReason
from .known_bad import Bad
from .previewed import Judged


@dataclass(frozen=True, kw_only=True)
class Preview:
    """
    What starting would do now. `is_rule_open` says that the site's own rules may pass over more. `samples` are some of
    those who would get an email; `staff` of them may enter the admin, which is counted for files alone. `slices` are
    all, for `people`.
    """

    chosen: int
    emails: int
    skips: dict[SkipReason, int]
    samples: list[Member]
    is_rule_open: bool = False
    staff: int = 0
    slices: list[Judged] = field(default_factory=list)

    @property
    def bounced(self) -> dict[Any, Bad]:
        """Whose address does not exist, by key, be they left out or included."""
        return {key: bad for each in self.slices for key, bad in each.bounced.items()}

    @property
    def included(self) -> int:
        """How many of them are included."""
        return sum(key not in each.bad for each in self.slices for key in each.bounced)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far a mailing is. `left` is how long it will take at its pace so far; None where that cannot be said.

    A paused mailing `needs_mending` where only the administrator can, and `is_unwanted` where members' servers say so.
    """

    mailing: Mailing
    skips: dict[SkipReason, int]
    retrying: int
    left: timedelta | None
    needs_mending: bool
    is_unwanted: bool
    # Why it paused by itself, to protect the sender, and what to do.
    why_paused: str = ""
    # Members whom it wanted to reach and did not; "Try again" takes them up anew.
    missed: int = 0
