"""What the pages of mailings have in common: who may open them, their addresses, their header, and no caching."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin.views.generic import IndexView

from .. import mailings
from ..mailing import Kind
from ..models import Mailing, MailingState
from . import listing, mailing_words, permissions
from .media import MAILING_MEDIA

TEMPLATES = "wagtail_member_reset/staff/"


class StaffIndexView(IndexView):  # type: ignore[misc]
    """A listing of Wagtail's own, for those whom `require` lets on. Its table scrolls on a small screen."""

    # Our own rights decide, and not those to add or change the model.
    any_permission_required = None
    permission_policy = None
    http_method_names = ["get", "head"]
    header_icon = "mail"
    results_template_name = TEMPLATES + "mailing_results.html"

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        # An export would read every row at once, whatever the pages hold.
        self.is_export = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.require(request)
        return guarded(super().dispatch(request, *args, **kwargs))

    def require(self, request: HttpRequest) -> None:
        """Raise `PermissionDenied` for who may not see the listing. Asked before anything else."""
        raise NotImplementedError

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["media"] += MAILING_MEDIA
        return context


class MailingIndexView(StaffIndexView):
    """For those who may send mailings."""

    def require(self, request: HttpRequest) -> None:
        require(request)


def require(request: HttpRequest) -> None:
    """Let nobody on who may not send mailings."""
    if not permissions.may_send_mailings(request.user):
        refuse(request)


def refuse(request: HttpRequest) -> NoReturn:
    """Turn somebody away. What they tried to change goes to their history; a look does not."""
    if request.method == "POST":
        mailings.note_refused(by=request.user)
    raise PermissionDenied


def find(request: HttpRequest, pk: int) -> Mailing:
    """The mailing, for who may send mailings; a draft of a file, for who may see that. Refuses others."""
    require(request)
    # Of the lines of a file, the preview alone shows some.
    light = Mailing.objects.select_related("created_by", "unmatched", "site").defer("unmatched__lines")
    found = get_object_or_404(light, pk=pk)
    is_of_file = found.state == MailingState.DRAFT and found.choice["kind"] == Kind.FILE.value
    if is_of_file and not permissions.may_see_file(request.user, found):
        refuse(request)
    return found


def url(mailing: Mailing | None = None, name: str = "mailing") -> str:
    """The address of one mailing's page or verb; without a mailing, that of the list."""
    if mailing is None:
        return reverse("wagtail_member_reset_admin:mailings")
    return reverse(f"wagtail_member_reset_admin:{name}", args=[mailing.pk])


def members_url(mailing: Mailing, shown: str = "", reason: str = "", **more: str) -> str:
    """The list of the mailing's members: all, those who came to what is `shown`, or those for one reason alone."""
    asked = {"show": shown, "reason": reason, **more}
    query = urlencode({name: value for name, value in asked.items() if value})
    return url(mailing, "mailing_members") + (f"?{query}" if query else "")


def choice(request: HttpRequest, mailing: Mailing, names: mailing_words.Names | None = None) -> str:
    """How the members were chosen, in as many words as the reader may see. For a list, with the names that it read."""
    chosen = mailing.choice
    filters = listing.in_words(request, chosen["query"]) if chosen["kind"] == Kind.LISTING.value else ()
    return mailing_words.choice(chosen, names or mailing_words.names_in([chosen]), filters)


def within_reach(request: HttpRequest, mailing: Mailing) -> dict[str, Any]:
    """Whom a preview or a start must leave out or not even count, and what the listing shows, for who asks."""
    return {
        "beyond": permissions.beyond(request.user),
        "hidden": permissions.hidden_from(request.user),
        "listing": listing.of_mailing(request, mailing),
    }


def page(
    request: HttpRequest, template: str, title: str, context: dict[str, Any], *, above: Mailing | None = None
) -> HttpResponse:
    """A page below the list of mailings, or below that of the mailing `above` it."""
    context = {
        "page_title": title,
        "header_title": title,
        "header_icon": "mail",
        "page_media": MAILING_MEDIA,
        "breadcrumbs_items": breadcrumbs(title, above=above),
        **context,
    }
    return guarded(render(request, TEMPLATES + template, context))


def breadcrumbs(title: str, *, above: Mailing | None = None) -> list[dict[str, str]]:
    path: Iterable[tuple[str, str]] = [
        (reverse("wagtailadmin_home"), _("Home")),
        (url(), _("Mailings")),
        *([(url(above), mailing_words.name(above))] if above else []),
        ("", title),
    ]
    return [{"url": address, "label": label} for address, label in path]


def guarded(response: HttpResponse) -> HttpResponse:
    """Addresses of members stay in no cache, and in nobody's frame."""
    response["Cache-Control"] = "no-store, private"
    response["X-Frame-Options"] = "DENY"
    return response
