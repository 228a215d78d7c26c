"""Who needs help, by mail domain: a server that refuses everybody shows at once."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from . import mailing_pages
from .mailing_words import grouped
from .needs_help_list import NeedsHelpList


class NeedsHelpDomains(NeedsHelpList):
    """The people whom the list shows, with its filters, as a number for each domain: the largest first."""

    page_title = gettext_lazy("Needs help, by mail domain")
    index_url_name = "wagtail_member_reset_admin:needs_help_domains"
    template_name = mailing_pages.TEMPLATES + "needs_help_domains.html"
    default_ordering = ("-people", "domain")
    paginate_by = 100

    def get_base_queryset(self) -> QuerySet[Any]:
        rows = self.listed().exclude(domain="").order_by().values("domain")
        return rows.annotate(people=Count("pk"), arrived=Count("pk", filter=Q(has_arrived=True)))

    def paginate_queryset(self, queryset: QuerySet[Any], page_size: int) -> tuple[None, None, Any, bool]:
        """The first page is the only one: behind it come domains of few people."""
        return None, None, list(queryset[:page_size]), False

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        return context | {
            "domains": [
                (self.list_url(domain=group["domain"]), _words(group, hears_nothing=context["hears_nothing"]))
                for group in context["object_list"]
            ],
            "has_more": len(context["object_list"]) == self.paginate_by,
            "most": self.paginate_by,
        }

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        above = {"url": reverse("wagtail_member_reset_admin:needs_help"), "label": _("Needs help")}
        home, here = super().get_breadcrumbs_items()
        return [home, above, here]


def _words(group: dict[str, Any], *, hears_nothing: bool) -> str:
    """How many, where, and of how many the latest email is known to have arrived."""
    people, arrived = group["people"], group["arrived"]
    said = {"number": grouped(people), "domain": group["domain"], "arrived": grouped(arrived)}
    if arrived:
        return _("%(number)s at %(domain)s, %(arrived)s delivered") % said
    if hears_nothing:
        return _("%(number)s at %(domain)s") % said
    return (
        ngettext("%(number)s at %(domain)s, not delivered", "%(number)s at %(domain)s, none delivered", people) % said
    )
