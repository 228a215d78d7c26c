"""The rest of a stopped mailing: whom it did not reach, and that nobody of them is mailed twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from .. import db
from ..models import REFUSED_CODES, Mailing, MailingChunk, MailingState, Origin, ResetEmail, SkipReason
from .choose import Choice, Kind, choice_from_json, holds_back_admins, out_of_reach
from .in_chunks import COUNTED, accounts_with, keys_in_chunks
from .naming import name_of_rest
from .options import options_of
from .protection import limits_of_rest
from .state import missed_emails


def rest_of(mailing: Mailing, *, beyond: Q | None) -> dict[str, Any] | None:
    """
    A mailing to those who are `remaining` of a stopped one, in its way, as `mailings.drafted` takes it; None where
    there is nobody.

    It pauses by itself as the stopped one would have, had it been resumed.
    """
    # Who gets another email while this reads on is left out as the draft starts.
    now = timezone.now()
    keys = remaining(mailing, beyond=beyond)
    if not keys:
        return None
    choice = Choice(
        kind=Kind.IDS,
        ids=tuple(keys),
        mailing=mailing.pk,
        rest_of=first_of(mailing),
        held_back=holds_back_admins(mailing.choice),
    )
    return {
        **options_of(mailing),
        **limits_of_rest(mailing),
        "choice": choice,
        # They may have a link that this mailing made, and have got no email.
        "again": True,
        "origin": Origin(mailing.origin),
        "name": name_of_rest(mailing),
        "included": mailing.included,
        "created_at": now,
    }


def remaining(mailing: Mailing, *, beyond: Q | None = None) -> list[Any]:
    """
    The keys of those whom a stopped mailing did not reach, nor any email since, and who wait in no mailing to its rest;
    but for accounts `beyond` who asks.

    Reads all of them, so it is for mailings that have ended.
    """
    keys, since = _missed_by(mailing), mailing.finished_at or mailing.created_at
    return _unreached(keys, first_of(mailing), since=since, beyond=out_of_reach(mailing.choice, beyond))


def _missed_by(mailing: Mailing) -> list[Any]:
    """The keys of the members whom a stopped mailing did not reach, but for those whose address was refused."""
    stopped = ResetEmail.objects.filter(mailing=mailing.pk, skip_reason=SkipReason.STOPPED)
    # An address that was refused is for staff to put right, in the member's tab; what our own server refused is not.
    refused = Q(result_code__startswith="smtp_5", result_cause="") | Q(result_code__in=REFUSED_CODES)
    missed = missed_emails(mailing).exclude(refused)
    unreached = (stopped | missed).order_by("pk")
    return [*keys_in_chunks(mailing), *unreached.values_list("member", flat=True)]


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
    free = (key for key in keys if str(key) not in waiting)
    parts = (accounts_with(part, beyond) for part in db.parts(free, COUNTED))
    return [key for accounts in parts for key in accounts.exclude(emailed).values_list("pk", flat=True)]
