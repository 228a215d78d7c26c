"""Members whom a mailing has not reached: those for whom nothing was written yet stand in its chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..accounts import Member
from ..models import EmailState, Mailing, MailingState, ResetEmail
from .choose import out_of_reach
from .state import missed_emails, rest_of

# Keys in one statement.
COUNTED, LISTED = 10_000, 100


def count_left(mailing: Mailing, *, hidden: Q | None) -> int:
    """How many there are, but for those `hidden` from the reader. Reads every chunk."""
    if hidden is None and mailing.is_under_way:
        return sum(map(len, mailing.chunks.values_list("members", flat=True)))
    keys = (key for members in mailing.chunks.values_list("members", flat=True) for key in members)
    return sum(_visible(part, hidden).count() for part in _parts(keys, COUNTED))


def members_left(mailing: Mailing, *, hidden: Q | None, after: str = "") -> Iterator[tuple[str, Member]]:
    """The members, but for those hidden, each with a place `after` which another call goes on."""
    first, _underscore, last = after.partition("_")
    chunks = mailing.chunks.order_by("pk")
    if first.isdecimal() and len(first) < 19:  # what a database takes for a key
        chunks = chunks.filter(pk__gte=int(first))
    for chunk in chunks.iterator(chunk_size=1):
        keys = [str(key) for key in chunk.members]
        # Whom a worker has taken since stands in no chunk any more, nor do those before.
        begin = keys.index(last) + 1 if str(chunk.pk) == first and last in keys else 0
        for part in _parts(iter(keys[begin:]), LISTED):
            found = {str(member.pk): member for member in _visible(part, hidden)}
            yield from ((f"{chunk.pk}_{key}", found[key]) for key in part if key in found)


def keys_left(mailing: Mailing) -> list[Any]:
    """The keys of all of them, as they are at one moment: a worker may take them from their chunks at any time."""
    return [key for members in mailing.chunks.order_by("pk").values_list("members", flat=True) for key in members]


def members_with(keys: Iterable[Any], *, hidden: Q | None) -> Iterator[Member]:
    """The members with these keys, in their order, who are still there, but for those hidden."""
    for part in _parts(iter(keys), LISTED):
        found = {str(member.pk): member for member in _visible(part, hidden)}
        yield from (found[key] for key in map(str, part) if key in found)


def remaining(mailing: Mailing, *, beyond: Q | None = None) -> list[Any]:
    """
    The keys of those whom a stopped mailing did not reach, nor any email since; but for accounts `beyond` who asks.

    Reads all of them, so it is for mailings that have ended.
    """
    ended_at = mailing.finished_at or mailing.created_at
    since = ResetEmail.objects.with_link().filter(member=OuterRef("pk"), created_at__gt=ended_at)
    emailed = Exists(since.filter(state__in=[EmailState.QUEUED, EmailState.SENDING, EmailState.HANDED_OVER]))
    beyond = out_of_reach(mailing.choice, beyond)
    parts = (_visible(part, beyond) for part in _parts(iter(rest_of(mailing)), COUNTED))
    return [key for accounts in parts for key in accounts.exclude(emailed).values_list("pk", flat=True)]


def has_missed(mailing: Mailing, *, beyond: Q | None = None) -> bool:
    """Whether there is anybody whom `try_failed_again` would take up anew."""
    if mailing.state == MailingState.STOPPED or not (mailing.failed or mailing.skipped):
        return False
    missed, beyond = missed_emails(mailing), out_of_reach(mailing.choice, beyond)
    if beyond is not None:
        missed = missed.exclude(member__in=get_user_model()._base_manager.filter(beyond).values("pk"))
    return missed.exists()


def _visible(keys: list[Any], hidden: Q | None) -> QuerySet[Any]:
    """The accounts with these keys that are still there, but for those hidden."""
    accounts = get_user_model()._base_manager.filter(pk__in=keys)
    return accounts if hidden is None else accounts.exclude(hidden)


def _parts(keys: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while part := list(islice(keys, size)):
        yield part
