"""
What a mail server or a mail service means by an answer: whose matter it is, and what the tab says of it.

The stage, the words, every code, and whose server speaks decide together. The words outrank a code of the wrong class.
Everything here is a pure function of a text that a stranger wrote, of which the first part alone is looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import answer_sides as sides
from .answer_codes import (
    CODES,
    CODES_FOR_GOOD,
    CODES_FOR_NOW,
    CODES_OF_OUR_ACCOUNT,
    REPLIES,
    STATUSES,
    TELLING_CODES,
    TELLING_CODES_FOR_GOOD,
    VAGUE_CODES,
)
from .answer_meanings import BEFORE_ANY_RECIPIENT, MEMBERS, OF_THE_ADDRESS, OURS, UNSAID, Stage, Whose
from .answer_words import LAST_PHRASES, OF_SENDING, PHRASES, Says
from .causes import Cause

__all__ = ["LONGEST_READ", "Reading", "Stage", "Whose", "read"]

# What is read of a text at all.
LONGEST_READ = 2000
# So many characters may stand between two parts of a phrase.
WIDEST_GAP = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What an answer comes to. `says` is what it is about, as far as the text tells.

    `is_sure` where it holds for every email, not for this one alone: by what it says, or by the stage. `is_for_now`
    where the server asks to come back.
    """

    whose: Whose
    cause: Cause
    says: Says | None = None
    is_sure: bool = False
    is_for_now: bool = False


# Class, subject, detail: https://www.rfc-editor.org/rfc/rfc3463. Not a part of an IP address or of a version.
ENHANCED = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
# Three digits that stand where a server's reply does; elsewhere they may be seconds, or the port.
REPLY = re.compile(
    r"(?:^\W{0,3}|\bsaid:?\s{0,3}|\bsmtp;\s{0,3}|\bcode:?\s{0,3}|>:\s{0,3})([245]\d\d)(?![\w.\]])", re.IGNORECASE
)
# The names of hosts, which say nothing of what happened. Words that a server has put together end in capitals.
HOST = re.compile(r"(?<![\w.-])(?:[A-Za-z0-9_-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
APOSTROPHES = re.compile("['\u2018\u2019`]")
NO_WORD = re.compile(r"[\W_]+")
# Our server tells what another one said to it.
QUOTED = re.compile(
    r"\bsaid: ?[45]\d\d|in reply to (?:rcpt|end of data|data|mail)|remote (?:mail )?server (?:said|returned|answered)"
    r"|callout|while verifying|rejected by the recipient|recipient(?:'s)? (?:mail )?server",
    re.IGNORECASE,
)
# Proofpoint's, of an address: "(ida@x.example:blocked)".
BLOCKED_FOR = re.compile(r":blocked\)", re.IGNORECASE)
# The subject of codes that are about policies.
POLICY = 7
OF_RECIPIENTS = (Stage.RCPT, Stage.DATA, Stage.BOUNCE)
OURS_ALONE = (Stage.CONNECT, Stage.LOGIN, Stage.MAIL)

SUPPRESSED = Reading(Whose.MEMBER, Cause.BLOCKED, Says.SUPPRESSED)


def read(text: str, *, stage: Stage, reply: int | None = None) -> Reading:
    """What the answer comes to. `reply` is its three-digit code, or its HTTP status."""
    text = text[:LONGEST_READ]
    if stage == Stage.API:
        return _of_our_service(text, reply)
    if stage in (Stage.RCPT, Stage.DATA) and QUOTED.search(text):
        stage = Stage.BOUNCE
    codes = _codes(text)
    replies = ([reply] if reply else []) + [int(each) for each in REPLY.findall(text)]
    is_for_now = _is_for_now(reply, replies, codes)
    text = HOST.sub("x", text)
    says = _plainly(text, codes, stage)
    if says is Says.LOGIN and stage == Stage.BOUNCE:
        says = _most_telling(_by_code(codes)) or says  # of "unauthenticated" the code tells who should be what
    if says is None and stage not in (Stage.RCPT, Stage.DATA):
        says = _vaguely(text, codes, replies)
    if stage != Stage.BOUNCE:
        says = _of_us_or_later(says, text, codes, stage, is_for_now)
    if says is Says.SUPPRESSED and stage != Stage.BOUNCE:
        return SUPPRESSED
    if stage == Stage.BOUNCE or (stage in (Stage.RCPT, Stage.DATA) and says in OF_THE_ADDRESS):
        cause = MEMBERS[says] if says else Cause.GAVE_UP if is_for_now else Cause.NONE
        return Reading(Whose.MEMBER, cause, says, is_for_now=is_for_now)
    return _of_our_server(says, stage, replies, is_for_now)


def _of_us_or_later(
    says: Says | None, text: str, codes: list[tuple[int, int, int]], stage: Stage, is_for_now: bool
) -> Says | None:
    """The same where our own server says it: which words are about us there, and which are not said for good."""
    plain, is_full = _plain(text), any(code[1:] in TELLING_CODES for code in codes)
    if says is Says.QUOTA and stage == Stage.DATA:
        return Says.FULL if is_full else Says.LIMIT
    if says is Says.QUOTA and stage == Stage.RCPT and any(code[1] == POLICY for code in codes):
        return Says.LIMIT
    if says is Says.FULL and stage == Stage.DATA and not is_full and _has(plain, "storage allocation"):
        return Says.CONTENT  # RFC 5321 has these words for one email that is too large
    if says is Says.SENDER and _by_words(plain, {Says.LIMIT: sides.TELLING[Says.LIMIT]}):
        return Says.LIMIT
    is_not_known = says is Says.UNKNOWN and not _by_words(plain, sides.MISSING)
    if stage == Stage.RCPT and is_for_now and (is_not_known or says is Says.UNREACHABLE):
        return Says.LATER  # it does not know the address yet
    return says


def _of_our_server(says: Says | None, stage: Stage, replies: list[int], is_for_now: bool) -> Reading:
    if says is Says.UNKNOWN:  # which nobody has asked for yet
        says = Says.LOGIN if stage == Stage.LOGIN else Says.SENDER
    if says in (None, Says.LATER) and 421 in replies[:1]:
        return Reading(*OURS[Says.LATER], says, is_sure=stage in OURS_ALONE, is_for_now=True)  # whoever is mailed
    if says is not None and not (says is Says.LATER and stage == Stage.RCPT):
        return _by_what_it_says(says, stage, is_for_now)
    if stage == Stage.RCPT:
        return Reading(Whose.MEMBER, Cause.ASKED_LATER if is_for_now else Cause.NONE, is_for_now=is_for_now)
    for_now, for_good = UNSAID[stage]
    whose, cause = (Whose.LATER, for_now) if is_for_now else (Whose.MEND, for_good)
    return Reading(whose, cause, is_sure=stage in OURS_ALONE, is_for_now=is_for_now)


def _of_our_service(text: str, status: int | None) -> Reading:
    """The same for the API of a mail service. What stands in front of it answers with a page, which tells nothing."""
    is_for_now = status is None or status >= 500 or status in (408, 425, 429)
    is_page = text.lstrip()[:1] == "<"
    says = STATUSES[402] if status == 402 else None if is_page else _by_its_fields(text, status)
    says = says or STATUSES.get(status or 0)
    if says is Says.SUPPRESSED:
        return SUPPRESSED
    if says is Says.UNKNOWN and is_for_now:
        says = None  # something broke on the way
    if says is Says.UNKNOWN:
        if status in (400, 422):
            return Reading(Whose.MEMBER, Cause.INVALID, says)
        says = Says.SETUP
    if says is not None:
        return _by_what_it_says(says, Stage.API, is_for_now)
    whose, cause = (Whose.LATER, Cause.NO_ANSWER) if is_for_now else (Whose.MEND, Cause.NOT_TAKEN)
    return Reading(whose, cause, is_for_now=is_for_now)


def _by_its_fields(text: str, status: int | None) -> Says | None:
    """What a mail service's answer is about. Of an address that is not valid, the field tells whose it is."""
    plain = _plain(text)
    says = _by_words(plain, sides.OF_OUR_SERVICE) or _plainly(text, _codes(text), Stage.API)
    says = says or _by_words(plain, {Says.UNKNOWN: sides.ADDRESS_NOT_VALID})
    if says is Says.UNKNOWN:
        is_senders = any(_has(plain, field) for field in sides.FIELDS_OF_SENDER)
        is_domain = status in (400, 422) and any(_has(plain, phrase) for phrase in sides.SENDING_DOMAIN)
        if is_senders or (is_domain and " recipient " not in plain):
            return Says.SENDER
    return says


def _by_what_it_says(says: Says, stage: Stage, is_for_now: bool) -> Reading:
    """A server that asks to come back is believed, but for an account or a login that nobody gives back by waiting."""
    whose, cause = OURS.get(says) or BEFORE_ANY_RECIPIENT[says]
    if says is Says.FULL and is_for_now:
        whose, cause = Whose.LATER, Cause.BUSY  # its own disk is
    if whose == Whose.MEND and is_for_now and stage != Stage.API:
        if stage == Stage.LOGIN and cause == Cause.LOGIN_REFUSED:
            whose, cause = Whose.LATER, Cause.BUSY
        elif cause not in (Cause.ACCOUNT, Cause.LOGIN_REFUSED):
            whose = Whose.LATER
    # "Come back later" may be about this recipient alone.
    is_sure = stage in OURS_ALONE or says is not Says.LATER
    return Reading(whose, cause, says, is_sure=is_sure, is_for_now=is_for_now)


def _is_for_now(reply: int | None, replies: list[int], codes: list[tuple[int, int, int]]) -> bool:
    """
    Whether the server asks to come back.

    Its `reply` counts first, then the codes, of which one that says "for good" is enough, then what looks like a reply.
    """
    classes = [reply // 100] if reply else [code[0] for code in codes] or [each // 100 for each in replies[:1]]
    return 4 in classes and 5 not in classes


def _codes(text: str) -> list[tuple[int, int, int]]:
    """Every enhanced code in it. Subjects end with 7: what looks like others is some version."""
    found = ((int(each[1]), int(each[2]), int(each[3])) for each in ENHANCED.finditer(text))
    return [code for code in found if code[1] <= 7]


def _plainly(text: str, codes: list[tuple[int, int, int]], stage: Stage) -> Says | None:
    """What it is about: by its words, else by the code that tells most."""
    if stage == Stage.BOUNCE and any(code[1:] in CODES_OF_OUR_ACCOUNT for code in codes):
        return Says.ACCOUNT
    if stage == Stage.BOUNCE and BLOCKED_FOR.search(text):
        return Says.UNTRUSTED
    plain = _plain(text)
    says = _by_words(plain, sides.ANYWHERE) or _by_words(plain, _first_words(stage)) if stage != Stage.API else None
    if says is not None:
        return says
    by_code = _telling_code(codes) if stage in OF_RECIPIENTS else None
    says = _told_by_words(plain, codes, stage, by_code)
    if says in (Says.FULL, Says.QUOTA) and any(_has(plain, phrase) for phrase in OF_SENDING):
        return Says.FULL if by_code is Says.FULL and stage == Stage.BOUNCE else Says.LIMIT
    return says or _most_telling(_by_code(codes))


def _first_words(stage: Stage) -> dict[Says, tuple[str, ...]]:
    return sides.OF_A_MEMBERS_SERVER if stage == Stage.BOUNCE else sides.OF_OUR_SERVER


def _told_by_words(plain: str, codes: list[tuple[int, int, int]], stage: Stage, by_code: Says | None) -> Says | None:
    """By its phrases; else, where recipients are answered for, by a code that tells much; else by lone words."""
    if stage not in OF_RECIPIENTS:
        return _by_words(plain, PHRASES)
    without = () if _may_be_our_account(plain, codes, stage) else (Says.ACCOUNT,)
    says = _by_words(plain, sides.TELLING, without)
    if says in sides.OVERRULED and by_code and _by_words(plain, {by_code: sides.TELLING[by_code]}):
        return by_code
    return says or by_code or _by_words(plain, PHRASES, without)


def _may_be_our_account(plain: str, codes: list[tuple[int, int, int]], stage: Stage) -> bool:
    """A member's server speaks of a member's account, if it does not say that it is ours which sends."""
    is_yours = " your account " in plain
    if stage == Stage.BOUNCE:
        return is_yours and any(_has(plain, word) for word in sides.SENDING)
    return is_yours or not any(code[1:] in ((1, 1), (2, 1)) for code in codes)


def _telling_code(codes: list[tuple[int, int, int]]) -> Says | None:
    found = {code[1:] for code in codes if code[1:] in TELLING_CODES}
    found |= {code[1:] for code in codes if code[0] == 5 and code[1:] in TELLING_CODES_FOR_GOOD}
    return _most_telling({CODES[each] for each in found})


def _most_telling(found: set[Says]) -> Says | None:
    return next((says for says in PHRASES if says in found), None)


def _vaguely(text: str, codes: list[tuple[int, int, int]], replies: list[int]) -> Says | None:
    """The same by words and codes that many servers use for many things."""
    vague = (VAGUE_CODES[code[1:]] for code in codes if code[1:] in VAGUE_CODES)
    last = (REPLIES[reply] for reply in replies if reply in REPLIES)
    return _by_words(_plain(text), LAST_PHRASES) or next(vague, None) or next(last, None)


def _by_code(codes: list[tuple[int, int, int]]) -> set[Says]:
    found = set()
    for kind, subject, detail in codes:
        code = (subject, detail)
        by_class = CODES_FOR_GOOD if kind == 5 else CODES_FOR_NOW
        if says := CODES.get(code) or by_class.get(code):
            found.add(says)
    return found


def _plain(text: str) -> str:
    """Its words, as phrases are written: without the names that people gave to addresses, hosts and pages."""
    text = CAMEL.sub(" ", ENHANCED.sub(" ", text))
    words = (word for word in APOSTROPHES.sub("", text).lower().split() if "@" not in word and "://" not in word)
    return f" {' '.join(NO_WORD.sub(' ', ' '.join(words)).split())} "


def _by_words(plain: str, phrases: dict[Says, tuple[str, ...]], without: tuple[Says, ...] = ()) -> Says | None:
    rows = ((says, known) for says, known in phrases.items() if says not in without)
    return next((says for says, known in rows if any(_has(plain, phrase) for phrase in known)), None)


def _has(plain: str, phrase: str) -> bool:
    first, *more = phrase.split(" … ")
    at = plain.find(f" {first} ")
    for part in more:
        if at < 0:
            return False
        start = at + 1
        at = plain.find(f" {part} ", start, start + len(first) + len(part) + WIDEST_GAP)
        first = part
    return at >= 0
