"""
What is stored about one person: all of it as plain data, and its erasure.

Whose data somebody may ask for or erase is decided by `staff/permissions.py`; a command asks nobody. What each table
holds, how long and why, is told in `docs/how-to/data-protection.md`.
"""

from .deleted import forget_deleted, note_deleted
from .erased import erase
from .exported import export, note_exported

__all__ = ["erase", "export", "forget_deleted", "note_deleted", "note_exported"]
