"""What staff read of mailings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Mailing, MailingState

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take these for the others
STATES = {
    "": gettext_lazy("All"),
    "handed_over": gettext_lazy("Handed over"),
    "failed": gettext_lazy("Failed"),
    "skipped": gettext_lazy("Skipped"),
    "waiting": gettext_lazy("Waiting"),
}


def choice(chosen: dict[str, Any], filters: Iterable[str] = ()) -> str:
    """How the members of a mailing were chosen, in a few words; with the `filters` of the listing, in words too."""
    kind = chosen["kind"]
    if kind == "never_signed_in":
        return _("Everybody who has never signed in")
    if kind == "groups":
        names = Group.objects.filter(pk__in=chosen["groups"]).order_by("name").values_list("name", flat=True)
        return _("Members of %(groups)s") % {"groups": ", ".join(names)}
    if kind == "listing":
        said = ", ".join(filters)
        return _("Users in the listing (%(filters)s)") % {"filters": said} if said else _("Users in the listing")
    if kind == "reminder":
        return _("People whose welcome link runs out unused")
    if kind == "mailing":
        return _("Those of mailing %(number)s who have not got in yet") % {"number": chosen["mailing"]}
    if kind == "file":
        return _("People in a file")
    if kind == "ids":
        return _("People picked one by one")
    return _("All accounts")


def name(mailing: Mailing) -> str:
    return _("Mailing %(number)s") % {"number": mailing.pk}


def title(mailing: Mailing) -> str:
    """What a mailing is doing, or has done."""
    chosen, mailed = {"number": grouped(mailing.chosen)}, {"number": grouped(mailing.handed_over)}
    if mailing.state == MailingState.RUNNING:
        return ngettext("Sending to %(number)s member", "Sending to %(number)s members", mailing.chosen) % chosen
    if mailing.state == MailingState.PAUSED:
        return _("Sending is paused")
    if mailing.state == MailingState.STOPPED:
        return _("Sending was stopped")
    return ngettext("Sent to %(number)s member", "Sent to %(number)s members", mailing.handed_over) % mailed


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


def harmless(text: str) -> str:
    """A cell that a spreadsheet shows and does not compute: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text.startswith(FORMULAS) else text


def grouped(number: int) -> str:
    return str(number_format(number, use_l10n=True, force_grouping=True))
