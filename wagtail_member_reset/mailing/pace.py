"""
How fast a mailing goes: its limit and its hours, enforced when emails are claimed, and when its turn comes.

Two rules hold at once, for first attempts, retries and reminders alike. In any 60 minutes, a mailing with a limit
claims no email once as many were claimed, by whomever and of whatever kind. And it claims no faster than
its limit on average, so that they do not all leave in the first minute; a pass that comes late makes up for up to ten
minutes. Single emails are counted, but never wait.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F, Min, QuerySet, Sum
from django.utils import timezone

from .. import db
from ..models import ClaimedMinute, Mailing, MailingState
from . import hours, wave

WINDOW = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# What a mailing makes up for at most, as time at its limit.
CATCH_UP = timedelta(minutes=10)
# After so long without progress nobody is at it: no time left can be told, and it is then estimated anew.
IDLE = timedelta(minutes=2)
# What is left is reckoned from the pace so far, once there is one.
LEAST_PACE = timedelta(seconds=3)


class Room(NamedTuple):
    """So many emails that may be claimed now, and the minute in which they count."""

    emails: int
    minute: datetime | None = None


def reserve(mailing: Mailing, wanted: int, *, anew: bool = False) -> Room:
    """
    Claim room for as many emails of the mailing as it may send now, `wanted` at most.

    Called before emails are claimed, whatever they are; they count from here on, also if they are then not sent. What
    is not used is given back with `give_back`. All of them without a limit; 0 while the limit is used up, before the
    mailing's start time, outside its hours, and after its first wave, to which emails that are tried `anew` belong.
    """
    if (opens_at := hours.opens_at(mailing)) is not None:
        Mailing.objects.filter(pk=mailing.pk).update(turn_at=opens_at)
        return Room(0)
    places = wanted if anew else wave.take_places(mailing, wanted)
    room = _room(mailing, places)
    if not anew and room.emails < places:
        wave.return_places(mailing, places - room.emails)
    return room


def _room(mailing: Mailing, wanted: int) -> Room:
    if not mailing.per_hour or wanted <= 0:
        return Room(wanted, note(wanted))

    def attempt() -> Room:
        # Whoever claims under a limit waits here for the others who do, on every database: the count is then whole.
        Mailing.objects.filter(state=MailingState.RUNNING, per_hour__isnull=False).update(turn_at=F("turn_at"))
        now = timezone.now()
        spent_until = Mailing.objects.values_list("paced_until", flat=True).filter(pk=mailing.pk).first()
        # What was not used long ago is lost: else an idle night would leave in one burst.
        spent_until = max(spent_until or now, now - CATCH_UP - mailing.interval)
        earned = max((now - spent_until) // mailing.interval, 0)
        left = max((mailing.per_hour or 0) - _claimed_lately(now), 0)
        allowed = min(wanted, earned, left)
        spent_until += allowed * mailing.interval
        turn_at = spent_until + min(max((mailing.per_hour or 0) // 60, 1), wanted) * mailing.interval
        if allowed == left:
            turn_at = max(turn_at, _room_at(now))
        Mailing.objects.filter(pk=mailing.pk).update(paced_until=spent_until, turn_at=turn_at)
        return Room(allowed, _note(allowed))

    return db.retried(attempt)


def note(emails: int) -> datetime | None:
    """
    Count emails as claimed now: the minute in which they count, if there are any.

    Raises nothing: the emails are claimed already, and a count that lacks some is cheaper than leaving them to lie.
    """
    with suppress(InterfaceError, OperationalError):
        return db.retried(lambda: _note(emails))
    return None


def _note(emails: int) -> datetime | None:
    if emails <= 0:
        return None
    now = timezone.now()
    begun_at = now.replace(second=0, microsecond=0)
    minute = ClaimedMinute.objects.filter(minute=begun_at)
    if minute.update(emails=F("emails") + emails):
        return begun_at
    try:
        with transaction.atomic(using=db.alias()):
            ClaimedMinute.objects.create(minute=begun_at, emails=emails)
    except IntegrityError:  # another worker was the first of this minute
        minute.update(emails=F("emails") + emails)
        return begun_at
    ClaimedMinute.objects.filter(minute__lt=now - 2 * WINDOW).delete()
    return begun_at


def give_back(mailing: Mailing, room: Room, *, used: int, anew: bool = False) -> None:
    """Give back what was reserved and not used, in the minute in which it counts. Raises nothing, as `note`."""
    unused = room.emails - used
    if not anew:
        wave.return_places(mailing, unused)
    if unused <= 0 or room.minute is None:
        return
    minute = ClaimedMinute.objects.filter(minute=room.minute, emails__gte=unused)

    def attempt() -> None:
        if minute.update(emails=F("emails") - unused) and mailing.per_hour:
            # Its turn is now, too: a mailing must not wait for the room of members whom it passes over.
            unspent = F("paced_until") - unused * mailing.interval
            Mailing.objects.filter(pk=mailing.pk).update(paced_until=unspent, turn_at=None)

    with suppress(InterfaceError, OperationalError):
        db.retried(attempt)


def restart(mailing: Mailing) -> None:
    """Let the mailing begin, or go on after a pause, in its hours and with what its limit lets through in a minute."""
    spent_until = timezone.now() - max(MINUTE, mailing.interval)
    Mailing.objects.filter(pk=mailing.pk).update(paced_until=spent_until, turn_at=hours.opens_at(mailing))


def _claimed_lately(now: datetime) -> int:
    return int(_counted(now).aggregate(emails=Sum("emails"))["emails"] or 0)


def _room_at(now: datetime) -> datetime:
    """When the oldest minute that counts leaves the window."""
    first = _counted(now).filter(emails__gt=0).aggregate(first=Min("minute"))["first"]
    return (first or now) + WINDOW + MINUTE


def _counted(now: datetime) -> QuerySet[ClaimedMinute]:
    """A minute that has begun within the window, or reaches into it, counts as a whole: rather one too many."""
    return ClaimedMinute.objects.filter(minute__gt=now - WINDOW - MINUTE)


def time_left(mailing: Mailing) -> timedelta | None:
    """
    How long the rest will take: at the mailing's limit, or at its pace since it last began or went on.

    None while nobody has worked on it for a while, be it held, in another process that died, or just begun.
    """
    left = _time_left(mailing)
    # What the hours cut short goes on the next day, and nobody reckons with that.
    if left is None or not hours.has_hours(mailing):
        return left
    is_today = left < hours.DAY and not hours.opens_at(mailing, now=timezone.now() + left)
    return left if is_today else None


def _time_left(mailing: Mailing) -> timedelta | None:
    if mailing.state != MailingState.RUNNING or not mailing.waiting or hours.opens_at(mailing):
        return None
    if mailing.per_hour:
        return mailing.waiting * mailing.interval
    now = timezone.now()
    if mailing.progress_at is None or mailing.measured_at is None or now - mailing.progress_at > IDLE:
        return None
    passed, done = now - mailing.measured_at, mailing.handled - mailing.measured_from
    return passed / done * mailing.waiting if done > 0 and passed > LEAST_PACE else None
