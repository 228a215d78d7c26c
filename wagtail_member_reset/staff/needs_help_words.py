"""What the list of who needs help, and its files, say of a row."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.utils import get_user_display_name

from ..models import Need, NeedsHelp

ACTIONS = {
    Need.NO_SUCH_ADDRESS: _("Correct the address"),
    Need.COMPLAINED: _("Talk to them, and copy the link"),
    Need.REFUSED: _("Copy the link"),
    Need.MAILBOX_FULL: _("Copy the link, or send again"),
    Need.FAILED: _("Send again"),
    Need.LINK_ENDED: _("Send a new link"),
    Need.ABOUT_TO_EXPIRE: _("Send again"),
    Need.EXPIRED: _("Send a new link"),
    Need.NO_PASSWORD: _("Send again"),
    Need.NO_ADDRESS: _("Enter an address"),
}


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
