"""
An email, compiled: what is the same for everybody, cut at the slots for what is not.

Whoever compiles renders with a marker for each slot. What comes out is cut at the markers, and filling is joining: one
member or a hundred thousand, preview or real mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.html import escape

from .. import languages
from ..exceptions import TemplateSlotError
from ..senders import Sender

SLOTS = ("first_name", "username", "link", "valid_until", "site_name", "support_contact", "paragraph")
# Private-use characters: no template text holds them, and no escaping changes them. The word
# between them stays behind where a filter has taken the characters away.
WORD = "mrslot-"
MARKER = re.compile(f"\ue000{WORD}([^\ue000\ue001]*)\ue001")
LEFT_OVER = re.compile(f"[\ue000\ue001]|{WORD}", re.IGNORECASE)
# In a language from right to left, what may be from left to right stands apart, also in a subject and in plain text.
ISOLATE, END = "\u2068", "\u2069"
ISOLATED = ("first_name", "username", "site_name", "support_contact")

Pieces = tuple[str, ...]  # text, slot, text, slot, …, text


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says. `repr` keeps quiet, since the text holds the link."""

    subject: str
    text: str
    html: str
    # Empty where it is the reader's own.
    language: str = ""
    # Whom it is from; none of its own is as the settings say.
    sender: Sender | None = None

    def __repr__(self) -> str:
        return "<Content>"


@dataclass(frozen=True, slots=True)
class Compiled:
    """One purpose in one language, for members with the same slots filled."""

    subject: Pieces
    text: Pieces
    html: Pieces
    language: str

    def fill(self, slots: Mapping[str, str], *, html: Mapping[str, str] | None = None) -> Content:
        """`html` has values for the HTML part that are escaped already, or that a mail service fills in."""
        escaped = {name: _in_html(value) for name, value in slots.items()} | dict(html or {})
        subject = " ".join(_join(self.subject, slots).split())
        text = _join(self.text, slots).strip() + "\n"
        return Content(subject, text, _join(self.html, escaped), self.language)


def marker(slot: str) -> str:
    return f"\ue000{WORD}{slot}\ue001"


def cut(rendered: str, template: str) -> Pieces:
    """
    What was rendered in the language of now, cut at the markers. Raises `TemplateSlotError` where one was changed.
    """
    if languages.is_right_to_left():
        for slot in ISOLATED:
            rendered = rendered.replace(marker(slot), f"{ISOLATE}{marker(slot)}{END}")
    pieces = tuple(MARKER.split(rendered))
    strange = sorted(set(pieces[1::2]) - set(SLOTS))
    if strange or any(map(LEFT_OVER.search, pieces[::2])):
        raise TemplateSlotError(
            f"{template} changes a slot ({', '.join(strange) or 'cut in two'}): "
            f"write {{{{ name }}}} without filters, with one of {', '.join(SLOTS)}."
        )
    return pieces


def _in_html(value: str) -> str:
    """As text, whatever it holds; its lines stay lines."""
    return escape(value).replace("\n", "<br>")


def _join(pieces: Pieces, values: Mapping[str, str]) -> str:
    parts = list(pieces)
    parts[1::2] = [values[name] for name in pieces[1::2]]
    for at in range(1, len(parts), 2):
        if parts[at].endswith(".") and parts[at + 1].startswith("."):  # a club that is an "e.V.", say
            parts[at + 1] = parts[at + 1][1:]
    return "".join(parts)
