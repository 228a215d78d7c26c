"""The accounts in Wagtail's user listing, for "select all" of the bulk action: with its search and every filter."""

from __future__ import annotations

from copy import copy
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from .. import paths
from ..accounts import may_see_listing
from ..mailing import Kind
from ..models import Mailing

# Parameters of the list of people in a preview.
PREVIEW = ("mr_show", "mr_reason", "mr_find", "mr_after")
# Parameters of the listing and of the bulk action that are neither search nor filter.
NOT_FILTERS = ("id", "next", "childOf", "p", "ordering", "_w_filter_fragment", "again", *PREVIEW)


def query_of(request: HttpRequest) -> str:
    """The search and filters in a bulk action's address, which Wagtail builds from that of the listing."""
    query = request.GET.copy()
    for name in NOT_FILTERS:
        query.pop(name, None)
    return query.urlencode()


def accounts(request: HttpRequest, query: str) -> QuerySet[Any]:
    """
    What the site's own listing shows this reader for the query. Raises `PermissionDenied` without the right to see it.

    Wagtail's own bulk actions apply only the search, but where `keep_to_filter` has them ask here.
    """
    if not may_see_listing(request.user):
        raise PermissionDenied
    view = _view(request, query)
    if not _is_understood(view):
        return get_user_model()._default_manager.none()  # an invalid filter must not mean everybody
    shown = view.get_queryset()
    if isinstance(shown, QuerySet):
        return shown
    # On a site that searches its accounts in an index.
    return get_user_model()._default_manager.filter(pk__in=[account.pk for account in shown])


def of_mailing(request: HttpRequest, mailing: Mailing) -> QuerySet[Any] | None:
    """What the listing shows this reader, where all in it were chosen for the mailing."""
    if mailing.choice["kind"] != Kind.LISTING.value:
        return None
    return accounts(request, mailing.choice["query"])


def in_words(request: HttpRequest, query: str) -> list[str]:
    """Search and filters, as the listing names them. Empty for readers who may not see the listing."""
    if not may_see_listing(request.user):
        return []
    view = _view(request, query)
    filters = view.active_filters if _is_understood(view) else []
    said = [f"{each.field_label}: {_plainly(each.value)}" for each in filters]
    if typed := QueryDict(query).get("q"):
        said.insert(0, _("Search: %(text)s") % {"text": typed})
    return said


def _is_understood(view: Any) -> bool:
    try:
        return view.filters is None or bool(view.filters.is_valid())
    except OverflowError:  # SQLite has no number that large
        return False


def _plainly(value: Any) -> Any:
    return {"True": _("Yes"), "False": _("No")}.get(str(value), value)


def _view(request: HttpRequest, query: str) -> Any:
    """The site's own view of the listing, set up for this reader and query."""
    found = paths.answering(reverse("wagtailusers_users:index")).func
    view = found.view_class(**found.view_initkwargs)  # type: ignore[attr-defined]
    asked = copy(request)
    asked.method = "GET"
    asked.GET = QueryDict(query)
    view.setup(asked)
    return view
