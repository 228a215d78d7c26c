"""Whose data it is: an account, and the addresses by which it is known in tables that name no account."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from typing import Any
from urllib.parse import unquote

from ..accounts import (
    LONGEST_ADDRESS,
    Member,
    accounts_by_address,
    address_key,
    address_of,
    clean_address,
    domain_of,
)
from ..models import ResetEmail

# Beside letters and digits, what an address goes on with. Any other sign in a line of a file may belong to the address
# or stand around it, as in `mailto:mia@club.example?subject=x` and `ida@club.example/mia@club.example`.
WITHIN = "._+-\u3002\uff0e\uff61"
MOST_SIGNS = 20
MOST_ESCAPED = 3
# A text as long as this may have been cut when it was kept.
LEAST_CUT = 60


@dataclass(frozen=True)
class Person:
    """
    `pks` as JSON has them: one, or those of all accounts that were deleted together. `keys` are of the addresses that
    are this person's: the present one, and earlier ones that no other account has by now. `own_keys` are those of them
    that nobody else has.
    """

    pks: frozenset[str]
    keys: frozenset[str]
    own_keys: frozenset[str]

    def is_named(self, pk: Any) -> bool:
        return str(pk) in self.pks

    def is_mentioned(self, text: str) -> bool:
        """Whether one of their own addresses stands in the text, in whatever spelling; cut, where the text may be."""
        return any(map(self._is_named_in, _readings(text)))

    def _is_named_in(self, text: str) -> bool:
        parts = clean_address(text).split("@")
        for before, after in pairwise(parts):
            domains = [domain for domain in _domains(after) if domain_of(f"x@{domain}") in self._own_domains]
            possible = (f"{local}@{domain}" for domain in domains for local in _locals(before))
            if any(address_key(address) in self.own_keys for address in possible):
                return True
        return len(parts) > 1 and len(text) >= LEAST_CUT and self._has_beginning(parts[-2], parts[-1].strip())

    def _has_beginning(self, before: str, end: str) -> bool:
        if not any(domain.startswith(end.lower()) for domain in self._own_domains):
            return False
        beginnings = filter(None, (address_key(f"{local}@{end}") for local in _locals(before)))
        return any(key.startswith(beginning) for beginning in beginnings for key in self.own_keys)

    @cached_property
    def _own_domains(self) -> frozenset[str]:
        return frozenset(key.rpartition("@")[2] for key in self.own_keys)


def person_of(member: Member) -> Person:
    """Reads the addresses of all accounts, as every comparison of addresses does."""
    present = address_key(address_of(member))
    keys = {present, *map(address_key, addresses_mailed(member.pk))} - {""}
    of_others = {
        key for key, found in accounts_by_address(keys).items() if any(account.pk != member.pk for account in found)
    }
    own = keys - of_others
    return Person(pks=frozenset([str(member.pk)]), keys=frozenset(own | ({present} - {""})), own_keys=frozenset(own))


def addresses_mailed(pk: Any) -> Iterable[str]:
    """Every address to which something was sent for the account, or was to be."""
    return (
        ResetEmail.objects.filter(member=pk)
        .exclude(recipient="")
        .order_by()
        .values_list("recipient", flat=True)
        .distinct()
    )


def _readings(text: str) -> Iterator[str]:
    """The text, and what it says without what web pages and links escape."""
    yield text
    for _time in range(MOST_ESCAPED):
        plain = unquote(html.unescape(text))
        if plain == text:
            return
        yield (text := plain)


def _locals(before: str) -> Iterator[str]:
    """The last word, and what is left of it behind each sign that may stand before an address; the shortest first."""
    word = "".join(before.split()[-1:])[-LONGEST_ADDRESS:]
    starts = (at for at in range(len(word), 0, -1) if not _goes_on(word[at - 1]))
    for start in (*islice(starts, MOST_SIGNS), 0):
        yield word[start:]
        yield word[start:].lstrip(WITHIN)


def _domains(after: str) -> Iterator[str]:
    """The first word, and what is left of it before each sign that may stand behind an address; the shortest first."""
    word = "".join(after.split()[:1])[:LONGEST_ADDRESS]
    ends = (at for at in range(len(word)) if not _goes_on(word[at]))
    for end in (*islice(ends, MOST_SIGNS), len(word)):
        yield word[:end].rstrip(WITHIN)


def _goes_on(sign: str) -> bool:
    return sign.isalnum() or sign in WITHIN
