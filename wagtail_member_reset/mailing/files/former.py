"""What people write beside an address that no longer holds, or that is another person's."""

from __future__ import annotations

import re
from itertools import pairwise

# What follows is former, or another's.
AHEAD = """
    statt anstatt anstelle früher früherer frueher vorher vormals ehemals ehemalige ehemaliger formerly former
    previously previous instead was ancien ancienne anciennement voorheen anterior antigua antiguo precedente
    vecchio vecchia
    nicht not never nie c/o
    mutter vater eltern mother father mum parent parents guardian mère père madre padre moeder vader
    ehefrau ehemann wife husband betreuer betreuerin
"""
# What stands beside these is former.
BESIDE = """
    ungültig ungueltig ungültige invalid invalide inválido inválida ongeldig veraltet obsolete outdated obsoleta
    defunct expired abgelaufen gelöscht geloescht deleted gesperrt blocked bounced bounces bounce unzustellbar
    undeliverable falsch wrong faux falso inaktiv inactive disabled deaktiviert tot dead
"""
# Surnames as well: these count in lower case, with a colon, or in brackets.
SHORT = "alt alte altes alter old oud oude vieux vieille"
# The same for what follows.
SHORT_AHEAD = "no ne was via dad mom partner trainer"
# What stands before these is former.
AFTER = "neu neue neuer jetzt nun now new nouveau nouvelle maintenant nieuw nieuwe nueva nuevo nuova nuovo"
LONGER = ("nicht mehr", "no longer", "do not use", "n'est plus", "ne plus", "niet meer", "ya no", "non più")


def _any(text: str) -> str:
    return "|".join(map(re.escape, text.split()))


def _short(text: str) -> re.Pattern[str]:
    words = _any(text)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)|(?<!\w)(?i:{words})(?=\s?:)|\((?i:{words})\)")


LONG = "|".join(map(re.escape, LONGER))
IS_AHEAD = re.compile(rf"(?<!\w)(?:{_any(AHEAD)}|{LONG})(?!\w)", re.IGNORECASE)
IS_BESIDE = re.compile(rf"(?<!\w)(?:{_any(BESIDE)}|{LONG})(?!\w)|~~", re.IGNORECASE)
IS_SHORT, IS_SHORT_AHEAD = _short(SHORT), _short(SHORT_AHEAD)
IS_AFTER = re.compile(rf"[-=~]+>|[\u2190-\u21ff\u27a1]|(?<!\w)(?:{_any(AFTER)})(?!\w)", re.IGNORECASE)
WORD = re.compile(r"\w+")
SIGNS = re.compile("c/o|~~|[-=~]+>|[\u2190-\u21ff\u27a1]", re.IGNORECASE)
KNOWN = frozenset(WORD.findall(" ".join((AHEAD, BESIDE, SHORT, SHORT_AHEAD, AFTER, *LONGER)).lower()))
# Where what is said of one address ends, and what is said of the next begins.
PARTS = re.compile(r"[)\],;\n\r]|(?=[(\[])")


def are_former(between: list[str]) -> list[bool]:
    """
    Which addresses of a cell are former or another person's, by the words before, between and behind them.

    There is one text more than there are addresses. Of several words, some are said of the neighbour.
    """
    last = len(between) - 2
    if not any(map(may_say_so, between)):
        return [False] * (last + 1)
    return [
        _is_former(before, after, is_first=at == 0, is_last=at == last)
        for at, (before, after) in enumerate(pairwise(between))
    ]


def may_say_so(text: str) -> bool:
    """Whether there is any such word or sign."""
    return bool(text.strip()) and (not KNOWN.isdisjoint(WORD.findall(text.lower())) or bool(SIGNS.search(text)))


def _is_former(before: str, after: str, *, is_first: bool, is_last: bool) -> bool:
    """Whether the words between an address and its neighbours say so; of several, some say it of the neighbour."""
    own_before = before if is_first else PARTS.split(before)[-1]
    own_after = after if is_last else _said_behind(after)
    is_ahead = any(each.search(own_before) for each in (IS_AHEAD, IS_BESIDE, IS_SHORT, IS_SHORT_AHEAD))
    return is_ahead or bool(
        IS_BESIDE.search(own_after) or IS_SHORT.search(own_after) or (not is_last and IS_AFTER.search(after))
    )


def _said_behind(between: str) -> str:
    """As much of what stands between two addresses as may be said of the first one."""
    *own, rest = PARTS.split(between)
    # With a colon, the rest is said of the next one.
    return " ".join(own) if own or ":" in rest else rest
