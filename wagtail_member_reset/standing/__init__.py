"""Where a member stands, and what happened so far."""

from .history import Entry, Step, Story, stories
from .status import Standing, Status
from .status import status as status_of

__all__ = ["Entry", "Standing", "Status", "Step", "Story", "status_of", "stories"]
