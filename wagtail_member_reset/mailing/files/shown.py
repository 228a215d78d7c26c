"""Text of a file as it can be kept and shown to people: short, on one line, in its own direction, without a link."""

from __future__ import annotations

import unicodedata

from ...accounts import JOINERS
from ...redact import blank_out_pasted

LONGEST_TEXT = 200
MOST_MARKS = 3
# White space keeps words apart; joiners belong to some scripts.
KEPT = JOINERS


def shown(text: str) -> str:
    """Without control characters, directions and personal links, and with few marks on each letter."""
    text = blank_out_pasted(text[:LONGEST_TEXT])
    if text.isascii() and text.isprintable():
        return text.strip()
    kept, marks = [], 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if character.isspace() or category in ("Zl", "Zp", "Cc"):
            kept.append(" ")
        elif marks <= MOST_MARKS and (category not in ("Cf", "Cs", "Co", "Cn") or character in KEPT):
            kept.append(character)
    return " ".join("".join(kept).split())
