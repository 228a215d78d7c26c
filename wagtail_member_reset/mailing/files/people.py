"""The accounts of a site, by what a file may call them. Read once, since no index serves a look-up of addresses."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from ...accounts import (
    LONGEST_ADDRESS,
    address_column,
    address_key,
    but_for,
    clean_address,
    column_of,
    comparable,
    domain_of,
    enters_admin,
    is_superuser,
    manages_users,
)
from ..choose import SLICE

# Domains of other alphabets take long to compare; a file has few of them.
MOST_DOMAINS = 20_000
# Who share one address or username, in the order of their keys.
Accounts = dict[int, None]
NONE: Accounts = {}
# As spreadsheets write text that is no number.
WRAPPED = "'\"= "
ORDINARY, STAFF, HELD_BACK = 0, 1, 2


class People:
    """
    Accounts are numbers here, in the order of `keys`, which are their primary keys.

    There are none of those `hidden` from who brought the file: its lines tell nothing of them, in whatever way.
    """

    def __init__(self, hidden: Q | None = None) -> None:
        self.is_partial = hidden is not None
        self.keys: list[Any] = []
        self.rank = bytearray()
        self.is_active = bytearray()
        # Who is not active, or is held back.
        self.set_apart: set[int] = set()
        self._addresses: dict[str, int | Accounts] = {}
        self._usernames: dict[str, int | Accounts] = {}
        self._numbers: dict[str, int | Accounts] = {}
        self._international: dict[str, str] = {}
        self._has_international = False
        self.has_addresses_for_names = False
        # No query can ask for an address that the user model computes.
        self.has_addresses = True
        self._read(hidden)

    def __len__(self) -> int:
        return len(self.keys)

    def by_address(self, readings: list[str]) -> Accounts:
        """The accounts of the first reading that has any. An address has at most 320 characters."""
        for text in readings:
            if len(text) > LONGEST_ADDRESS:
                continue
            plain = text.lower() if text.isascii() and text[-1] != "." else self._key(text)
            found = self._addresses.get(plain)
            if found is not None:
                return found if isinstance(found, dict) else {found: None}
        return NONE

    def by_username(self, text: str) -> Accounts:
        if len(text) > LONGEST_ADDRESS:
            return NONE
        bare = text.strip(WRAPPED)
        for each in (text, bare) if bare != text else (text,):
            found = self._usernames.get(each.lower() if each.isascii() else comparable(clean_address(each)))
            if found is not None:
                return found if isinstance(found, dict) else {found: None}
        # Spreadsheets take the zeros off the front of numbers.
        found = self._numbers.get(bare) if bare.isdecimal() else None
        return NONE if found is None else found if isinstance(found, dict) else {found: None}

    def _key(self, text: str) -> str:
        domain = text.rpartition("@")[2]
        if domain.isascii():
            return address_key(text)
        if domain not in self._international:
            if not self._has_international and not unicodedata.normalize("NFKC", domain).isascii():
                return ""  # no account has a domain of another alphabet
            if len(self._international) == MOST_DOMAINS:
                return ""
            self._international[domain] = domain_of(f"x@{domain}")
        return address_key(text[: -len(domain)] + self._international[domain])

    def _read(self, hidden: Q | None) -> None:
        model = get_user_model()
        accounts = but_for(model._default_manager.all(), hidden)
        held = set(accounts.filter(is_superuser() | manages_users()).values_list("pk", flat=True))
        staff = set(accounts.filter(enters_admin()).values_list("pk", flat=True))
        address, username = address_column(model), model.USERNAME_FIELD
        self.has_addresses = address is not None
        has_flag = column_of(model, "is_active") is not None
        # Each once: some versions of Django give a column that is named twice only one place.
        wanted = [each for each in (address, username, "is_active" if has_flag else None) if each and each != "pk"]
        names = list(dict.fromkeys(["pk", *wanted]))
        at = {name: place for place, name in enumerate(names)}
        for row in accounts.order_by("pk").values_list(*names).iterator(chunk_size=SLICE):
            key, mail, name = row[0], row[at[address]] if address else "", row[at[username]]
            number = len(self.keys)
            self.keys.append(key)
            self.rank.append(HELD_BACK if key in held else STAFF if key in staff else ORDINARY)
            self.is_active.append(bool(row[at["is_active"]]) if has_flag else True)
            if self.rank[number] == HELD_BACK or not self.is_active[number]:
                self.set_apart.add(number)
            if address and mail and (found := address_key(str(mail))):
                _add(self._addresses, found, number)
                self._has_international |= "@xn--" in found or ".xn--" in found
            if username != address and name and (found := comparable(clean_address(str(name)))):
                _add(self._usernames, found, number)
                if found[0] == "0" and found.isdecimal():
                    _add(self._numbers, found.lstrip("0"), number)
                self.has_addresses_for_names |= "@" in found


def _add(index: dict[str, int | Accounts], key: str, number: int) -> None:
    there = index.get(key)
    if there is None:
        index[key] = number
    elif isinstance(there, dict):
        there[number] = None
    else:
        index[key] = {there: None, number: None}
