"""What a mailing is called: as staff name it, else by whom it is for and by its date. Never by a number."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from .. import languages, moments
from ..accounts import one_line, one_line_of_text
from ..models import Mailing
from .choose import Kind, Source

LONGEST_NAME = Mailing._meta.get_field("name").max_length or 0


def name_of(mailing: Mailing) -> str:
    """What staff called it; by its date, where nobody gave it a name."""
    return mailing.name or name_by_date(mailing.started_at or mailing.created_at)


def name_by_date(moment: datetime) -> str:
    return _("Mailing of %(date)s") % {"date": moments.date(moment)}


def default_name(chosen: dict[str, Any]) -> str:
    """A name for a mailing that is drafted now. `chosen` is its `choice`."""
    kind, today = chosen["kind"], {"date": moments.date(timezone.now())}
    if kind == Kind.MAILING.value and (earlier := Mailing.objects.filter(pk=chosen["mailing"]).first()):
        return name_after(earlier, _("%(name)s (not got in yet)"))
    if kind == Kind.NEVER_SIGNED_IN.value:
        return _("Not got in yet, %(date)s") % today
    if kind == Kind.GROUPS.value:
        return _("Members of groups, %(date)s") % today
    if kind == Kind.FILE.value:
        return _("People in a file, %(date)s") % today
    source = chosen.get("source")
    if kind == Kind.LISTING.value or source == Source.LISTING.value:
        return _("Picked from the listing, %(date)s") % today
    if source == Source.NEEDS_HELP.value:
        return _("Picked from “Needs help”, %(date)s") % today
    if kind == Kind.IDS.value:
        return _("Selected people, %(date)s") % today
    return name_by_date(timezone.now())


def name_of_rest(mailing: Mailing) -> str:
    return name_after(mailing, _("%(name)s (the rest)"))


def name_of_reminder() -> str:
    """A worker gives it, who has no language of a reader's."""
    with translation.override(languages.spoken()):
        return _("Reminder, %(date)s") % {"date": moments.date(timezone.now())}


def name_after(mailing: Mailing, pattern: str) -> str:
    """The name of another mailing within a pattern, cut where that would be too long."""
    name = name_of(mailing)
    room = LONGEST_NAME - len(pattern % {"name": ""})
    return pattern % {"name": name if len(name) <= room else f"{name[: room - 1]}…"}


def clean_name(name: str) -> str:
    """On one line, without what nobody sees, and no longer than a name may be."""
    return one_line(name)[:LONGEST_NAME]


def clean_paragraph(text: str) -> str:
    """Text for members: its lines and empty lines stay, what nobody sees goes."""
    lines = [one_line_of_text(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
