"""The bulk action of Wagtail's user listing: a preview of the mailing, and its start."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from wagtail.users.views.bulk_actions.user_bulk_action import UserBulkAction

from .. import links, mailings
from ..accounts import has_passwords
from ..exceptions import ChoiceError, SiteNotOffered
from ..mailing import Choice, Kind, Source, with_ids
from ..models import Mailing
from . import bulk_button, listing, mailing_new, mailing_pages, previewed_at, site_choice
from .listing_column import STATUS


class Listed:
    """The models whose listings offer the action: none where there are no passwords."""

    def __get__(self, action: object, owner: type) -> list[type[Model]]:
        return [get_user_model()] if has_passwords() else []


def end_links_of_inactive(request: HttpRequest, action_type: str, objects: Any, action: Any) -> None:
    """
    End at once the links of accounts that Wagtail's bulk action has deactivated, or one of the site's own.

    They are changed in the database without being saved, and may be active again before anybody looks.
    """
    if isinstance(action, UserBulkAction):
        links.close_inactive()


def keep_to_filter() -> None:
    """
    Let Wagtail's bulk actions keep to the listing's filter "Password", and to all others beside it.

    With "select all" they take everybody whom the search finds, whatever the filters: with ours on, to delete all
    that are listed would delete all accounts.
    """
    of_search = UserBulkAction.get_all_objects_in_listing_query

    def all_listed(self: Any, parent_id: Any) -> Any:
        if not self.request.GET.get(STATUS):
            return of_search(self, parent_id)
        shown = listing.accounts(self.request, listing.query_of(self.request))
        return shown.order_by().values_list("pk", flat=True)

    UserBulkAction.get_all_objects_in_listing_query = all_listed


class SendResetsBulkAction(UserBulkAction):  # type: ignore[misc]
    """
    Keeps "all in the listing" as its search and filters, and reads no account.

    Wagtail's own way would load each of 100,000 accounts.
    """

    models = Listed()
    display_name = _("Send password resets")
    action_type = bulk_button.ACTION
    aria_label = _("Send password resets to the selected users")
    action_priority = 50
    classes = {"member-reset-bulk"}
    # Django's form views treat a PUT as a POST.
    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Wagtail 7.0 does not check the right to see the listing, and later versions do not log a refusal.
        if not bulk_button.may_use(request.user):
            mailing_pages.refuse(request)
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        mailing = self._mailing(request)
        here, other = request.get_full_path(), request.GET.copy()
        if other.pop("again", None) is None:
            other["again"] = "1"
        other_url = f"{request.path}?{other.urlencode()}"
        return mailing_new.preview(
            request,
            mailing,
            start_url=here,
            back_url=self.next_url,
            other_url=other_url,
            url_of_site=partial(site_choice.with_site, request),
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        mailing = self._mailing(request)
        mailing.created_at = previewed_at.posted(request) or mailing.created_at
        mailing.save()
        if "draft" in request.POST:
            return redirect(mailing_pages.url(mailing, "mailing_details"))
        mailing_new.begin(request, mailing)
        return redirect(mailing_pages.url(mailing))

    def _mailing(self, request: HttpRequest) -> Mailing:
        keys, person = request.GET.getlist("id"), cast(Any, request.user)
        try:
            chosen = with_ids((key for key in keys if key != "all"), source=Source.LISTING)
        except ChoiceError as error:
            raise Http404 from error
        choice = Choice(kind=Kind.LISTING, query=listing.query_of(request)) if "all" in keys else chosen
        try:
            site = site_choice.asked(request)
        except SiteNotOffered as error:
            raise Http404 from error
        return mailings.drafted(choice, by=person, site=site, again="again" in request.GET)
