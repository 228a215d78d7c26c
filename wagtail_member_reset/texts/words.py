"""What editors wrote for an email, and how a placeholder that has no value for a member is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

# In the order of the form.
FIELDS = ("subject", "heading", "body", "button", "footer")
# So long is a text at most, all fields together, in bytes.
MOST_BYTES = 20_000
# A line with one of these is about it, and means nothing without.
WHOLE_LINE = ("username", "valid_until", "support_contact", "paragraph")
# What a member, a site or a mailing may not have.
MAY_LACK = frozenset({"first_name", "site_name", *WHOLE_LINE})

# What may follow the word before a placeholder that goes, without making one word of two.
CLOSING = (",", ".", ":", ";", "!", "?")
AFTER_A_GAP = (*CLOSING, " ", ")", "*", "\u2026", "\u00bb", "\u201c", "\u201d", "\u2019", '"', "'")


@dataclass(frozen=True, slots=True)
class Words:
    """The fields of a text, as they were typed."""

    subject: str = ""
    heading: str = ""
    body: str = ""
    button: str = ""
    footer: str = ""

    @classmethod
    def of(cls, row: Any) -> Words:
        """Those of a row, or of a form's data, with one kind of line break and no tabs."""
        found = row if isinstance(row, Mapping) else vars(row)
        return cls(*[lines(found.get(field) or "") for field in FIELDS])

    @property
    def has_paths(self) -> bool:
        """Whether a link of it may be a path, which begins at the address of the mail's site."""
        return "](/" in self.body + self.footer

    @property
    def is_too_long(self) -> bool:
        return sum(len(field.encode(errors="replace")) for field in astuple(self)) > MOST_BYTES


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")


def without(text: str, missing: frozenset[str]) -> str:
    """
    The text for members who have no value for these slots.

    A line about one of `WHOLE_LINE` goes as a whole, unless the link stands on it. Elsewhere, the placeholder goes with
    the gap before it, and at the start of a line with the comma after it: "Hello {first_name}," is "Hello,". The gap
    stays where two words would become one.
    """
    if not missing:
        return text
    slots = "|".join(sorted(missing))
    placeholder = re.compile(rf"\*\*\{{(?:{slots})\}}\*\*|\{{(?:{slots})\}}")
    return "\n".join(_joined(placeholder.split(line)) for line in text.split("\n") if not _is_left_out(line, missing))


def _is_left_out(line: str, missing: frozenset[str]) -> bool:
    return "{link}" not in line and any(f"{{{slot}}}" in line for slot in WHOLE_LINE if slot in missing)


def _joined(parts: list[str]) -> str:
    """A line from what stands between the placeholders that go. String methods alone: an editor's line may be long."""
    kept: list[str] = []
    for at, part in enumerate(parts):
        is_last = at + 1 == len(parts)
        text = part.lstrip(" ,\u3000\xa0") if at and not kept else part
        if not is_last:
            text = _without_gap(text, before=parts[at + 1])
        if text and not (text.isspace() and not kept and not is_last):
            kept.append(text)
    return "".join(kept)


def _without_gap(text: str, *, before: str) -> str:
    bare = text.rstrip(" ")
    if before and not before.startswith(AFTER_A_GAP):
        return text
    # So that "Hello, {first_name}!" is "Hello!".
    return bare[:-1] if bare.endswith(",") and before.startswith(CLOSING) else bare
