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

from ..accounts import UNSEEN
from ..models import NAMELESS, WITHOUT_LINK
from ..redact import has_link
from . import marks
from .elsewhere import AROUND, is_elsewhere
from .outcomes import HERE, MAY_BE_EMPTY, filled, in_braces, outcomes
from .own import OwnPages
from .pieces import LEFT_OVER, MARKER, SLOTS, WORD, marker
from .words import FIELDS, MOST_BYTES, Words, without

MARKED, ONE_LINE = ("body", "footer"), ("subject", "heading", "button")
# Which placeholders a field takes. A subject stands in lists and logs, so it never holds the link.
IN_A_LINE = frozenset({"first_name", "username", "valid_until", "site_name"})
IN_A_FOOTER = IN_A_LINE | {"support_contact"}
PLACES = {"subject": IN_A_LINE, "heading": IN_A_LINE, "button": frozenset({"first_name", "site_name"})}
# Invisible characters that scripts are written with: between letters, and behind some of them.
JOINERS = "\u200c\u200d\u00ad"
# Flags that end in tags, and what chooses a form of the character before: of emoji, Mongolian letters, and ideographs.
SEQUENCES = re.compile(
    "\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f|(?<=[^\\w\\s])[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    "|(?<=[\u1800-\u18af])[\u180b-\u180f]|(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
)
INVISIBLE_BEYOND = range(0xE0000, 0xE1000)
# What may follow a personal link: neither email programs nor our own reading take it for a part of one.
AFTER_LINK = ".,;:!?"

# Words with a full stop between: often no address at all.
LIKE_PROSE = re.compile(r"(?!www\.)\w+(?:\.\w+)+", re.IGNORECASE)
# So many of a kind are named, since nobody reads more at once.
MOST_TOLD = 5

Problems = dict[str, list[str]]


def placeholders(purpose: str, field: str = "body") -> tuple[str, ...]:
    """Which placeholders a field of a purpose may have, in the order in which they are offered."""
    allowed = PLACES.get(field) or (IN_A_FOOTER if field == "footer" else frozenset(SLOTS))
    if purpose in WITHOUT_LINK:
        allowed -= {"link", "valid_until", "paragraph"}
    if purpose in NAMELESS:
        allowed -= {"first_name", "username"}
    return tuple(slot for slot in SLOTS if slot in allowed)


def problems(words: Words, purpose: str, *, own: OwnPages, may_lack_parts: bool = False) -> Problems:
    """
    What keeps a text from being mailed, by field; nothing where it is fit. With `may_lack_parts`, what keeps it even
    from being mailed as a test to who writes it.
    """
    found: Problems = defaultdict(list)
    if words.is_too_long:
        found["body"].append(too_long())
        return dict(found)  # and nobody looks through a megabyte
    for field in FIELDS:
        text = getattr(words, field)
        found[field] += [] if may_lack_parts else _missing(text, purpose, field)
        found[field] += _braces(text, purpose, field)
        mailed = outcomes(text, is_marked=field in MARKED, is_own=own)
        found[field] += [*_unreadable(text, mailed, field), *_addresses(text, mailed, field, own)]
        found[field] += [personal_link()] if holds_link(text) else []
    return {field: messages for field, messages in found.items() if messages}


def too_long() -> str:
    return _("This text is too long: all fields together may have 20 kB.")


def personal_link() -> str:
    return _("This is a personal link: it opens somebody’s account. Take it out. Each email has a link of its own.")


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


def _unreadable(text: str, mailed: set[str], field: str) -> Iterator[str]:
    if field in ONE_LINE and len(text.splitlines()) > 1:
        yield _("Keep this on one line.")
    strange = sorted({f"U+{ord(sign):04X}" for sign in SEQUENCES.sub("", text) if _is_strange(sign)})
    # What `cut` refuses, in each case in which it would.
    if strange or any(LEFT_OVER.search(part) for each in mailed for part in MARKER.split(each)[::2]):
        signs = ", ".join(strange[:MOST_TOLD]) or WORD
        yield _("Remove the invisible or unreadable characters: %(characters)s.") % {"characters": signs}


def _is_strange(sign: str) -> bool:
    """Control characters, marks of direction, private use, halves of characters, and whatever nobody sees."""
    if sign == "\n" or sign in JOINERS:
        return False
    if sign in UNSEEN or ord(sign) in INVISIBLE_BEYOND:
        return True
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


def _braces(text: str, purpose: str, field: str) -> Iterator[str]:
    allowed = placeholders(purpose, field)
    offered = ", ".join(f"{{{slot}}}" for slot in allowed)
    misplaced = sorted({found[1] for found in marks.PLACEHOLDER.finditer(text)} - set(allowed))
    for slot in misplaced:
        if slot == "link" and purpose not in WITHOUT_LINK:
            yield _("{link} belongs in the body only.")
        else:
            yield _("%(placeholder)s cannot be used here. Possible: %(offered)s.") % {
                "placeholder": f"{{{slot}}}",
                "offered": offered,
            }
    strange_ones = {found[0] for found in re.finditer(r"\{[^{}]*\}?|\}", marks.PLACEHOLDER.sub(" ", text))}
    for strange in sorted(strange_ones)[:MOST_TOLD]:
        yield _("“%(text)s” is not a placeholder. Braces are for these only: %(offered)s.") % {
            "text": strange if len(strange) <= 40 else f"{strange[:39]}…",
            "offered": offered,
        }


def _addresses(text: str, mailed: set[str], field: str, own: OwnPages) -> Iterator[str]:
    links = list(marks.links(text)) if field in MARKED else []
    said = {word for each in mailed for word in each.split()}
    if any(_touches_link(word) for word in said) or any("{link}" in link.words for link in links):
        yield _("Leave a space before and after {link}: what touches it becomes a part of the address.")
    elsewhere = {link.target for link in links if not own(link.target)}
    elsewhere |= {in_braces(word) for word in said if _leads_elsewhere(word, own)}
    # Nobody's personal link is quoted: a message is kept in a cookie.
    yield from map(_elsewhere, [each for each in sorted(elsewhere) if not holds_link(each)][:MOST_TOLD])
    if field in MARKED and "](" in marks.bare(text):
        yield _("A link is broken. Write it as [words](/page/), on one line and without spaces in the address.")


def _touches_link(word: str) -> bool:
    return marker("link") in word and word.rstrip(AFTER_LINK) != marker("link")


def _leads_elsewhere(word: str, own: OwnPages) -> bool:
    """Whether a word of an email would lead elsewhere, whatever its placeholders become."""

    def is_own(host: str) -> bool:
        return host == HERE or own.has_host(f"//{host}")

    return any(is_elsewhere(each, is_own_host=is_own, is_own_name=own.has_name) for each in filled(word))


def _elsewhere(address: str) -> str:
    shown = address if len(address) <= 60 else f"{address[:59]}…"
    if LIKE_PROSE.fullmatch(address.strip(AROUND)):
        return _(
            "“%(address)s” reads like an address, and email programs turn it into a link. Write a space after the full "
            "stop, or remove the full stop."
        ) % {"address": shown}
    return _("“%(address)s” is not a page of this site. Links may lead to this site’s own pages only.") % {
        "address": shown
    }
