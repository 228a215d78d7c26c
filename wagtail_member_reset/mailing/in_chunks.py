"""The members in a mailing's chunks, for whom nothing was written yet: how many, and who."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from .. import db
from ..accounts import Member, but_for
from ..models import Mailing

# Keys in one statement.
COUNTED, LISTED = 10_000, 100


def count_in_chunks(mailing: Mailing, *, hidden: Q | None) -> int:
    """How many there are, but for those `hidden` from the reader. Reads every chunk."""
    if hidden is None and mailing.is_under_way:
        return sum(map(len, mailing.chunks.values_list("members", flat=True)))
    return sum(accounts_with(part, hidden).count() for part in db.parts(keys_in_chunks(mailing), COUNTED))


def members_in_chunks(mailing: Mailing, *, hidden: Q | None, after: str = "") -> Iterator[tuple[str, Member]]:
    """The members, but for those hidden, each with a place `after` which another call goes on."""
    first, _underscore, last = after.partition("_")
    chunks = mailing.chunks.order_by("pk")
    if first.isdecimal() and len(first) < 19:  # what a database takes for a key
        chunks = chunks.filter(pk__gte=int(first))
    for chunk in chunks.iterator(chunk_size=1):
        keys = [str(key) for key in chunk.members]
        # Whom a worker has taken since stands in no chunk any more, nor do those before.
        begin = keys.index(last) + 1 if str(chunk.pk) == first and last in keys else 0
        yield from ((f"{chunk.pk}_{member.pk}", member) for member in members_with(keys[begin:], hidden=hidden))


def keys_in_chunks(mailing: Mailing) -> list[Any]:
    """The keys of all of them, as they are at one moment: a worker may take them from their chunks at any time."""
    return [key for members in mailing.chunks.order_by("pk").values_list("members", flat=True) for key in members]


def members_with(keys: Iterable[Any], *, hidden: Q | None) -> Iterator[Member]:
    """The members with these keys, in their order, who are still there, but for those hidden."""
    for part in db.parts(keys, LISTED):
        found = {str(member.pk): member for member in accounts_with(part, hidden)}
        yield from (found[key] for key in map(str, part) if key in found)


def accounts_with(keys: list[Any], hidden: Q | None) -> QuerySet[Any]:
    """The accounts with these keys that are still there, but for those hidden."""
    return but_for(get_user_model()._base_manager.filter(pk__in=keys), hidden)
