"""The members of one mailing, and what became of the email of each."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import BaseColumn, Column, TitleColumn

from ..models import EmailState, Mailing, ResetEmail, SkipReason
from . import mailing_pages, mailing_words, panel, permissions

# What the links above the table are called, and the emails that each leaves.
STATES = {
    "": (_("All"), list(EmailState)),
    "handed_over": (_("Handed over"), [EmailState.HANDED_OVER]),
    "failed": (_("Failed"), [EmailState.FAILED]),
    "skipped": (_("Skipped"), [EmailState.SKIPPED]),
    "waiting": (_("Waiting"), [EmailState.QUEUED, EmailState.SENDING]),
}
# Of these members, some or all have no email that could be listed.
UNLISTED = [SkipReason.NOT_ALLOWED, SkipReason.GONE, SkipReason.STOPPED]


class MailingMembers(mailing_pages.MailingIndexView):
    """
    Shows only the members whom the reader may look at: somebody else may have started the mailing.

    A page begins after the last member of the one before, so that the last of 100,000 costs what the
    first does: the rows are never counted, and none is skipped over.
    """

    model = ResetEmail
    template_name = mailing_pages.TEMPLATES + "mailing_members.html"
    page_title = _("Members")
    no_results_message = _("Nobody so far.")
    default_ordering = "pk"
    paginate_by = 50
    # The key after which the next page begins; none on the last page.
    next_after: int | None = None

    @cached_property
    def mailing(self) -> Mailing:
        return get_object_or_404(Mailing, pk=self.kwargs["pk"])

    @cached_property
    def state(self) -> str:
        wanted: str = self.request.GET.get("state", "")
        return wanted if wanted in STATES else ""

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            TitleColumn(
                "name",
                label=_("Name"),
                accessor=mailing_words.member,
                get_url=partial(_member_url, self.request.user),
            ),
            Column("recipient", label=_("Email")),
            Column("state", label=_("State"), accessor=mailing_words.fate),
        ]

    def get_index_url(self) -> str:
        return mailing_pages.url(self.mailing, "mailing_members")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return mailing_pages.breadcrumbs(self.get_page_title(), above=self.mailing)

    def get_base_queryset(self) -> QuerySet[ResetEmail]:
        emails = ResetEmail.objects.filter(mailing=self.mailing, replaced_at=None).select_related("member")
        hidden = permissions.hidden_from(self.request.user)
        if hidden is not None:
            emails = emails.exclude(member__in=get_user_model()._base_manager.filter(hidden).values("pk"))
        return emails.filter(state__in=STATES[self.state][1]) if self.state else emails

    def paginate_queryset(self, queryset: QuerySet[ResetEmail], page_size: int) -> tuple[None, None, Any, bool]:
        """One page without a paginator, whose count would read every row."""
        after = self.request.GET.get("after", "")
        if after.isdecimal() and len(after) < 19:  # what a database takes for a key
            queryset = queryset.filter(pk__gt=int(after))
        found = list(queryset[: page_size + 1])
        if len(found) > page_size:
            self.next_after = found[page_size - 1].pk
        return None, None, found[:page_size], False

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(*args, **kwargs) | {
            "mailing": self.mailing,
            "state": self.state,
            "states": [(name, label, name == self.state) for name, (label, _states) in STATES.items()],
            "has_more_waiting": self._shows("waiting") and self.mailing.is_under_way and self.mailing.chunks.exists(),
            "has_more_skips": self._shows("skipped")
            and self.mailing.skips.filter(reason__in=UNLISTED, count__gt=0).exists(),
            "is_first": not self.request.GET.get("after"),
            "next_after": self.next_after,
        }

    def _shows(self, state: str) -> bool:
        return self.state in ("", state)


def _member_url(reader: Any, email: ResetEmail) -> str:
    return panel.page_url(reader, email.member)
