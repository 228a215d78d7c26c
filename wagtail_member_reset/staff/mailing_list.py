"""The list of mailings."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BaseColumn, Column, DateColumn, StatusTagColumn, TitleColumn
from wagtail.models import Site

from .. import links
from ..models import Mailing, MailingState
from . import mailing_pages, mailing_words, permissions, site_choice

SITE = pgettext_lazy("Wagtail site", "Site")


class MailingFilters(WagtailFilterSet):  # type: ignore[misc]
    class Meta:
        model = Mailing
        fields = ["state"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        drafts = (MailingState.DRAFT.value, mailing_words.draft())
        self.filters["state"].label = _("State")
        self.filters["state"].extra["choices"] = [drafts, *MailingState.choices[1:]]


class MailingList(mailing_pages.MailingIndexView):
    """
    All mailings that were ever started, and the reader's own drafts; the latest first.

    The drafts of others are not listed: they are previews that nobody has said yes to, and are purged.
    """

    model = Mailing
    page_title = _("Mailings")
    add_item_label = _("New mailing")
    add_url_name = "wagtail_member_reset_admin:mailing_new"
    index_url_name = "wagtail_member_reset_admin:mailings"
    index_results_url_name = "wagtail_member_reset_admin:mailings_results"
    filterset_class = MailingFilters
    default_ordering = "-listed_at"
    paginate_by = 20

    @cached_property
    def columns(self) -> list[BaseColumn]:
        # The failures may be those of people beyond the reader's reach.
        outcome = mailing_words.outcome if self._sees_all() else mailing_words.plain_outcome
        return [
            TitleColumn("name", label=_("Mailing"), accessor=mailing_words.name, get_url=mailing_pages.url),
            Column("choice", label=_("Who"), accessor=self._choice),
            *([Column("site", label=SITE, accessor=self._site)] if self._offered else ()),
            # The counters are about everybody, also beyond the reader's reach.
            *([Column("progress", label=_("Done"), accessor=mailing_words.progress)] if self._sees_all() else ()),
            StatusTagColumn("state", label=_("State"), accessor=outcome, primary=lambda each: each.is_under_way),
            DateColumn("started_at", label=_("Started"), sort_key="listed_at"),
            Column("by", label=_("By"), accessor=mailing_words.starter),
        ]

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        answer = super().paginate_queryset(queryset, page_size)
        # Read once: the table shows the same rows.
        self._names = mailing_words.names_in(each.choice for each in answer[2])
        return answer

    def _choice(self, mailing: Mailing) -> str:
        return mailing_pages.choice(self.request, mailing, self._names)

    @cached_property
    def _offered(self) -> list[Site]:
        return links.offered_sites()

    def _site(self, mailing: Mailing) -> str:
        return site_choice.named(mailing.site, self._offered)

    def _sees_all(self) -> bool:
        return permissions.hidden_from(self.request.user) is None

    def get_base_queryset(self) -> QuerySet[Mailing]:
        listed = ~Q(state=MailingState.DRAFT) | Q(created_by=self.request.user.pk)
        when = Coalesce("started_at", "changed_at")
        return Mailing.objects.filter(listed).annotate(listed_at=when).select_related("created_by", "site")
