"""What staff read of runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..models import BatchState, ResetBatch


def choice(chosen: dict[str, Any]) -> str:
    """How the members of a run were chosen, in a few words."""
    kind = chosen["kind"]
    if kind == "never_signed_in":
        return _("Everybody who has never signed in")
    if kind == "groups":
        names = Group.objects.filter(pk__in=chosen["groups"]).order_by("name").values_list("name", flat=True)
        return _("Members of %(groups)s") % {"groups": ", ".join(names)}
    if kind == "listing":
        return _("The listing of users: %(filters)s") % {"filters": _filters(chosen["query"])}
    if kind == "reminder":
        return _("People whose welcome link runs out unused")
    if kind == "run":
        return _("Those of run %(run)s who have not signed in") % {"run": chosen["run"]}
    if kind == "file":
        return _("People in a file")
    if kind == "ids":
        return _("People picked one by one")
    return _("All accounts")


def title(batch: ResetBatch) -> str:
    number = {"number": grouped(batch.chosen)}
    if batch.state == BatchState.RUNNING:
        return ngettext("Sending to %(number)s member", "Sending to %(number)s members", batch.chosen) % number
    if batch.state == BatchState.PAUSED:
        return ngettext("Paused: %(number)s member", "Paused: %(number)s members", batch.chosen) % number
    if batch.state == BatchState.STOPPED:
        return ngettext("Stopped: %(number)s member", "Stopped: %(number)s members", batch.chosen) % number
    return ngettext("Sent to %(number)s member", "Sent to %(number)s members", batch.chosen) % number


def time_left(left: timedelta | None) -> str:
    """Roughly, since nobody knows; empty where nothing can be said."""
    if left is None:
        return ""
    seconds = max(int(left.total_seconds()), 1)
    if seconds < 90:
        return ngettext("about %(n)d second left", "about %(n)d seconds left", seconds) % {"n": seconds}
    if seconds < 90 * 60:
        minutes = round(seconds / 60)
        return ngettext("about %(n)d minute left", "about %(n)d minutes left", minutes) % {"n": minutes}
    hours = round(seconds / 3600)
    return ngettext("about %(n)d hour left", "about %(n)d hours left", hours) % {"n": hours}


def unmatched(number: int) -> str:
    return ngettext(
        "%(number)s line of the file names no account.", "%(number)s lines of the file name no account.", number
    ) % {"number": grouped(number)}


def grouped(number: int) -> str:
    return str(number_format(number, use_l10n=True, force_grouping=True))


def _filters(query: str) -> str:
    said = [f"{name} = {value}" for name, values in QueryDict(query).lists() for value in values if value]
    return ", ".join(said) or _("all accounts")
