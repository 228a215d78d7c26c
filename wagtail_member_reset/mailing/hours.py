"""
When a mailing may send: from its start time on, and within its hours, in the site's time zone.

`pace` asks before emails are claimed, and whoever sends them asks between two of them. The clock on the wall is what
counts, so hours stay what they are when summer time begins or ends.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils import timezone

from .. import moments
from ..models import Mailing

DAY = timedelta(days=1)


def opens_at(mailing: Mailing, *, now: datetime | None = None) -> datetime | None:
    """When it may send next; None where it may now."""
    now = now or timezone.now()
    begin = max(now, mailing.starts_at or now)
    if not _is_within(mailing, begin):
        begin = _next_opening(mailing, begin)
    return begin if begin > now else None


def has_started(mailing: Mailing) -> bool:
    return mailing.starts_at is None or mailing.starts_at <= timezone.now()


def has_hours(mailing: Mailing) -> bool:
    """Hours from a time to the same time are all hours."""
    return None not in (mailing.hours_from, mailing.hours_to) and mailing.hours_from != mailing.hours_to


def _is_within(mailing: Mailing, moment: datetime) -> bool:
    if not has_hours(mailing):
        return True
    start, end, clock = _time(mailing.hours_from), _time(mailing.hours_to), _on_the_wall(moment).time()
    return start <= clock < end if start < end else clock >= start or clock < end


def _next_opening(mailing: Mailing, after: datetime) -> datetime:
    """
    When the hours begin next. A time that the clock passes over, or shows twice, is tried both ways.

    Where hours lie wholly within an hour that a day lacks, they are the next day's.
    """
    today, start = _on_the_wall(after).date(), _time(mailing.hours_from)
    for days in range(4):
        local = datetime.combine(today + days * DAY, start)
        for moment in sorted(_moments(local, like=after)):
            if moment > after and _is_within(mailing, moment):
                return moment
    return after + DAY  # no clock is set so often


def _moments(local: datetime, *, like: datetime) -> list[datetime]:
    if timezone.is_naive(like):
        return [local]
    zone, utc = timezone.get_default_timezone(), timezone.get_fixed_timezone(0)
    return [local.replace(tzinfo=zone, fold=fold).astimezone(utc) for fold in (0, 1)]


def _on_the_wall(moment: datetime) -> datetime:
    return moments.on_the_wall(moment, timezone.get_default_timezone())


def _time(stored: time | None) -> time:
    assert stored is not None
    return stored
