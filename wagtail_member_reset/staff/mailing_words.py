"""The words for mailings: cells of the two listings, headings, and what remains to be done."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils.formats import number_format, time_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.utils import get_user_display_name

from .. import moments
from ..mailing import has_hours, has_started, name_of, opens_at
from ..models import EmailState, Mailing, MailingState, ResetEmail

# A cell that begins so is computed; the wide signs are read alike. Where a language puts semicolons between cells, a
# spreadsheet takes one within a text for the end of a cell, whatever the file itself has.
FORMULA = re.compile(r"""(^|[;,|\t\r\n])(?=[\s"']*[=+\-@＝＋－＠])""")  # noqa: RUF001


def choice(chosen: dict[str, Any], filters: Iterable[str] = ()) -> str:
    """How the members of a mailing were chosen. `filters` are those of the user listing, as it names them."""
    kind = chosen["kind"]
    if kind == "never_signed_in":
        return _("Everybody who has not got in yet")
    if kind == "groups":
        names = Group.objects.filter(pk__in=chosen["groups"]).order_by("name").values_list("name", flat=True)
        return _("Members of %(groups)s") % {"groups": ", ".join(names)}
    if kind == "listing":
        said = ", ".join(filters)
        return _("Users in the listing (%(filters)s)") % {"filters": said} if said else _("Users in the listing")
    if kind == "reminder":
        return _("People whose unused welcome link is about to expire")
    if kind == "mailing":
        earlier = Mailing.objects.defer("choice").filter(pk=chosen["mailing"]).first()
        if earlier is None:
            return _("Members of an earlier mailing who have not got in yet")
        return _("Members of “%(name)s” who have not got in yet") % {"name": name_of(earlier)}
    if kind == "file":
        return _("People in a file")
    if kind == "ids":
        return _("People picked from the listing")
    return _("All accounts")


def name(mailing: Mailing) -> str:
    return name_of(mailing)


def file_name(mailing: Mailing, what: str) -> str:
    """For a download of the mailing's: ASCII, as every browser takes it."""
    return f"{slugify(name(mailing)) or 'mailing'}-{what}.csv"


def starter(mailing: Mailing) -> str:
    return str(get_user_display_name(mailing.created_by)) if mailing.created_by else ""


def progress(mailing: Mailing) -> str:
    return _("%(done)s of %(all)s") % {"done": grouped(mailing.handed_over), "all": grouped(mailing.chosen)}


def member(email: ResetEmail) -> str:
    return str(get_user_display_name(email.member))


def fate(email: ResetEmail) -> str:
    """What became of an email: its state, and why it was not sent."""
    said = [email.get_state_display()]
    if email.skip_reason:
        said.append(email.get_skip_reason_display())
    if email.state == EmailState.FAILED and email.result_text:
        said.append(email.result_text)
    return ": ".join(map(str, said))


def title(mailing: Mailing) -> str:
    """The heading of a mailing's page: what it is doing, or has done."""
    chosen, mailed = {"number": grouped(mailing.chosen)}, {"number": grouped(mailing.handed_over)}
    if mailing.state == MailingState.RUNNING and (moment := opens_at(mailing)):
        when = {"when": moments.date_and_time(moment)}
        return _("Goes on %(when)s") % when if has_started(mailing) else _("Starts %(when)s") % when
    if mailing.state == MailingState.RUNNING:
        return ngettext("Sending to %(number)s member", "Sending to %(number)s members", mailing.chosen) % chosen
    if mailing.state == MailingState.PAUSED:
        return _("Sending is paused")
    if mailing.state == MailingState.STOPPED:
        return _("Sending was stopped")
    return ngettext("Sent to %(number)s member", "Sent to %(number)s members", mailing.handed_over) % mailed


def state(mailing: Mailing) -> str:
    """In the list: its state, or when it starts."""
    if mailing.state == MailingState.RUNNING and not has_started(mailing):
        return title(mailing)
    return str(mailing.get_state_display())


def start_time(mailing: Mailing) -> str:
    """When it is to start; empty where at once."""
    return "" if mailing.starts_at is None else moments.date_and_time(mailing.starts_at)


def start_sentence(mailing: Mailing) -> str:
    """Of a draft; empty where it starts at once."""
    return "" if has_started(mailing) else moments.sentence(_("Starts %(when)s."), when=start_time(mailing))


def hours(mailing: Mailing) -> str:
    """Within which hours it sends; empty for any."""
    if not has_hours(mailing):
        return ""
    start, end = (str(time_format(each, "TIME_FORMAT")) for each in (mailing.hours_from, mailing.hours_to) if each)
    zone = moments.zone_in_words(settings.TIME_ZONE)
    return _("%(start)s to %(end)s (%(zone)s)") % {"start": start, "end": end, "zone": zone}


def time_left(left: timedelta | None) -> str:
    """A rough estimate; empty where there is none."""
    if left is None:
        return ""
    seconds = max(int(left.total_seconds()), 1)
    if seconds < 90:
        return ngettext("about %(n)d second left", "about %(n)d seconds left", seconds) % {"n": seconds}
    if seconds < 90 * 60:
        minutes = round(seconds / 60)
        return ngettext("about %(n)d minute left", "about %(n)d minutes left", minutes) % {"n": minutes}
    hours = round(seconds / 3600)
    if hours < 48:
        return ngettext("about %(n)d hour left", "about %(n)d hours left", hours) % {"n": hours}
    days = round(hours / 24)
    return ngettext("about %(n)d day left", "about %(n)d days left", days) % {"n": days}


def harmless(text: str) -> str:
    """Text that a spreadsheet shows and does not compute: https://owasp.org/www-community/attacks/CSV_Injection"""
    return FORMULA.sub(r"\1'", text)


def grouped(number: int) -> str:
    return str(number_format(number, use_l10n=True, force_grouping=True))
