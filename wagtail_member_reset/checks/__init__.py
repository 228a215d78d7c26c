"""
What can be wrong with an installation, said at start, with the way out. Importing this registers every check.

An id is never used for something else, since sites silence them by number.
"""

from . import database, mail, other_pages, security, settings

__all__ = ["database", "mail", "other_pages", "security", "settings"]
