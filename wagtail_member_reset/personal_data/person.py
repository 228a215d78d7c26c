"""Whose data it is: an account, and the addresses by which it is known in tables that name no account."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..accounts import Member, accounts_by_address, address_key, address_of
from ..models import ResetEmail

# What may stand around an address in a line of a file.
BETWEEN = re.compile(r"[\s,;:<>\"'()\[\]|]+")


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
        """Whether one of their own addresses stands in the text, in whatever spelling."""
        return any(address_key(part) in self.own_keys for part in BETWEEN.split(text) if "@" in part)


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
