"""The addresses in a cell, whatever mail programs, spreadsheets and people write around them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import islice

from ...accounts import clean_address
from . import words as column_words
from .former import are_former, may_say_so

LONGEST_CELL = 1_000
MOST_ADDRESSES = 20
# Nearly all cells hold one address, and nothing else.
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9.-]*[A-Za-z0-9]")
# As mail programs write it, behind a name. Nothing in it is escaped, a label, a separator or invisible.
NAMED = re.compile(f"([A-Za-z0-9\u00c0-\u024f ,.'\"-]*<)({PLAIN.pattern})>")
# What stands beside an address, and never in one: quotes, brackets, and separators of lists.
WORDS = re.compile(
    '[^\\s<>()\\[\\]{}",;|:\\\\\u201c\u201d\u201e\u00ab\u00bb\uff1c\uff1e\uff08\uff09\uff0c\uff1b\uff1a\u3001]+'
)
OPENING, CLOSING = "<([{\uff1c\uff08", ">)]}\uff1e\uff09"
CHUNKS = re.compile("[^\\s<>()\\[\\]{}\uff1c\uff1e\uff08\uff09]+")
# Between two addresses these separate them; beside any other word they may be a dot that was typed wrong.
LISTED = ",;|:\uff0c\uff1b\uff1a\u3001"
SEPARATORS = re.compile(f"([{LISTED}/&+]+)")
NAME_PARTS = re.compile("[._-]")
MARKS = '"\u201c\u201d\u201e\u00ab\u00bb'
MARKED = re.compile(f"[\\\\{MARKS}]+")
QUOTES = "'\u2018\u2019\u201a\u201b`\u00b4"
# What people put before and behind an address.
BEFORE, BEHIND = QUOTES + "*\u2022\u00b7-\u2013\u2014.=+#", QUOTES + "*.-\u2013\u2014!"
# Where the domain ends.
ENDS = "?/&#!*%="
# Never within an address; one that was stored with quotation marks is found as it stands.
GLUE = frozenset(LISTED + MARKS + "\\")
# An address goes on behind these, in the next line.
GOES_ON = "._-+=&"
LABEL = re.compile(r"(?<![\w.'+-])([^\W\d_][\w-]{0,30}):(?=\S)")
OTHER_KIND = re.compile(r"[;,|](?=(?:smtp|mailto|sip|x\d{3}):)", re.IGNORECASE)
SCHEMES = frozenset({"mailto", "smtp", "sip"})
ENTITY = re.compile(r"&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z][A-Za-z0-9]{1,30});")
MOST_ESCAPED = 3  # times that one export escaped what another had escaped
PERCENT = re.compile("%([2-6][0-9A-Fa-f]|7[0-9A-Ea-e]|0[9ADad])")
BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)


def addresses_in(text: str) -> list[list[str]]:
    """
    The addresses in a text, each with what it may be: as it stands first, then without what was put around it.

    A piece of an address is none: one that was torn from its neighbour is given as a whole, or without any reading.
    Where there are pointed brackets with addresses, these alone count: what stands before is a name.
    """
    if len(text) <= LONGEST_CELL and PLAIN.fullmatch(text):
        return [[text]]
    if "@" not in text and text.isascii() and "%40" not in text and "&" not in text:
        return []
    if len(text) <= LONGEST_CELL and (named := NAMED.fullmatch(text)) and not may_say_so(named[1]):
        return [[named[2]]]
    text = _unescaped(_whole_words(text))
    if "@" not in text:
        return []
    labelled = MARKED.sub(_mark, OTHER_KIND.sub(" ", text))
    text = _without_labels(labelled)
    brackets, has_primary = _in_brackets(text), "SMTP:" in labelled
    found = []
    for start, word in islice(_words(text), MOST_ADDRESSES):
        # Of the addresses of an Exchange account, the primary one is written in capitals.
        if has_primary and labelled[:start].endswith("smtp:"):
            continue
        is_meant = not brackets or any(first <= start < last for first, last in brackets)
        if is_meant and (readings := _readings(word)):
            is_torn = _is_torn(text, start, start + len(word))
            found.append((start, start + len(word.rstrip("-=~")), [] if is_torn else readings))
    if not found:
        return _apart(text)
    starts, ends, readings_of = zip(*found, strict=True)
    between = [text[first:last] for first, last in zip((0, *ends), (*starts, len(text)), strict=True)]
    return [readings for readings, is_past in zip(readings_of, are_former(between), strict=True) if not is_past]


def without_addresses(text: str) -> str:
    """What else stands in the cell: a name, perhaps."""
    if len(text) <= LONGEST_CELL and PLAIN.fullmatch(text):
        return ""
    words = WORDS.findall(text[:LONGEST_CELL])
    return " ".join(word for word in words if "@" not in word)


def is_nothing_else(text: str) -> bool:
    """Whether a cell holds addresses, and at most names that go with them as mail programs write it."""
    text = text[:LONGEST_CELL]
    if text.count('"') % 2:
        return False
    if "<" in text or "(" in text:
        return '"' not in text.strip().strip('"') and not any(sign in text for sign in ",;\t|")
    return all("@" in word for word in WORDS.findall(text) if word.lower() not in ("mailto", "smtp"))


def _whole_words(text: str) -> str:
    """As much of the text as is read, and no word of which the end is missing."""
    if len(text) <= LONGEST_CELL:
        return text
    *whole, _last = text[: LONGEST_CELL + 1].rsplit(None, 1)
    return text[:LONGEST_CELL] if text[LONGEST_CELL].isspace() else "".join(whole)


def _unescaped(text: str) -> str:
    """Without what web pages and links escape, and without what nobody sees."""
    for _time in range(MOST_ESCAPED):
        if "&" not in text or ";" not in text:
            break
        text = ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if "%40" in text or "mailto:" in text.lower():
        text = PERCENT.sub(lambda found: chr(int(found[1], 16)), text)
    if not text.isascii():
        text = clean_address(text)
    return BREAK.sub("\n", text.replace("<wbr>", "")) if "<" in text else text


def _mark(found: re.Match[str]) -> str:
    """Blanks instead of quotation marks, but not of those within a word."""
    text, (start, end) = found.string, found.span()
    before, after = text[start - 1 : start], text[end : end + 1]
    if not any(mark in found[0] for mark in MARKS) or (_is_of_a_word(before) and _is_of_a_word(after)):
        return found[0]
    return " " * (end - start)


def _is_of_a_word(character: str) -> bool:
    return bool(character) and (character.isalnum() or character in "@._-+&'")


def _without_labels(text: str) -> str:
    """Blanks instead of `mailto:` and of what addresses are called, where it is written without a blank."""
    return LABEL.sub(_label, text, MOST_ADDRESSES) if ":" in text else text


def _label(found: re.Match[str]) -> str:
    is_known = found[1].lower() in SCHEMES or column_words.is_address(found[1])
    return " " * len(found[0]) if is_known else found[0]


def _in_brackets(text: str) -> list[tuple[int, int]]:
    """From where to where there are pointed brackets with addresses."""
    spans, at = [], text.find("<")
    while at >= 0 and (end := text.find(">", at)) >= 0:
        # Of "<<a@b>", the last bracket before the address.
        start = text.rfind("<", at, end) + 1
        if text.find("@", start, end) >= 0:
            spans.append((start, end))
        at = text.find("<", end)
    return spans


def _words(text: str) -> Iterator[tuple[int, str]]:
    """Words with an @, each with where it begins. Separators tear a word where addresses are on both sides."""
    for found in CHUNKS.finditer(text):
        chunk, start = found[0], found.start()
        if "@" not in chunk:
            continue
        base, mark, query = chunk.partition("?")
        if mark and "@" not in base:
            base, query = chunk, ""
        pieces, word = SEPARATORS.split(base), ""
        for at in range(0, len(pieces) - 2, 2):
            word += pieces[at]
            if _separates(*pieces[at : at + 3]):
                yield start, word
                start, word = start + len(word + pieces[at + 1]), ""
            else:
                word += pieces[at + 1]
        yield start, word + pieces[-1]
        at = found.end() - len(query)
        for part in query.split("&"):
            value = part.rpartition("=")[2]
            at += len(part) + 1
            if "@" in value:
                yield at - 1 - len(value), value


def _separates(before: str, mark: str, after: str) -> bool:
    """Whether addresses are on both sides; or the name of whom the address names, as in "Mia,mia@club.example"."""
    if "@" in before and "@" in after:
        return True
    local = after.lower().partition("@")[0] if "@" in after and set(mark).issubset(LISTED) else ""
    return len(before) > 1 and before.isalpha() and before.lower() in NAME_PARTS.split(local)


def _is_torn(text: str, start: int, end: int) -> bool:
    """Whether the address goes on before or behind this: beyond a line break, or brackets in the midst of it."""
    before, after = text[:start], text[end:]
    head, tail = before.rstrip(), after.lstrip()
    is_broken_before, is_broken_after = _has_break(before[len(head) :]), _has_break(after[: len(after) - len(tail)])
    if is_broken_before and head[-1:] and head[-1] in GOES_ON and head[-2:-1].isalnum():
        return True
    begins = text[start] == "." or (text[start] in "-_" and is_broken_before)
    if begins and head and (head[-1].isalnum() or head[-1] in CLOSING):
        return True
    if before == head and head and head[-1] in CLOSING:
        opened = head.rfind(OPENING[CLOSING.index(head[-1])])
        if opened > 0 and (head[opened - 1].isalnum() or head[opened - 1] in "._-"):
            return True
    if after == tail and tail and tail[0] in OPENING:
        closed = tail.find(CLOSING[OPENING.index(tail[0])])
        return closed > 0 and tail[closed + 1 : closed + 2].isalnum()
    if after == tail:
        return tail[1:2] == "." and tail[2:3].isalnum()
    if not tail:
        return False
    if tail[0] == "." or (tail[0] == "-" and is_broken_after):
        return tail[1:2].isalnum()
    last = text[end - 1]
    return (last in ".-" and tail[0].isalnum() and not tail[0].isupper()) or (last == "=" and is_broken_after)


def _has_break(text: str) -> bool:
    return len(f"x{text}x".splitlines()) > 1


def _readings(word: str) -> list[str]:
    word = word.strip(LISTED + MARKS + "\\")
    local, at, domain = word.rpartition("@")
    if not at:
        return []
    if local and word[0].isalnum() and domain.replace(".", "").replace("-", "").isalnum() and word[-1].isalnum():
        return [word, *_unslashed(word)]
    for end in ENDS:
        domain, _end, rest = domain.partition(end)
        if any(map(str.isalnum, rest)):
            return [word]
    domain = domain.rstrip(BEFORE + BEHIND + LISTED + MARKS + "\\")
    bare = local.lstrip(BEFORE)
    if not bare or not domain:
        return []
    if not GLUE.isdisjoint(bare) or not GLUE.isdisjoint(domain):
        return [word, *_unslashed(f"{bare}@{domain}")]
    # Between two quotation marks, an address is meant without them; one alone may belong to it.
    wrapped = [word[1:-1]] if word[0] in QUOTES and word[-1] in QUOTES else []
    dequoted = f"{local[1:]}@{domain}" if local[0] == "'" else f"{local}@{domain}"
    return list(dict.fromkeys([word, *wrapped, f"{local}@{domain}", dequoted, f"{bare}@{domain}"]))


def _unslashed(word: str) -> list[str]:
    r"""As it was before an export wrote `\'` for `'`."""
    plain = word.replace("\\'", "'")
    return [plain] if plain != word and GLUE.isdisjoint(plain) else []


def _apart(text: str) -> list[list[str]]:
    """An address with blanks around its @: on both sides, since `@club` alone is a handle."""
    before, at, after = text.partition(" @ ")
    words, others = before.split(), after.split()
    if not at or "@" in before + after or not words or not others:
        return []
    word = f"{words[-1]}@{others[0]}"
    return [_readings(word)] if CHUNKS.fullmatch(word) else []
