"""The entries of a list, as email programs copy it: `"Sample, Mia" <mia@club.example>; ole@club.example`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TextIO

from .addresses import LONGEST_CELL

PIECE = 64 * 1024
SEPARATORS = str.maketrans({";": ",", "\t": ",", "\r": ",", "\n": ",", "\uff0c": ",", "\uff1b": ",", "\u3001": ","})


def entries(stream: TextIO) -> Iterator[str]:
    """Each address with the name before it, and what is none."""
    stream.seek(0)
    before = ""
    for text in _texts(stream):
        # The name before an address may have a comma in it.
        before = f"{before} {text}".strip() if before else text
        if "@" in text or "\uff20" in text or len(before) > LONGEST_CELL:
            yield from _apart(before)
            before = ""
    if before.strip():
        yield before


def _texts(stream: TextIO) -> Iterator[str]:
    rest = ""
    for piece in iter(partial(stream.read, PIECE), ""):
        *whole, rest = (rest + piece).translate(SEPARATORS).split(",")
        yield from filter(str.strip, whole)
        if len(rest) > 2 * PIECE:
            yield rest
            rest = ""
    if rest.strip():
        yield rest


def _apart(text: str) -> Iterator[str]:
    """Addresses that only blanks stand between."""
    words = text.split()
    if len(words) > 1 and "<" not in text and all("@" in word for word in words):
        yield from words
    else:
        yield text
