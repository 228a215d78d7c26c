"""The panel on the home of Wagtail's admin: how many people need help, by reason, each a link to the list of them."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from wagtail.admin.ui.components import Component

from ..accounts import has_passwords
from ..models import QUIET, Need, NeedsHelp, Shelf
from . import permissions
from .mailing_pages import TEMPLATES
from .media import LISTING_MEDIA
from .needs_help_list import within_reach

# How old, in seconds, what the panel says may be.
KEPT_SECONDS = 60


class NeedsHelpPanel(Component):  # type: ignore[misc]
    """
    Counts the loud reasons alone, and only people whose resets the reader may see. Empty where there is nobody.

    One query a minute for all readers of the same reach: each loud reason is a stretch of an index, and who is out of
    reach is a short list beside it. So a limited reach is counted, too.
    """

    name = "member_reset_needs_help"
    template_name = TEMPLATES + "needs_help_panel.html"
    order = 150
    media = LISTING_MEDIA

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
        url, found = reverse("wagtail_member_reset_admin:needs_help"), counts(self.reader)
        reasons = [(Need(reason).label, number, f"{url}?reason={reason}") for reason, number in sorted(found.items())]
        return {"reasons": reasons, "url": url}


def add_panel(request: HttpRequest, panels: list[Any]) -> None:
    """For Wagtail's hook: nothing for who may see no resets, nor where there are no passwords."""
    if has_passwords() and permissions.may_see_resets(request.user):
        panels.append(NeedsHelpPanel(request.user))


def counts(reader: Any) -> dict[int, int]:
    """How many need help for each loud reason; kept for a minute, apart for each reach."""
    key = f"wagtail_member_reset.needs_help.{permissions.reach(reader)}"
    return cache.get_or_set(key, lambda: _counted(reader), KEPT_SECONDS) or {}


def _counted(reader: Any) -> dict[int, int]:
    rows = within_reach(reader, NeedsHelp.objects.filter(shelf=Shelf.OPEN, reason__lt=QUIET))
    return dict(rows.order_by().values_list("reason").annotate(Count("pk")))
