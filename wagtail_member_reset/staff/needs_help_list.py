"""The list of who needs help: a row for each person who has not got in, with the reason and what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timezone
from functools import partial, reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import BaseColumn, Column, DateColumn, StatusTagColumn, TitleColumn

from .. import needs_help, reports
from ..accounts import address_of, but_for_members
from ..models import QUIET, Need, NeedsHelp, Shelf
from . import desk, mailing_pages, panel, permissions
from .needs_help_words import action, lines, name, note, noted, until
from .spreadsheets import EXPORTS

logger = logging.getLogger("wagtail_member_reset")

# What the links above the table are called, and the rows that each shows.
SHOWN = {
    "": (gettext_lazy("Needs action"), Q(shelf=Shelf.OPEN, reason__lt=QUIET)),
    "quiet": (gettext_lazy("Not in yet"), Q(shelf=Shelf.OPEN, reason__gt=QUIET)),
    "later": (gettext_lazy("Later"), Q(shelf=Shelf.LATER, reason__isnull=False)),
    "done": (gettext_lazy("Dealt with"), Q(shelf=Shelf.DONE, reason__isnull=False)),
}
ORDER = ("reason", "-happened_at", "-pk")
# Searched words, and what they are looked for in.
LONGEST_SEARCH, MOST_WORDS = 100, 5


class SelectColumn(BaseColumn):  # type: ignore[misc]
    """A checkbox for each row, named for who cannot see the row; Wagtail's own controller ticks all of them at once."""

    header_template_name = mailing_pages.TEMPLATES + "needs_help_select_all.html"
    cell_template_name = mailing_pages.TEMPLATES + "needs_help_select.html"

    def get_cell_context_data(self, instance: NeedsHelp, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        return context | {"label": _("Select %(name)s") % {"name": name(instance)}}


class ActionColumn(BaseColumn):  # type: ignore[misc]
    """What to do, as a link to where that is done. For who hears links alone, each says for whom."""

    cell_template_name = mailing_pages.TEMPLATES + "needs_help_action.html"

    def __init__(self, name: str, *, get_url: Callable[[NeedsHelp], str], **details: Any) -> None:
        super().__init__(name, **details)
        self.get_url = get_url

    def said(self, instance: NeedsHelp) -> str:
        return action(instance)

    def get_cell_context_data(self, instance: NeedsHelp, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        said = {"action": self.said(instance), "name": name(instance)}
        label = _("%(action)s: %(name)s") % said
        return context | {"url": self.get_url(instance), "action": said["action"], "label": label}


class AsideColumn(ActionColumn):
    """The way to say that somebody is dealt with, as quiet as what to do."""

    def said(self, instance: NeedsHelp) -> str:
        return _("Later or dealt with")


class NeedsHelpList(mailing_pages.StaffIndexView):
    """
    Shows only people whom the reader may look at. Pages begin after the last row of the one before, as in a mailing.

    A look brings up to date what has changed since the last pass of a worker, 500 people at most. It is a writer then,
    so its request is no transaction, and where nothing can be written, it shows what there is.
    """

    model = NeedsHelp
    page_title = gettext_lazy("Needs help")
    header_icon = "warning"
    index_url_name = "wagtail_member_reset_admin:needs_help"
    template_name = mailing_pages.TEMPLATES + "needs_help.html"
    no_results_message = gettext_lazy("Nobody needs help here.")
    default_ordering: tuple[str, ...] = ORDER
    paginate_by = 50
    next_after = ""

    @method_decorator(transaction.non_atomic_requests)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().dispatch(request, *args, **kwargs)

    def require(self, request: HttpRequest) -> None:
        if not permissions.may_see_resets(request.user):
            raise PermissionDenied

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _bring_up_to_date()
        if export := EXPORTS.get(request.GET.get("export", "")):
            rows = self.listed().select_related("member", "noted_by").order_by(*ORDER)
            return export("needs-help", lines(rows))
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    @cached_property
    def shown(self) -> str:
        wanted = str(self.request.GET.get("show", ""))
        return wanted if wanted in SHOWN else ""

    @cached_property
    def reason(self) -> int | None:
        wanted = self.request.GET.get("reason", "")
        return int(wanted) if wanted.isdecimal() and len(wanted) < 4 and int(wanted) in Need.values else None

    @cached_property
    def words(self) -> str:
        return " ".join(self.request.GET.get("q", "").replace("\0", "")[:LONGEST_SEARCH].split()[:MOST_WORDS])

    @cached_property
    def domain(self) -> str:
        return str(self.request.GET.get("domain", "")).replace("\0", "")[:255]

    @cached_property
    def may_select(self) -> bool:
        return permissions.may_send_mailings(self.request.user)

    @cached_property
    def columns(self) -> list[BaseColumn]:
        return [
            *([SelectColumn("select")] if self.may_select else []),
            TitleColumn("name", label=_("Name"), accessor=name, get_url=partial(_url, self.request.user)),
            Column("address", label=_("Email"), accessor=lambda row: address_of(row.member) or "-"),
            StatusTagColumn(
                "reason", label=_("Reason"), accessor="get_reason_display", primary=lambda row: row.reason < QUIET
            ),
            DateColumn("happened_at", label=_("When")),
            ActionColumn("action", label=_("What to do"), get_url=partial(_url, self.request.user)),
            *self._noted(),
            AsideColumn("aside", label=_("Set aside"), get_url=_aside),
        ]

    def _noted(self) -> list[BaseColumn]:
        """Of who was set aside, when and by whom, too."""
        if self.shown not in ("later", "done"):
            return [Column("note", label=_("Note"), accessor=note)]
        columns = [Column("note", label=_("Note"), accessor="note"), Column("noted", label=_("Noted"), accessor=noted)]
        return [*columns, *([Column("until", label=_("Shown again"), accessor=until)] if self.shown == "later" else [])]

    def get_base_queryset(self) -> QuerySet[NeedsHelp]:
        return self.listed().select_related("member", "noted_by")

    def listed(self) -> QuerySet[NeedsHelp]:
        """Whom the list shows, by what was chosen and searched, and by whom the reader may look at."""
        rows = within_reach(self.request.user, NeedsHelp.objects.filter(SHOWN[self.shown][1]))
        if self.reason is not None:
            rows = rows.filter(reason=self.reason)
        if self.domain:
            rows = rows.filter(domain=self.domain)
        for word in self.words.split():
            rows = rows.filter(_has(word))
        return rows

    def paginate_queryset(self, queryset: QuerySet[NeedsHelp], page_size: int) -> tuple[None, None, Any, bool]:
        """One page without a paginator, whose count would read every row."""
        found = list(_after(queryset, self.request.GET.get("after", ""))[: page_size + 1])
        if len(found) > page_size:
            last = found[page_size - 1]
            self.next_after = f"{last.reason}_{last.happened_at.isoformat()}_{last.pk}" if last.happened_at else ""
        return None, None, found[:page_size], False

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": "", "label": str(self.page_title)},
        ]

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        quiet = self.shown == "quiet"
        reasons = [need for need in Need if self.shown in ("later", "done") or (need > QUIET) == quiet]
        return context | {
            "show": self.shown,
            "shows": [(name, label, name == self.shown) for name, (label, _rows) in SHOWN.items()],
            "reasons": [(need.value, need.label, need == self.reason) for need in reasons],
            "q": self.words,
            "domain": self.domain,
            "hears_nothing": not reports.reports(reports.default_backend().name),
            "exports": [(kind.upper(), self.list_url(export=kind)) for kind in EXPORTS],
            "list_url": self.list_url(),
            "domains_url": self.list_url("needs_help_domains"),
            "mailing_url": self.list_url("needs_help_mailing") if self.may_select else "",
            "everywhere_url": self.list_url(domain=""),
            "first_url": self.list_url() if self.request.GET.get("after") else "",
            "next_url": self.list_url(after=self.next_after) if self.next_after else "",
        }

    def list_url(self, page: str = "needs_help", **changes: str) -> str:
        """The first page with what was chosen and searched, but for the changes."""
        chosen = {"show": self.shown, "reason": self.reason, "domain": self.domain, "q": self.words, **changes}
        query = urlencode({name: value for name, value in chosen.items() if value})
        address = reverse(f"wagtail_member_reset_admin:{page}")
        return f"{address}?{query}" if query else address


def _bring_up_to_date() -> None:
    try:
        needs_help.refresh_due()
    except DatabaseError as error:
        logger.warning("Who needs help was not brought up to date: %s", type(error).__name__)


def within_reach(reader: Any, rows: QuerySet[NeedsHelp]) -> QuerySet[NeedsHelp]:
    """But for people whose resets the reader may not see."""
    return but_for_members(rows, permissions.hidden_from(reader))


def _after(rows: QuerySet[NeedsHelp], key: str) -> QuerySet[NeedsHelp]:
    """The rows behind that of the key; all of them where it is none of ours."""
    reason, _underscore, rest = key.partition("_")
    moment, _underscore, pk = rest.partition("_")
    key_field = get_user_model()._meta.pk
    try:
        at = parse_datetime(moment)
        if at is None or is_naive(at) == settings.USE_TZ or not (reason.isdecimal() and len(reason) < 4):
            return rows
        # What a database could not take, or compare, is none of ours.
        at = at.astimezone(timezone.utc) if settings.USE_TZ else at
        pk = key_field.to_python(pk)
        key_field.run_validators(pk)
    except Exception:
        return rows
    same = Q(reason=int(reason))
    return rows.filter(
        Q(reason__gt=int(reason)) | same & Q(happened_at__lt=at) | same & Q(happened_at=at, pk__lt=pk),
        reason__gte=int(reason),
    )


def _has(word: str) -> Q:
    columns = (Q(**{f"member__{name}__icontains": word}) for name in desk.searched_columns())
    return reduce(or_, columns, Q(pk__in=[]))


def _url(reader: Any, row: NeedsHelp) -> str:
    return panel.page_url(reader, row.member)


def _aside(row: NeedsHelp) -> str:
    return reverse("wagtail_member_reset_admin:needs_help_aside", args=[quote(row.pk)])
