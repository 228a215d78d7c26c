"""Dates, times and zones in words, so that nobody reads them a day or an hour wrong."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, tzinfo

from django.utils import dateformat, formats, timezone, translation
from django.utils.translation import gettext as _

from . import languages

# Names for Greenwich, and the zones that have an offset for a name, with the sign turned round.
UNIVERSAL = re.compile(r"(?:Etc/)?(?:UTC|UCT|Zulu|Universal|Greenwich|GMT[+-]?0?)")
OFFSET = re.compile(r"Etc/GMT([+-])([0-9]{1,2})")
# Such as CET and EST5EDT, which are said as they are written; PRC, ROC and ROK are countries.
ABBREVIATION = re.compile(r"(?!PRC|RO[CK])[A-Z]{3}(?:[0-9][A-Z]{3})?")
# Old names of zones after parts of these.
COUNTRIES = {"Brazil", "Chile", "Mexico"}


def date_and_time(moment: datetime) -> str:
    """In the language of our words beside; in the reader's zone, if `moment` is aware."""
    local = on_the_wall(moment)
    return " ".join(filter(None, [in_format("DATETIME_FORMAT", local), offset_if_twice(local)]))


def date(moment: datetime) -> str:
    """The day alone, as `date_and_time` tells it."""
    return in_format("DATE_FORMAT", on_the_wall(moment))


def in_format(name: str, moment: datetime | time) -> str:
    """As Django's format of this name has it, in the language of our words beside, also where nothing is translated."""
    language = languages.here()
    form = formats.get_format(name, lang=language or None)
    with translation.override(language or None):
        return str((dateformat.format if isinstance(moment, datetime) else dateformat.time_format)(moment, form))


def on_the_wall(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """
    As a clock in the zone shows it, which is the reader's where none is given.

    On a site without time zones (`USE_TZ = False`), moments are naive and stay as they are.
    """
    return timezone.localtime(moment, zone) if timezone.is_aware(moment) else moment


def deadline(moment: datetime) -> str:
    """The same of a moment at which something ends; at midnight, the minute before."""
    return date_and_time(last_minute(on_the_wall(moment)))


def last_minute(moment: datetime) -> datetime:
    """
    The moment, in whole minutes, at which something still works that ends then.

    Midnight belongs to two days, so the minute before it is named. `moment` is as it is told, in its zone.
    """
    moment = moment.replace(second=0, microsecond=0)
    if moment.hour or moment.minute:
        return moment
    if timezone.is_naive(moment):
        return moment - timedelta(minutes=1)
    # Through UTC, since a clock may have been set in between.
    before = moment.astimezone(timezone.get_fixed_timezone(0)) - timedelta(minutes=1)
    return before.astimezone(moment.tzinfo)


def offset_if_twice(moment: datetime) -> str:
    """Such as "UTC+2" for a clock time that comes twice, when summer time ends; else empty."""
    offset = moment.utcoffset()
    if offset is None or moment.replace(fold=1 - moment.fold).utcoffset() == offset:
        return ""
    sign, minutes = "-" if offset < timedelta() else "+", abs(offset) // timedelta(minutes=1)
    return f"UTC{sign}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "")


def zone_in_words(name: str) -> str:
    """A time zone as people say it: "Berlin time" for Europe/Berlin."""
    if UNIVERSAL.fullmatch(name):
        return "UTC"
    if found := OFFSET.fullmatch(name):
        return f"UTC{'-' if found[1] == '+' else '+'}{int(found[2])}"
    if ABBREVIATION.fullmatch(name):
        return name
    region, _slash, place = name.replace("_", " ").partition("/")
    place = f"{region} ({place})" if region in COUNTRIES else (place or region).rpartition("/")[2]
    return _("%(place)s time") % {"place": place}


def sentence(text: str, **values: str) -> str:
    """Sentences with their values. A value that ends in a full stop, such as "2:07 p.m.", ends its sentence, too."""
    for name, value in values.items():
        if value.endswith("."):
            text = text.replace(f"%({name})s.", f"%({name})s")
    return text % values
