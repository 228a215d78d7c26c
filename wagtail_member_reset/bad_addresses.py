"""
Addresses that mailings do not write to: those that do not exist, and those whose people marked an email as spam.

Mail services suspend who keeps writing to such. Known for 90 days, by a keyed digest of the address and nothing else of
it. Only mailings ask: what staff send to one member, welcomes, and what members ask for themselves go out regardless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from . import db, ids
from .accounts import address_key
from .models import BadAddress, BadVerdict

KEPT = timedelta(days=90)
KIND = "bad-address"
# Digests in one statement: with more, their parameters take longer than the search.
SLICE = 1000


def known_bad(address: str) -> BadAddress | None:
    """What is known against the address; None where nothing is. One query."""
    return current().filter(digest=_digester()(address)).first()


def known_bad_among(addresses: Iterable[str]) -> dict[str, BadAddress]:
    """The same for many, by the address as it was given. One query for each thousand."""
    found: dict[str, BadAddress] = {}
    if not current().exists():  # as on most sites
        return found
    digest, given = _digester(), dict[str, list[str]]()
    for address in dict.fromkeys(addresses):
        given.setdefault(digest(address), []).append(address)
    digests = list(given)
    for start in range(0, len(digests), SLICE):
        for bad in current().filter(digest__in=digests[start : start + SLICE]):
            found.update(dict.fromkeys(given[bad.digest], bad))
    return found


def remember(address: str, verdict: BadVerdict, *, cause: str = "", at: datetime | None = None) -> None:
    """
    Write down what became of an email to the address. Part of a transaction.

    A complaint stands for its 90 days, whatever bounces; of two that are alike the later one counts, whichever is told
    first.
    """
    digest, now = _digester()(address), timezone.now()
    told = {"verdict": verdict, "cause": cause, "happened_at": at or now}
    known = BadAddress.objects.filter(digest=digest)
    is_over = Q(happened_at__lte=now - KEPT)
    outdated = Q(happened_at__lt=told["happened_at"]) & (Q(verdict=verdict) | is_over)
    if verdict == BadVerdict.COMPLAINT:
        outdated |= Q(verdict=BadVerdict.HARD_BOUNCE)
    if known.filter(outdated).update(**told) or known.exists():
        return
    db.insert([BadAddress(digest=digest, **told)], ignore_conflicts=True)
    # Another report may have been written at the same moment.
    known.filter(outdated).update(**told)


def forget(address: str, *, until: datetime | None = None) -> bool:
    """
    Let mailings write to the address again, after a hard bounce (`until` then, if given); whether they did not.

    A complaint is not forgotten before its 90 days are over.
    """
    known = BadAddress.objects.filter(digest=_digester()(address), verdict=BadVerdict.HARD_BOUNCE)
    if until is not None:
        known = known.filter(happened_at__lte=until)
    return bool(known.delete()[0])


def current() -> QuerySet[BadAddress]:
    return BadAddress.objects.filter(happened_at__gt=timezone.now() - KEPT)


def of_keys(keys: Iterable[str]) -> QuerySet[BadAddress]:
    """The rows of the addresses with these keys, also those that are about to be forgotten."""
    return BadAddress.objects.filter(digest__in=list(map(ids.digester(KIND), keys)))


def purge(*, dry_run: bool = False) -> int:
    """Forget what is known for longer than 90 days; how many addresses. A `dry_run` only counts."""
    old = BadAddress.objects.filter(happened_at__lte=timezone.now() - KEPT)
    return old.count() if dry_run else old.delete()[0]


def _digester() -> Callable[[str], str]:
    digest = ids.digester(KIND)
    return lambda address: digest(address_key(address))
