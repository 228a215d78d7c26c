"""The bulk action of Wagtail's user listing: a preview of the mailing, and its start."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from wagtail.users.views.bulk_actions.user_bulk_action import UserBulkAction

from .. import mailings
from ..exceptions import ChoiceError
from ..mailing import Choice, Kind, with_ids
from ..models import Mailing
from . import listing, mailing_views, permissions


class SendResetsBulkAction(UserBulkAction):  # type: ignore[misc]
    """
    Takes what was chosen as a choice, not as a hundred thousand accounts, which Wagtail's own way would read.

    "All in the listing" means all that the listing's search and filters leave.
    """

    display_name = _("Send password resets")
    action_type = "send_member_resets"
    aria_label = _("Send password resets to the selected users")
    action_priority = 50
    # Django's form views take a PUT for a POST.
    http_method_names = ["get", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Before Wagtail's own check of the listing, which not every version of it has, and which notes nothing.
        if not (permissions.may_send_mailings(request.user) and permissions.may_see_listing(request.user)):
            mailing_views.refuse(request)
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        mailing = self._mailing(request)
        here, other = request.get_full_path(), request.GET.copy()
        if other.pop("again", None) is None:
            other["again"] = "1"
        other_url = f"{request.path}?{other.urlencode()}"
        return mailing_views.preview(request, mailing, start_url=here, back_url=self.next_url, other_url=other_url)

    def post(self, request: HttpRequest) -> HttpResponse:
        mailing = self._mailing(request)
        mailing.save()
        mailing_views.begin(request, mailing)
        return redirect(mailing_views.url(mailing))

    def _mailing(self, request: HttpRequest) -> Mailing:
        keys, person = request.GET.getlist("id"), cast(Any, request.user)
        try:
            chosen = with_ids(key for key in keys if key != "all")
        except ChoiceError as error:
            raise Http404 from error
        choice = Choice(kind=Kind.LISTING, query=listing.query_of(request)) if "all" in keys else chosen
        return mailings.drafted(choice, by=person, again="again" in request.GET)
