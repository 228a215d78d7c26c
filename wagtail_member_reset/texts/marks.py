"""
The few marks of a text: paragraphs, **bold**, [words](address), and {placeholders}. From them the text part and the
HTML part are made. Everything else is text, also what looks like HTML or like a template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.encoding import iri_to_uri
from django.utils.html import escape

from .pieces import SLOTS, marker

PLACEHOLDER = re.compile(rf"\{{({'|'.join(SLOTS)})\}}")
INLINE = re.compile(
    r"\*\*(?P<bold>[^*\n]+)\*\*|\[(?P<words>[^\[\]\n]+)\]\((?P<target>[^()\[\]\s]+)\)|" + PLACEHOLDER.pattern
)
LINK_ALONE = "{link}"
# Gives the whole address of a link that a text may have, and None for one that it may not have.
Address = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Link:
    words: str
    target: str


def paragraphs(text: str) -> list[str]:
    """Parts between blank lines, without the empty ones."""
    parts = (part.strip() for part in re.split(r"\n[ \t]*\n", text))
    return ["\n".join(line.strip() for line in part.split("\n")) for part in parts if part]


def links(text: str) -> Iterator[Link]:
    """The links of a text, also those within bold words."""
    for found in INLINE.finditer(text):
        if found["bold"]:
            yield from links(found["bold"])
        elif found["words"]:
            yield Link(found["words"], found["target"])


def bare(text: str) -> str:
    """The text without its links, and without its placeholders: what is left for a reader, and to look through."""
    return PLACEHOLDER.sub("", INLINE.sub(lambda found: found["bold"] or found["words"] or "", text))


def plain(text: str) -> str:
    """A line without marks, for a subject: the placeholders are markers, and nothing else changes."""
    return PLACEHOLDER.sub(lambda found: marker(found[1]), text)


def as_text(text: str, address: Address) -> str:
    """The paragraph in a text part; a link is "words: address"."""

    def written(found: re.Match[str]) -> str:
        if found["bold"]:
            return as_text(found["bold"], address)
        if not found["words"]:
            return plain(found[0])
        whole, words = address(found["target"]), as_text(found["words"], address)
        return f"{words}: {whole}" if whole else words

    return _replaced(text, written, plain)


def as_html(text: str, address: Address) -> str:
    """The paragraph in an HTML part, escaped; its lines stay lines."""

    def written(found: re.Match[str]) -> str:
        if found["bold"]:
            return f"<strong>{as_html(found['bold'], address)}</strong>"
        if not found["words"]:
            return _slot_in_html(found[0][1:-1])
        whole, words = address(found["target"]), as_html(found["words"], address)
        return f'<a class="link" href="{escape(whole)}" style="color:#00676b;">{words}</a>' if whole else words

    return _replaced(text, written, lambda rest: escape(rest).replace("\n", "<br>"))


def own_address(target: str, *, origin: str, is_own: Callable[[str], bool]) -> str | None:
    """The whole address of one of the site's own pages, for `Address`; a path is one of the mail's site."""
    if not is_own(target):
        return None
    return str(iri_to_uri(origin + target if target.startswith("/") else target))


def _slot_in_html(slot: str) -> str:
    if slot == "link":
        return f'<a class="link" href="{marker(slot)}" style="color:#00676b;word-break:break-all;">{marker(slot)}</a>'
    return f"<bdi>{marker(slot)}</bdi>" if slot == "username" else marker(slot)


def _replaced(text: str, written: Callable[[re.Match[str]], str], rest: Callable[[str], str]) -> str:
    parts, at = [], 0
    for found in INLINE.finditer(text):
        parts += [rest(text[at : found.start()]), written(found)]
        at = found.end()
    return "".join([*parts, rest(text[at:])])
