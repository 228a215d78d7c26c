"""How the lines of a text may come out: with and without what a member may lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, combinations

from . import marks
from .pieces import MARKER
from .words import without

# A member may have no value for these.
MAY_BE_EMPTY = frozenset({"first_name", "username", "support_contact", "paragraph"})
# Stands for the host of the mail's site, at which a path begins.
HERE = "this-site.invalid"
# What stands for a placeholder, since a value may end in a full stop or begin with one.
VALUES = ("xx", "xx.", ".xx")


def outcomes(text: str, *, is_marked: bool, is_own: Callable[[str], bool]) -> set[str]:
    """
    Each line as a member may get it in a text part, with the address of a link and without, and with markers where the
    placeholders stand.
    """
    whole = partial(marks.own_address, origin=f"https://{HERE}", is_own=is_own)
    found = set()
    for line in text.split("\n"):
        for missing in _may_lack(line):
            kept = without(line, missing)
            found |= {marks.as_text(kept, whole), marks.as_text(kept, _none)} if is_marked else {marks.plain(kept)}
    return found


def filled(word: str) -> Iterator[str]:
    """What a word with markers may read like."""
    for value in VALUES if MARKER.search(word) else ("",):
        yield MARKER.sub(value, word)


def in_braces(word: str) -> str:
    """A word as it was typed."""
    return MARKER.sub(lambda found: f"{{{found[1]}}}", word)


def _may_lack(line: str) -> Iterator[frozenset[str]]:
    slots = sorted(slot for slot in MAY_BE_EMPTY if f"{{{slot}}}" in line)
    if "{link}" not in line:  # else lines about the others go as a whole
        slots = [slot for slot in slots if slot == "first_name"]
    sizes = range(len(slots) + 1)
    return map(frozenset, chain.from_iterable(combinations(slots, size) for size in sizes))


def _none(_target: str) -> None:
    return None
