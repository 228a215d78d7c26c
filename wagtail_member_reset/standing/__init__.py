"""Where a member stands, and what happened so far."""

from .history import Entry, Step, Story, stories
from .status import Standing, Status, status

__all__ = ["Entry", "Standing", "Status", "Step", "Story", "status", "stories"]
