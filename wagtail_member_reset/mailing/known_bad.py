"""
Members whose address mailings must not write to: one rule, for a chunk's members and a preview's accounts.

Staff may include addresses that do not exist in a mailing, one by one, by domain or by reason; never complaints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from .. import bad_addresses, db
from ..accounts import Member, address_column, address_of, clean_address, domain_of
from ..models import BadVerdict, Mailing, ResetEmail, SkipReason

REASONS = {BadVerdict.HARD_BOUNCE: SkipReason.NO_SUCH_ADDRESS, BadVerdict.COMPLAINT: SkipReason.COMPLAINED}
SLICE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Bad:
    """What is known against an address: why it is passed over, a `reports.Cause` if there is one, and its domain."""

    reason: SkipReason
    cause: str
    domain: str


@dataclass(frozen=True, kw_only=True)
class Included:
    """Addresses that do not exist, as far as it is known, and which staff want to be mailed all the same."""

    members: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()

    def has(self, key: Any, bad: Bad) -> bool:
        """Never a complaint, whatever was ticked."""
        is_meant = str(key) in self.members or bad.domain in self.domains or bad.cause in self.causes
        return bad.reason == SkipReason.NO_SUCH_ADDRESS and is_meant

    def as_json(self) -> dict[str, list[str]]:
        return {name: sorted(getattr(self, name)) for name in ("members", "domains", "causes") if getattr(self, name)}


def included_in(mailing: Mailing) -> Included:
    return Included(**{name: frozenset(found) for name, found in mailing.included.items()})


def bad_among(addresses: Iterable[str]) -> dict[str, Bad]:
    """By address. One query where nothing is known of any address, else two for each thousand."""
    found = bad_addresses.known_bad_among(filter(None, addresses))
    return {
        address: Bad(reason=REASONS[BadVerdict(bad.verdict)], cause=bad.cause, domain=domain_of(address))
        for address, bad in found.items()
    }


def reasons_known_since(emails: Iterable[ResetEmail]) -> dict[UUID, SkipReason]:
    """Why emails of mailings that were written before are not to leave any more, by public id. See `bad_among`."""
    of_mailings = [(email, email.mailing) for email in emails if email.mailing is not None]
    bad = bad_among(email.recipient for email, _mailing in of_mailings) if of_mailings else {}
    found = ((email, mailing, bad[email.recipient]) for email, mailing in of_mailings if email.recipient in bad)
    return {
        email.public_id: known.reason
        for email, mailing, known in found
        if not included_in(mailing).has(email.member_id, known)
    }


def recipient_of(member: Member) -> str:
    """The member's address, as it stands on an email's row; empty where the account cannot even say it."""
    with suppress(Exception):
        return address_of(member)[:320]
    return ""


def with_bad_address(accounts: QuerySet[Any]) -> Iterator[tuple[Any, Bad]]:
    """The keys of those accounts that have such an address. Reads the addresses of all, where any address is known."""
    if not bad_addresses.current().exists():
        return
    if column := address_column(accounts.model):
        rows = accounts.values_list("pk", column).iterator(chunk_size=SLICE)
        pairs = ((pk, clean_address(stored or "")) for pk, stored in rows)
    else:
        pairs = ((account.pk, address_of(account)) for account in accounts.iterator(chunk_size=SLICE))
    for part in db.parts(pairs, SLICE):
        known = bad_among(address for _pk, address in part)
        yield from ((pk, known[address]) for pk, address in part if address in known)
