# ruff: noqa: RUF001 - signs that look alike are what this is about
"""In which encoding a file is written: said where it is known, and never guessed in silence."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

PIECE = 1024 * 1024
HEAD = 4096
# Windows-1252: the letters of the languages that are written in it.
LETTERS = frozenset("àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝ")
# Signs, by where they may stand: before a word, behind one, or apart from both.
BEFORE, BEHIND, AROUND, APART = "„‚¡¿", "”…™®©ªº", "–—“‹›«»•§\u00a0", "€£¥½¼¾×"
# Behind these, an upper-case letter may go on with the word: "McÉwan", "MacÉwan".
MC = re.compile("(?:^|[^a-zA-Z])Ma?c$")
# UTF-8 that was taken for Windows-1252 and written as UTF-8 again: "JÃ¶rg".
DOUBLED = re.compile("[ÃÂ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[\u0080-\u00bf™œ“”˜¦¢\ufffd]")
FEWEST_DOUBLED = 3
MOST_LETTERS = 3
UNUSUAL = re.compile("[^\x00-\x7f]+")


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """
    `is_known` says that every character was read as it was meant.

    Else, what is no ASCII is read as the replacement character.
    """

    name: str
    is_known: bool = True


def encoding_of(file: BinaryIO) -> Encoding:
    """The encoding of a file, all of which is read for that."""
    file.seek(0)
    head = file.read(HEAD)
    marked = _marked(head) or _utf_16_without_mark(head)
    if marked:
        return Encoding(name=marked)
    broken, whole = _utf_8(file)
    if not broken:
        return Encoding(name="utf-8-sig", is_known=not _is_doubled(file))
    if head.startswith(codecs.BOM_UTF8) or whole >= broken:
        return Encoding(name="utf-8-sig", is_known=False)
    if all(_is_plausible(piece.decode("windows-1252", "replace")) for piece in _lines(file)):
        return Encoding(name="windows-1252")
    return Encoding(name="ascii", is_known=False)


def _marked(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""


def _utf_16_without_mark(head: bytes) -> str:
    """Of two bytes, one is zero nearly always, and always the same one."""
    pairs = len(head) // 2
    if not pairs:
        return ""
    first, second = head[: 2 * pairs : 2].count(0) / pairs, head[1 : 2 * pairs : 2].count(0) / pairs
    if second > 0.6 and first < 0.05:
        return "utf-16-le"
    return "utf-16-be" if first > 0.6 and second < 0.05 else ""


def _utf_8(file: BinaryIO) -> tuple[int, int]:
    """How many characters are no UTF-8; and how many are, and no ASCII. Both are counted where one is broken."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        for piece in iter(partial(file.read, PIECE), b""):
            decoder.decode(piece)
        # A file that was cut off may end within a character.
    except UnicodeDecodeError:
        pass
    else:
        return 0, 0
    broken = whole = 0
    for line in _lines(file):
        text = line.decode("utf-8", "replace")
        broken += text.count("\ufffd")
        whole += sum(len(run) - run.count("\ufffd") for run in UNUSUAL.findall(text))
    return broken, whole


def _is_doubled(file: BinaryIO) -> bool:
    """Whether all that is no ASCII was encoded twice; one letter as it should be speaks against it."""
    doubled = 0
    for line in _lines(file):
        if not line.isascii():
            text = line.decode("utf-8-sig", "replace")
            doubled += len(DOUBLED.findall(text))
            if not LETTERS.isdisjoint(DOUBLED.sub("", text)):
                return False
    return doubled >= FEWEST_DOUBLED


def _lines(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    return iter(partial(file.readline, PIECE), b"")


def _is_plausible(text: str) -> bool:
    """Whether somebody may have written this in Windows-1252: no symbols within words, no words of other alphabets."""
    return all(
        _is_plausible_run(text[max(run.start() - 4, 0) : run.start()], run[0], text[run.end() : run.end() + 1])
        for run in UNUSUAL.finditer(text)
    )


def _is_plausible_run(before: str, run: str, after: str) -> bool:
    if len(run) > MOST_LETTERS and LETTERS.issuperset(run):
        return False
    if run[0].isupper() and MC.search(before):
        run = run.lower()
    around = [before[-1:], *run, after]
    return all(_is_plausible_at(*around[at : at + 3]) for at in range(len(run)))


def _is_plausible_at(before: str, character: str, after: str) -> bool:
    is_behind, is_before = before.isalpha(), after.isalpha()
    if character in LETTERS:
        return not (character.isupper() and before.islower())
    if character in "œŒ":
        return after in ("u", "i", "U", "I")
    if character in "’´‘":
        # "O’Neil", "d’Arc", "Mia’s"
        return not (is_behind and is_before) or before.isupper() or after.isupper() or after == "s"
    if character in BEFORE:
        return not is_behind
    if character in BEHIND:
        return not is_before
    if character in AROUND:
        return not (is_behind and is_before)
    if character in "²³°µ":
        return _is_of_a_measure(before, character, after)
    if character in APART:
        return not (is_behind or is_before)
    return character == "\u00ad" or (character == "·" and before == after == "l")


def _is_of_a_measure(before: str, character: str, after: str) -> bool:
    is_behind, is_before = before.isalpha(), after.isalpha()
    if character == "µ":
        return not is_behind and (before.isdigit() or not is_before)
    if character == "°":
        # "n° 5" and "20 °C"
        return not is_before or (not is_behind and after in "CF")
    # Square metres. Behind another letter it is one of Polish, in another encoding.
    return not is_before and (not is_behind or before == "m")
