"""Members whom a mailing has not reached: those for whom nothing was written yet stand in its chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from .. import db
from ..accounts import Member, but_for
from ..models import REFUSED_CODES, Mailing, MailingChunk, MailingState, ResetEmail, SkipReason
from .choose import Choice, choice_from_json, out_of_reach
from .state import missed_emails

# Keys in one statement.
COUNTED, LISTED = 10_000, 100


def count_left(mailing: Mailing, *, hidden: Q | None) -> int:
    """How many there are, but for those `hidden` from the reader. Reads every chunk."""
    if hidden is None and mailing.is_under_way:
        return sum(map(len, mailing.chunks.values_list("members", flat=True)))
    return sum(_visible(part, hidden).count() for part in db.parts(keys_left(mailing), COUNTED))


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
        yield from ((f"{chunk.pk}_{member.pk}", member) for member in members_with(keys[begin:], hidden=hidden))


def keys_left(mailing: Mailing) -> list[Any]:
    """The keys of all of them, as they are at one moment: a worker may take them from their chunks at any time."""
    return [key for members in mailing.chunks.order_by("pk").values_list("members", flat=True) for key in members]


def members_with(keys: Iterable[Any], *, hidden: Q | None) -> Iterator[Member]:
    """The members with these keys, in their order, who are still there, but for those hidden."""
    for part in db.parts(keys, LISTED):
        found = {str(member.pk): member for member in _visible(part, hidden)}
        yield from (found[key] for key in map(str, part) if key in found)


def remaining(mailing: Mailing, *, beyond: Q | None = None) -> list[Any]:
    """
    The keys of those whom a stopped mailing did not reach, nor any email since, and who wait in no mailing to its rest;
    but for accounts `beyond` who asks.

    Reads all of them, so it is for mailings that have ended.
    """
    keys, since = _rest_of(mailing), mailing.finished_at or mailing.created_at
    return _unreached(keys, first_of(mailing), since=since, beyond=out_of_reach(mailing.choice, beyond))


def _rest_of(mailing: Mailing) -> list[Any]:
    """The keys of the members whom a stopped mailing did not reach, but for those whose address was refused."""
    stopped = ResetEmail.objects.filter(mailing=mailing.pk, skip_reason=SkipReason.STOPPED)
    # An address that was refused is for staff to put right, in the member's tab; what our own server refused is not.
    refused = Q(result_code__startswith="smtp_5", result_cause="") | Q(result_code__in=REFUSED_CODES)
    missed = missed_emails(mailing).exclude(refused)
    unreached = (stopped | missed).order_by("pk")
    return [*keys_left(mailing), *unreached.values_list("member", flat=True)]


def first_of(mailing: Mailing) -> int:
    """The key of the mailing itself; where it is the rest of another one, of the first of them all."""
    return int(mailing.choice.get("rest_of") or mailing.pk)


def still_chosen(mailing: Mailing, *, is_starting: bool = False) -> Choice:
    """
    Who is chosen for a mailing; to the rest of another, without those whom a colleague has mailed or taken up since.

    To start is part of a transaction: of two that start such mailings at once, one waits for the other.
    """
    choice = choice_from_json(mailing.choice)
    if choice.rest_of is None:
        return choice
    if is_starting:
        Mailing.objects.filter(pk=choice.rest_of).update(state=F("state"))
    left = set(map(str, _unreached(list(choice.ids), choice.rest_of, since=mailing.created_at, beyond=None)))
    return replace(choice, ids=tuple(key for key in choice.ids if str(key) in left))


def _unreached(keys: list[Any], first: int, *, since: datetime, beyond: Q | None) -> list[Any]:
    """Of these keys, those who got no email since, and wait in no mailing that goes on from the first one."""
    under_way = Mailing.objects.filter(state__in=[MailingState.RUNNING, MailingState.PAUSED])
    going_on = under_way.filter(choice__rest_of=first).values_list("pk", flat=True)
    chunks = MailingChunk.objects.filter(mailing__in=list(going_on)).values_list("members", flat=True)
    waiting = {str(key) for members in chunks for key in members}
    emailed = Exists(ResetEmail.objects.mailed().filter(member=OuterRef("pk"), created_at__gt=since))
    parts = (_visible(part, beyond) for part in db.parts((key for key in keys if str(key) not in waiting), COUNTED))
    return [key for accounts in parts for key in accounts.exclude(emailed).values_list("pk", flat=True)]


def has_missed(mailing: Mailing, *, beyond: Q | None = None) -> bool:
    """Whether there is anybody whom `try_failed_again` would take up anew."""
    if mailing.state == MailingState.STOPPED or not (mailing.failed or mailing.skipped):
        return False
    return missed_emails(mailing, beyond=out_of_reach(mailing.choice, beyond)).exists()


def _visible(keys: list[Any], hidden: Q | None) -> QuerySet[Any]:
    """The accounts with these keys that are still there, but for those hidden."""
    return but_for(get_user_model()._base_manager.filter(pk__in=keys), hidden)
