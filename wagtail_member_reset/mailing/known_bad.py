"""Members whose address mailings must not write to: one rule, for a chunk's members and a preview's accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from .. import bad_addresses
from ..accounts import Member, address_column, address_of, clean_address
from ..models import BadVerdict, SkipReason

REASONS = {BadVerdict.HARD_BOUNCE: SkipReason.NO_SUCH_ADDRESS, BadVerdict.COMPLAINT: SkipReason.COMPLAINED}
SLICE = 1000


def reasons_against(addresses: Iterable[str]) -> dict[str, SkipReason]:
    """By address. One query where nothing is known of any address, else two for each thousand."""
    found = bad_addresses.known_bad_among(filter(None, addresses))
    return {address: REASONS[BadVerdict(bad.verdict)] for address, bad in found.items()}


def recipient_of(member: Member) -> str:
    """The member's address, as it stands on an email's row; empty where the account cannot even say it."""
    with suppress(Exception):
        return address_of(member)[:320]
    return ""


def with_bad_address(accounts: QuerySet[Any]) -> Iterator[tuple[Any, SkipReason]]:
    """The keys of those accounts that have such an address. Reads the addresses of all, where any address is known."""
    if not bad_addresses.current().exists():
        return
    if column := address_column(accounts.model):
        rows = accounts.values_list("pk", column).iterator(chunk_size=SLICE)
        pairs = ((pk, clean_address(stored or "")) for pk, stored in rows)
    else:
        pairs = ((account.pk, address_of(account)) for account in accounts.iterator(chunk_size=SLICE))
    while part := list(islice(pairs, SLICE)):
        reasons = reasons_against(address for _pk, address in part)
        yield from ((pk, reasons[address]) for pk, address in part if address in reasons)
