"""What the list of who needs help, and its files, say of a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.utils import get_user_display_name

from .. import moments
from ..accounts import address_of
from ..models import Need, NeedsHelp, Shelf

ACTIONS = {
    Need.NO_SUCH_ADDRESS: gettext_lazy("Correct the address"),
    Need.COMPLAINED: gettext_lazy("Talk to them, and copy the link"),
    Need.REFUSED: gettext_lazy("See why, and copy the link"),
    Need.MAILBOX_FULL: gettext_lazy("Copy the link, or send again"),
    Need.FAILED: gettext_lazy("Copy the link, or send again"),
    Need.LINK_ENDED: gettext_lazy("Send a new link"),
    Need.ABOUT_TO_EXPIRE: gettext_lazy("Send again"),
    Need.EXPIRED: gettext_lazy("Send a new link"),
    Need.NO_PASSWORD: gettext_lazy("Send again"),
    Need.NO_ADDRESS: gettext_lazy("Enter an address"),
}
# Rows that are in memory at once.
ROWS = 500


def lines(rows: QuerySet[NeedsHelp]) -> Iterator[list[str]]:
    """The list as a table for a spreadsheet, without links."""
    yield [_("Name"), _("Email"), _("Reason"), _("When"), _("What to do"), _("Note")]
    for row in rows.iterator(chunk_size=ROWS):
        reason = str(Need(row.reason or Need.FAILED).label)
        yield [name(row), address_of(row.member), reason, _day(row.happened_at), action(row), note(row)]


def name(row: NeedsHelp) -> str:
    return str(get_user_display_name(row.member))


def action(row: NeedsHelp) -> str:
    """What staff can do about the reason."""
    return str(ACTIONS[Need(row.reason or Need.FAILED)])


def note(row: NeedsHelp) -> str:
    """What a colleague noted, and who it was."""
    if row.noted_at is None:
        return ""
    by = str(get_user_display_name(row.noted_by)) if row.noted_by else ""
    return f"{row.note} ({by})" if by and row.note else row.note or by


def noted(row: NeedsHelp) -> str:
    """When a colleague noted it, and who it was."""
    if row.noted_at is None:
        return ""
    when = moments.date_and_time(row.noted_at)
    if row.noted_by is None:
        return when
    return _("%(when)s by %(staff)s") % {"when": when, "staff": get_user_display_name(row.noted_by)}


def until(row: NeedsHelp) -> str:
    """When somebody who was put off is shown again."""
    return moments.date_and_time(row.until) if row.until else ""


def state(row: NeedsHelp) -> str:
    """Where the person stands on the list."""
    if row.shelf == Shelf.LATER and row.until:
        return _("Later: shown again on %(when)s") % {"when": until(row)}
    return str(Shelf(row.shelf).label)


def _day(moment: datetime | None) -> str:
    """The day where the reader is."""
    return moments.on_the_wall(moment).date().isoformat() if moment else ""
