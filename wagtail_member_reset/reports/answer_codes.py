"""What mail servers say, as data: the codes of their answers, where their words say no more."""

from __future__ import annotations

from .answer_words import Says

# Enhanced codes (RFC 3463 and IANA's registry; above 50 Microsoft's own), by subject and detail.
CODES: dict[tuple[int, int], Says] = {
    **{(1, detail): Says.UNKNOWN for detail in (1, 2, 3, 4, 6, 10)},
    **{(1, detail): Says.SENDER for detail in (7, 8, 20)},
    (1, 90): Says.LIMIT,
    (2, 1): Says.DISABLED,
    (2, 2): Says.FULL,
    (2, 3): Says.CONTENT,
    (2, 4): Says.INSIDERS,
    (2, 122): Says.UNREACHABLE,
    (3, 4): Says.CONTENT,
    (4, 5): Says.LIMIT,
    (5, 3): Says.LIMIT,
    **{(4, detail): Says.UNREACHABLE for detail in (2, 3, 6, 7, 14, 300, 316)},
    **{(4, detail): Says.UNKNOWN for detail in (310, 312)},
    **{(6, detail): Says.CONTENT for detail in range(6)},
    **{(7, detail): Says.UNTRUSTED for detail in (9, *range(20, 28), 29, 509, 511, 512, 515, 520)},
    **{(7, detail): Says.UNTRUSTED for detail in range(606, 650)},
    **{(7, detail): Says.LOGIN for detail in (3, 8, 12, 30, 57, 139)},
    **{(7, detail): Says.INSIDERS for detail in (2, 120, 121, 123, 124, 129, *range(133, 137), 193)},
    **{(7, detail): Says.UNKNOWN for detail in (17, 18, 54)},
    **{(7, detail): Says.SETUP for detail in (4, 10, 11)},
    **{(7, detail): Says.LIMIT for detail in (28, 703, 705, 708)},
    **{(7, detail): Says.ACCOUNT for detail in (501, 502, 503)},
    (7, 13): Says.DISABLED,
    (7, 60): Says.SENDER,
    (7, 64): Says.RELAY,
    (7, 750): Says.SENDER,
}
# The same where the class matters: what comes to an end was not only a matter of time.
CODES_FOR_GOOD: dict[tuple[int, int], Says] = {(4, 1): Says.UNKNOWN, (4, 4): Says.UNKNOWN}
CODES_FOR_NOW: dict[tuple[int, int], Says] = {(4, 1): Says.UNREACHABLE, (4, 4): Says.UNREACHABLE, (3, 2): Says.LATER}
# Our account at Microsoft, wherever it is told.
CODES_OF_OUR_ACCOUNT = frozenset((7, detail) for detail in (501, 502, 503))
# Codes that outrank a lone word. Subject, detail; the first for good only: "unknown for now" is no news.
TELLING_CODES_FOR_GOOD = ((1, 1), (1, 10))
TELLING_CODES = ((2, 2),)
# General ones, which speak where nothing else does.
VAGUE_CODES: dict[tuple[int, int], Says] = {(1, 0): Says.UNKNOWN, (7, 0): Says.UNTRUSTED, (7, 1): Says.UNTRUSTED}
# Codes of RFC 5321 and its successors.
REPLIES: dict[int, Says] = {
    **dict.fromkeys((530, 534, 535, 538), Says.LOGIN),
    **dict.fromkeys((521, 556), Says.UNKNOWN),
    523: Says.SETUP,
    525: Says.DISABLED,
    552: Says.FULL,
}
# Answers of a mail service's API, where its words say no more.
STATUSES: dict[int, Says] = {
    **dict.fromkeys((401, 403, 407), Says.LOGIN),
    **dict.fromkeys((404, 405, 406, 410, 415), Says.SETUP),
    **dict.fromkeys((408, 425), Says.LATER),
    402: Says.ACCOUNT,
    413: Says.CONTENT,
    429: Says.LIMIT,
}
