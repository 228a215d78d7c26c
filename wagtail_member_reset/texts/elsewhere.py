"""
Whether email programs would make a link of a word that leads elsewhere. They need no `https://` for it: a domain is
enough.

Pure, and as much work as the word is long.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import unquote

IsOwn = Callable[[str], bool]

# What the address of something begins with, also where it has no slashes.
SCHEMES = (
    "https?|ftps?|sftp|ssh|mailto|tel|sms|mms|callto|facetime|sips?|skype|whatsapp|viber|tg|xmpp|geo|maps|market|intent"
    "|file|data|javascript|vbscript|blob|nntp|ircs?|magnet|bitcoin|ethereum|cid|wss?|ldaps?|webcal|view-source|ms-[a-z]+"
)
LEADS = re.compile(rf"(?<!\w)//|\\\\|[a-z0-9]:[/\\]|(?<![a-z0-9])(?:{SCHEMES}):(?=.)")
WHOLE = re.compile(r"https?://(?P<host>[^/?#\\:@]+)(?::443)?(?P<rest>[/?#].*)?")
# What may stand around an address and is none of it.
AROUND = "()[]<>.,;:!?\"'«»‹›„“”‚‘’¿¡*"  # noqa: RUF001 - quotation marks of print
# The full stops of Chinese and Japanese. Browsers take them for dots: they are looked at where ASCII follows.
WIDE_DOTS = "\u3002\uff0e\uff61"
WIDE_DOT = re.compile(rf"[{WIDE_DOTS}](?=[a-z0-9-]+(?!\w))", re.IGNORECASE)
ENDS = dict.fromkeys(map(ord, WIDE_DOTS), "\u3002")
# What no domain has. All beyond ASCII may be in one.
NOT_IN_DOMAINS = re.compile(r"[\x00-\x2c\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+")
# How a part of a domain begins that stands behind a dot and is no number, nor a single letter as in "e.V."
BEHIND_DOT = re.compile(r"[^\W\d_][\w-]")
LOCAL_PART = re.compile(r"\W*[\w.+-]+")
# Written without a blank, though more than one letter stands behind a dot. With nothing else glued to them.
ABBREVIATIONS = frozenset(
    ["i.br", "n.chr", "v.chr", "z.hd", "z.hdn", "z.zt", "p.ej", "ee.uu", "rr.hh", "ff.aa", "p.es", "aa.vv"]
)
# In an address of our own: one of others, which its page may send people on to.
LEADS_ON = re.compile(r"//|\\|/https?:|[?&=#;][a-z][a-z0-9+.-]*:")
MOST_DECODED = 5


def is_elsewhere(word: str, *, is_own_host: IsOwn, is_own_name: IsOwn) -> bool:
    """
    Whether a word without blanks leads elsewhere, or may. A whole address is one of our own by its host, an address of
    mail or a bare domain by its name.
    """
    return any(_is_elsewhere(each, is_own_host, is_own_name) for each in _flat(word).split())


def leads_on(rest: str) -> bool:
    """Whether what follows the host of an address names another address, encoded or not."""
    for _ in range(MOST_DECODED):
        if LEADS_ON.search("".join(_flat(rest).split())):
            return True
        decoded = unquote(rest)
        if decoded == rest:
            return False
        rest = decoded
    return True


def _flat(word: str) -> str:
    """As browsers and email programs read it: without what is invisible, and in plain letters."""
    if not word.isascii():
        word = unicodedata.normalize("NFKC", WIDE_DOT.sub(".", word).translate(ENDS))
    return "".join(sign for sign in word if sign.isprintable() or sign.isspace()).lower()


def _is_elsewhere(word: str, is_own_host: IsOwn, is_own_name: IsOwn) -> bool:
    bare = word.strip(AROUND)
    if LEADS.search(word):
        found = WHOLE.fullmatch(bare)
        return found is None or not is_own_host(found["host"]) or leads_on(found["rest"] or "")
    if "." not in bare or bare in ABBREVIATIONS:
        return False
    local, at, domain = bare.partition("@")
    if at and LOCAL_PART.fullmatch(local) and is_own_name(domain):
        return False
    return any(_is_domain(each) and not is_own_name(_name(each)) for each in NOT_IN_DOMAINS.split(bare) if "." in each)


def _name(word: str) -> str:
    return re.sub(r"^[^\w]+", "", word).rstrip(AROUND + "-\u2026\u2013\u2014")


def _is_domain(word: str) -> bool:
    parts = word.split(".")
    return any(_may_be_named(before) and BEHIND_DOT.match(after) for before, after in pairwise(parts)) or _is_ip(parts)


def _may_be_named(part: str) -> bool:
    """Whether a dot behind it may be that of a domain: none behind a hyphen or a quotation mark is."""
    return bool(part) and not unicodedata.category(part[-1]).startswith("P")


def _is_ip(parts: list[str]) -> bool:
    numbers = [part for part in parts if part]
    return len(numbers) == 4 and all(re.fullmatch(r"0|[1-9][0-9]{0,2}", each) and int(each) < 256 for each in numbers)
