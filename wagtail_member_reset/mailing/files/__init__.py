"""Files of members, as offices have them: which accounts a table or a list names, and which column says so."""

from .found import Nobody, Unclear
from .lines import Note
from .reading import LONGEST_FILE, UNKNOWN_ENCODING, ColumnRead, FileReading, read_file

__all__ = ["LONGEST_FILE", "UNKNOWN_ENCODING", "ColumnRead", "FileReading", "Nobody", "Note", "Unclear", "read_file"]
