"""Members of a mailing who have no email's row yet: they stand in its chunks, also where it was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from ..accounts import Member
from ..models import Mailing

# Keys in one statement.
COUNTED, LISTED = 10_000, 100


def count_left(mailing: Mailing, *, hidden: Q | None) -> int:
    """How many there are, but for those `hidden` from the reader. Reads every chunk."""
    if hidden is None and mailing.is_under_way:
        return sum(map(len, mailing.chunks.values_list("members", flat=True)))
    keys = (key for members in mailing.chunks.values_list("members", flat=True) for key in members)
    return sum(visible(part, hidden).count() for part in _parts(keys, COUNTED))


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
            found = {str(member.pk): member for member in visible(part, hidden)}
            yield from ((f"{chunk.pk}_{key}", found[key]) for key in part if key in found)


def visible(keys: list[Any], hidden: Q | None) -> QuerySet[Any]:
    """The accounts with these keys that are still there, but for those hidden."""
    accounts = get_user_model()._base_manager.filter(pk__in=keys)
    return accounts if hidden is None else accounts.exclude(hidden)


def _parts(keys: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while part := list(islice(keys, size)):
        yield part
