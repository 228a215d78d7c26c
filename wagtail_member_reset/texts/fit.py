"""
Whether a text is fit to be mailed, and what is wrong with it, by field, in the reader's words.

Asked when a text is published, and once more before it is used: who publishes by a script or at a time asks nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from django.utils.translation import gettext as _

from ..models import WITHOUT_LINK, Purpose
from ..redact import has_link
from . import marks
from .own import OwnPages
from .pieces import SLOTS, WORD
from .words import FIELDS, MOST_BYTES, Words, without

MARKED, ONE_LINE = ("body", "footer"), ("subject", "heading", "button")
# Which placeholders a field takes. A subject stands in lists and logs, so it never holds the link.
IN_A_LINE = frozenset({"first_name", "username", "valid_until", "site_name"})
IN_A_FOOTER = IN_A_LINE | {"support_contact"}
PLACES = {"subject": IN_A_LINE, "heading": IN_A_LINE, "button": frozenset({"first_name", "site_name"})}
# A member may have no value for these.
MAY_BE_EMPTY = frozenset({"first_name", "username", "support_contact", "paragraph"})
# Of the invisible characters, those that scripts and emoji are written with. The others turn or hide what is read.
JOINERS = "\u200c\u200d\u00ad"
TAGS = range(0xE0020, 0xE0080)
# What email programs make a link of by themselves. Looked for at the begin of a word alone, which keeps it quick.
BARE_ADDRESS = re.compile(
    r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:|(?<![\w/]))//[^\s)\]]+|\bwww\.[^\s)\]]+", re.IGNORECASE
)

# So many of a kind are named, since nobody reads more at once.
MOST_TOLD = 5

Problems = dict[str, list[str]]


def placeholders(purpose: str, field: str = "body") -> tuple[str, ...]:
    """Which placeholders a field of a purpose may have, in the order in which they are offered."""
    allowed = PLACES.get(field) or (IN_A_FOOTER if field == "footer" else frozenset(SLOTS))
    if purpose in WITHOUT_LINK:
        allowed -= {"link", "valid_until", "paragraph"}
    if purpose == Purpose.ADDRESS_CHANGED:  # it may reach a stranger
        allowed -= {"first_name", "username"}
    return tuple(slot for slot in SLOTS if slot in allowed)


def problems(words: Words, purpose: str, *, own: OwnPages) -> Problems:
    """What keeps a text from being mailed, by field; nothing where it is fit."""
    found: Problems = defaultdict(list)
    if words.is_too_long:
        found["body"].append(too_long())
        return dict(found)  # and nobody looks through a megabyte
    for field in FIELDS:
        text = getattr(words, field)
        found[field] += [*_missing(text, purpose, field), *_unreadable(text, field), *_braces(text, purpose, field)]
        found[field] += _addresses(text, field, own)
        found[field] += [personal_link()] if holds_link(text) else []
    return {field: messages for field, messages in found.items() if messages}


def too_long() -> str:
    return _("This text is too long: all fields together may have 20 kB.")


def personal_link() -> str:
    return _("This is a personal link: it opens somebody's account. Take it out. Each email has a link of its own.")


def holds_link(text: str) -> bool:
    """Whether somebody's personal link stands in the text, which is no placeholder. Bounded, like what it looks at."""
    return has_link(text[: 2 * MOST_BYTES])


def _missing(text: str, purpose: str, field: str) -> Iterator[str]:
    brings_link = purpose not in WITHOUT_LINK
    is_needed = field in ("subject", "heading", "body") or (field == "button" and brings_link)
    if is_needed and not text.strip():
        yield _("Write something here.")
    elif is_needed and not marks.bare(without(text, MAY_BE_EMPTY)).strip() and not ("{link}" in text and brings_link):
        yield _("Write some words beside the placeholders: some members have no name.")
    if field == "body" and brings_link and "{link}" not in text:
        yield _("Put {link} where the personal link belongs: without it, nobody can choose a password.")


def _unreadable(text: str, field: str) -> Iterator[str]:
    if field in ONE_LINE and len(text.splitlines()) > 1:
        yield _("Keep this on one line.")
    strange = sorted({f"U+{ord(sign):04X}" for sign in text if _is_strange(sign)})
    if strange or WORD in text.lower():
        signs = ", ".join(strange[:MOST_TOLD]) or WORD
        yield _("Remove the invisible or unreadable characters: %(characters)s.") % {"characters": signs}


def _is_strange(sign: str) -> bool:
    """Control characters, marks of direction, private use, and halves of characters."""
    if sign == "\n" or sign in JOINERS or ord(sign) in TAGS:
        return False
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


def _braces(text: str, purpose: str, field: str) -> Iterator[str]:
    allowed = placeholders(purpose, field)
    offered = ", ".join(f"{{{slot}}}" for slot in allowed)
    misplaced = sorted({found[1] for found in marks.PLACEHOLDER.finditer(text)} - set(allowed))
    for slot in misplaced:
        if slot == "link" and purpose not in WITHOUT_LINK:
            yield _("{link} belongs into the body alone.")
        else:
            yield _("%(placeholder)s cannot be used here. Possible: %(offered)s.") % {
                "placeholder": f"{{{slot}}}",
                "offered": offered,
            }
    strange_ones = {found[0] for found in re.finditer(r"\{[^{}]*\}?|\}", marks.PLACEHOLDER.sub(" ", text))}
    for strange in sorted(strange_ones)[:MOST_TOLD]:
        yield _("“%(text)s” is no placeholder. Braces are for these alone: %(offered)s.") % {
            "text": strange if len(strange) <= 40 else f"{strange[:39]}…",
            "offered": offered,
        }


def _addresses(text: str, field: str, own: OwnPages) -> Iterator[str]:
    rest = marks.bare(text) if field in MARKED else text
    linked = {link.target for link in marks.links(text)} if field in MARKED else set()
    typed = {found[0].rstrip(".,;:!?") for found in BARE_ADDRESS.finditer(rest)}
    elsewhere = {target for target in linked if not own(target)}
    elsewhere |= {each for each in typed if not own.has_host(each if "//" in each else f"//{each}")}
    yield from map(_elsewhere, sorted(elsewhere)[:MOST_TOLD])
    if field in MARKED and "](" in rest:
        yield _("A link is broken. Write it as [words](/page/), in one line and without spaces in the address.")


def _elsewhere(address: str) -> str:
    return _("“%(address)s” is not a page of this site. Links may lead to this site’s own pages alone.") % {
        "address": address if len(address) <= 60 else f"{address[:59]}…"
    }
