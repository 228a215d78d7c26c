"""The entries of a list, as email programs copy it: `"Sample, Mia" <mia@club.example>; ole@club.example`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TextIO

from .addresses import LONGEST_CELL
from .words import OTHER_FIELDS, RECIPIENTS

PIECE = 64 * 1024
# But for a comma, with a blank behind it: a comma without one may stand within an address, for a dot.
SEPARATORS = str.maketrans({**dict.fromkeys(";\t\r\n\uff1b\u3001", ", "), "\uff0c": ","})
# A mail that was pasted begins with some of these lines.
LOOKED_AT = 20
LONGEST_FIELD = 20


def is_mail(lines: list[str]) -> bool:
    """Whether these begin as a mail does: with a line of recipients, and another field."""
    fields = [_field(line) for line in islice(lines, LOOKED_AT) if not line.startswith(("-", "_"))]
    is_begun = bool(fields) and (fields[0] in RECIPIENTS or fields[0] in OTHER_FIELDS)
    known = {field for field in fields if field in RECIPIENTS or field in OTHER_FIELDS}
    return is_begun and len(known) > 1 and not known.isdisjoint(RECIPIENTS)


def entries(stream: TextIO) -> Iterator[str]:
    """Each address with the name before it, and what is none; of a mail, those of the recipients alone."""
    stream.seek(0)
    head = [line for line in stream.read(PIECE).splitlines() if line.strip()]
    stream.seek(0)
    before = ""
    for text in _parted(_recipients(stream)) if is_mail(head) else _texts(stream):
        # The name before an address may have a comma in it.
        before = f"{before.strip()},{text}" if before and not text[0].isspace() else f"{before}{text}".strip()
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


def _field(line: str) -> str:
    name, colon, _rest = line.lstrip("\ufeff >*")[: LONGEST_FIELD + 1].partition(":")
    return "".join(name.replace("*", "").lower().split()) if colon else ""


def _recipients(stream: TextIO) -> Iterator[str]:
    """The lines of a mail that say to whom it goes, up to its text."""
    is_wanted = has_begun = False
    for line in iter(partial(stream.readline, PIECE), ""):
        field = _field(line)
        if not line.strip() and has_begun:
            return
        if field in RECIPIENTS or field in OTHER_FIELDS:
            has_begun, is_wanted = True, field in RECIPIENTS
        elif field and not line[0].isspace() and "@" not in field:
            is_wanted = False
        if is_wanted:
            yield line.partition(":")[2] if field in RECIPIENTS else line


def _parted(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield from filter(str.strip, line.translate(SEPARATORS).split(","))


def _apart(text: str) -> Iterator[str]:
    """Addresses that only blanks stand between."""
    words = text.split()
    if len(words) > 1 and "<" not in text and all("@" in word for word in words):
        yield from words
    else:
        yield text
