"""The members of one mailing, and what became of the email of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import BaseColumn, Column, TitleColumn

from ..accounts import address_of
from ..mailing import keys_in_chunks, members_in_chunks, members_with
from ..models import EmailState, Mailing, MailingState, ResetEmail, SkipReason
from . import mailing_figures, mailing_pages, mailing_words, panel, permissions, spreadsheets
from .mailing_figures import SHOWN

# Before this, the place of a member for whom nothing was written yet.
LEFT = "c"
Place = tuple[str, ResetEmail]


class FateColumn(Column):  # type: ignore[misc]
    """What became of an email, in the words of the tab; a server's own answer is folded below."""

    cell_template_name = mailing_pages.TEMPLATES + "mailing_fate.html"


class MailingMembers(mailing_pages.MailingIndexView):
    """
    Shows only the members whom the reader may look at: somebody else may have started the mailing.

    A page begins after the last member of the one before, so that the last of 100,000 costs what the
    first does: the rows are never counted, and none is skipped over.
    """

    model = ResetEmail
    template_name = mailing_pages.TEMPLATES + "mailing_members.html"
    page_title = gettext_lazy("Members")
    no_results_message = gettext_lazy("Nobody so far.")
    default_ordering = "pk"
    paginate_by = 50
    mailing: Mailing
    # The place after which the next page begins; none on the last page.
    next_after = ""

    def require(self, request: HttpRequest) -> None:
        """The draft of a file has a page for fewer people than other mailings."""
        super().require(request)
        self.mailing = mailing_pages.find(request, self.kwargs["pk"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.GET.get("export") == "csv":
            return spreadsheets.as_csv(mailing_words.file_name(self.mailing, self.shown), self._lines())
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    @cached_property
    def hidden(self) -> Q | None:
        return permissions.hidden_from(self.request.user)

    @cached_property
    def shown(self) -> str:
        wanted: str = self.request.GET.get("show", "")
        return wanted if wanted in SHOWN else ""

    @cached_property
    def reason(self) -> str:
        wanted: str = self.request.GET.get("reason", "")
        is_known = self.shown in mailing_figures.WITH_REASONS and mailing_figures.with_reason(self.shown, wanted)
        return wanted if is_known else ""

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
            FateColumn("state", label=_("What became of it"), accessor=mailing_words.fate),
            Column("password", label=_("Password"), accessor=mailing_words.password),
        ]

    def get_index_url(self) -> str:
        return mailing_pages.url(self.mailing, "mailing_members")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return mailing_pages.breadcrumbs(self.get_page_title(), above=self.mailing)

    def get_base_queryset(self) -> QuerySet[ResetEmail]:
        emails = mailing_figures.rows(self.mailing, self.hidden).select_related("member").prefetch_related("events")
        emails = emails.filter(SHOWN[self.shown][1])
        return emails.filter(mailing_figures.with_reason(self.shown, self.reason)) if self.reason else emails

    def paginate_queryset(self, queryset: QuerySet[ResetEmail], page_size: int) -> tuple[None, None, Any, bool]:
        """One page without a paginator, whose count would read every row."""
        after = self.request.GET.get("after", "")
        written: QuerySet[ResetEmail] = queryset
        if after.startswith(LEFT):
            written = queryset.none()
        elif after.isdecimal() and len(after) < 19:  # what a database takes for a key
            written = queryset.filter(pk__gt=int(after))
        emails = ((str(email.pk), email) for email in written[: page_size + 1])
        found = list(islice(chain(emails, self._left(after)), page_size + 1))
        if len(found) > page_size:
            self.next_after = found[page_size - 1][0]
        return None, None, [email for _place, email in found[:page_size]], False

    def _left(self, after: str = "") -> Iterator[Place]:
        """Those for whom nothing was written yet, as if there were: nobody has come to them, or it was stopped."""
        if not mailing_figures.holds_chunks(self.mailing, self.shown):
            return
        begin = after[len(LEFT) :] if after.startswith(LEFT) else ""
        for place, member in members_in_chunks(self.mailing, hidden=self.hidden, after=begin):
            yield LEFT + place, self._unwritten(member)

    def _unwritten(self, member: Any) -> ResetEmail:
        email = ResetEmail(member=member, recipient=address_of(member), state=EmailState.QUEUED)
        if self.mailing.state == MailingState.STOPPED:
            email.state, email.skip_reason = EmailState.SKIPPED, SkipReason.STOPPED
        return email

    def _lines(self) -> Iterator[list[str]]:
        yield [_("Name"), _("Email"), _("What became of it"), _("Why"), _("Password")]
        for email in self._emails():
            fate = mailing_words.fate(email)
            yield [mailing_words.member(email), email.recipient, fate.badge, fate.text, mailing_words.password(email)]

    def _emails(self) -> Iterator[ResetEmail]:
        """Everybody once, however long that takes: who is left is read first, since emails are written meanwhile."""
        holds_chunks = mailing_figures.holds_chunks(self.mailing, self.shown)
        left = {str(key): key for key in (keys_in_chunks(self.mailing) if holds_chunks else ())}
        for email in self.get_base_queryset().order_by("pk").iterator(chunk_size=500):
            left.pop(str(email.member_id), None)
            yield email
        yield from map(self._unwritten, members_with(left.values(), hidden=self.hidden))

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(*args, **kwargs) | {
            "mailing": self.mailing,
            "shows": [(name, label, name == self.shown) for name, label in self._filters()],
            "reason_label": mailing_figures.reason_label(self.shown, self.reason) if self.reason else "",
            "is_partial": self.hidden is not None,
            "has_gone": self._has_gone(),
            "export_url": self._url_with(export="csv"),
            "first_url": self._url_with() if self.request.GET.get("after") else "",
            "next_url": self._url_with(after=self.next_after) if self.next_after else "",
        }

    def _filters(self) -> Iterator[tuple[str, Any]]:
        never = {"retrying", "waiting" if self.mailing.state == MailingState.STOPPED else "not_sent"}
        return ((name, label) for name, (label, _which) in SHOWN.items() if name not in never or name == self.shown)

    def _has_gone(self) -> bool:
        """Whether the mailing counted accounts that were deleted since: nobody is left to be listed."""
        if self.hidden is not None or self.shown not in ("", "not_emailed"):
            return False
        return self.mailing.skips.filter(reason=SkipReason.GONE, count__gt=0).exists()

    def _url_with(self, **changes: str) -> str:
        return mailing_pages.members_url(self.mailing, self.shown, self.reason, **changes)


def _member_url(reader: Any, email: ResetEmail) -> str:
    return panel.page_url(reader, email.member)
