"""The addresses in a cell, whatever mail programs, spreadsheets and people write around them."""

from __future__ import annotations

import re

from ...accounts import clean_address

LONGEST_CELL = 1_000
MOST_ADDRESSES = 20
# What stands beside an address, and never in one: quotes, brackets, and separators of lists.
WORDS = re.compile(
    '[^\\s<>()\\[\\]{}",;|:\\\\\u201c\u201d\u201e\u00ab\u00bb\uff1c\uff1e\uff08\uff09\uff0c\uff1b\uff1a\u3001]+'
)
# What may stand between two addresses, and within one as well.
SEVERAL = re.compile("[/&+?]")
QUOTES = "'\u2018\u2019\u201a\u201b`\u00b4"
# What people put before and behind an address.
BEFORE, BEHIND = QUOTES + "*\u2022\u00b7-\u2013\u2014.=+#", QUOTES + "*.-\u2013\u2014!"
# Where the domain ends, as in a link with a subject.
ENDS = "?/&#!*%="


def addresses_in(text: str) -> list[list[str]]:
    """
    The addresses in a text, each with what it may be: as it stands first, then without what was put around it.

    Where there are pointed brackets with addresses, these alone count: what stands before is a name.
    """
    text = text[:LONGEST_CELL]
    if "%40" in text:
        text = text.replace("%40", "@")
    if not text.isascii():
        text = clean_address(text)
    if "@" not in text:
        return []
    words = WORDS.findall(_in_brackets(text) or text)
    parts = (part for word in words for part in (SEVERAL.split(word) if word.count("@") > 1 else (word,)))
    found = [_readings(part) for part in parts if "@" in part]
    return [readings for readings in found if readings][:MOST_ADDRESSES] or _apart(text)


def without_addresses(text: str) -> str:
    """What else stands in the cell: a name, perhaps."""
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


def _in_brackets(text: str) -> str:
    parts, at = [], text.find("<")
    while at >= 0 and (end := text.find(">", at)) >= 0:
        # Of "<<a@b>", the last bracket before the address.
        part = text[text.rfind("<", at, end) + 1 : end]
        if "@" in part:
            parts.append(part)
        at = text.find("<", end)
    return " ".join(parts)


def _readings(word: str) -> list[str]:
    local, _at, domain = word.rpartition("@")
    if local and word[0].isalnum() and domain.replace(".", "").replace("-", "").isalnum() and word[-1].isalnum():
        return [word]
    for end in ENDS:
        domain = domain.partition(end)[0]
    domain = domain.rstrip(BEHIND)
    bare = local.lstrip(BEFORE)
    if not bare or not domain:
        return []
    # Between two quotation marks, an address is meant without them; one alone may belong to it.
    wrapped = [word[1:-1]] if word[0] in QUOTES and word[-1] in QUOTES else []
    dequoted = f"{local[1:]}@{domain}" if local[0] == "'" else f"{local}@{domain}"
    return list(dict.fromkeys([word, *wrapped, f"{local}@{domain}", dequoted, f"{bare}@{domain}"]))


def _apart(text: str) -> list[list[str]]:
    """An address with blanks around its @."""
    if text.count("@") != 1:
        return []
    before, after = (WORDS.findall(part) for part in text.split("@"))
    return [_readings(f"{before[-1]}@{after[0]}")] if before and after else []
