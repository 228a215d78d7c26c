"""What of a deleted account no foreign key takes along: digests of addresses, keys in mailings, lines of files."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from .. import bad_addresses, db, links, outbox
from ..accounts import Member, accounts_by_address, address_key, address_of
from ..exceptions import ErasureRefused
from ..mailing import finish_mailing
from ..models import SkipReason, Tally
from .in_mailings import leave_out
from .person import Person, addresses_mailed


class _Noted(threading.local):
    def __init__(self) -> None:
        self.keys: dict[Any, set[str]] = {}
        self.tallies: dict[Any, list[Tally]] = {}


_noted = _Noted()


def note_deleted(member: Member, *, using: str) -> None:
    """
    Have what is left of an account forgotten, once its deletion is committed. Called before it, for the addresses.

    Four statements; the rest is done once for all accounts that a transaction deletes.
    """
    # Django deletes within a transaction that has not written yet. One that reads first is refused by SQLite when
    # somebody else writes meanwhile.
    links.lock_first(member)
    _noted.tallies[member.pk] = links.tallies_of(member)
    _noted.keys[member.pk] = {address_key(address_of(member)), *map(address_key, addresses_mailed(member.pk))} - {""}
    transaction.on_commit(forget_deleted, using=using, robust=True)


def forget_deleted() -> None:
    """Forget what is left of those noted who are gone. Of a deletion that was rolled back, nothing is."""
    noted, _noted.keys = _noted.keys, {}
    tallies, _noted.tallies = _noted.tallies, {}
    if not noted:
        return
    accounts = get_user_model()._base_manager
    there = set(accounts.filter(pk__in=list(noted)).values_list("pk", flat=True))
    gone = {pk: keys for pk, keys in noted.items() if pk not in there}
    of_others = accounts_by_address({key for keys in gone.values() for key in keys})
    free = frozenset(key for key, found in of_others.items() if not found)
    person = Person(pks=frozenset(map(str, gone)), keys=free, own_keys=free)
    db.retried(lambda: _forget_addresses(person))
    _keep_counting([tally for pk in gone for tally in tallies.get(pk, ())])
    # Where a worker is at a chunk, it takes out by itself whom it does not find.
    with suppress(ErasureRefused):
        for mailing in db.retried(lambda: leave_out(person, reason=SkipReason.GONE)):
            finish_mailing(mailing)


def _keep_counting(tallies: list[Tally]) -> None:
    """Have the emails of accounts that are gone count for who of the staff sent them, and is still there."""
    accounts = get_user_model()._base_manager
    there = set(accounts.filter(pk__in={tally.by_id for tally in tallies if tally.by_id}).values_list("pk", flat=True))
    of_staff = [Tally(by_id=each.by_id, kind=each.kind, counted_at=each.counted_at) for each in tallies]
    db.retried(lambda: Tally.objects.bulk_create([tally for tally in of_staff if tally.by_id in there]))


def _forget_addresses(person: Person) -> None:
    outbox.forget_requests(person.own_keys)
    bad_addresses.of_keys(person.own_keys).delete()
