"""A selection of who needs help becomes the draft of a mailing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import mailings
from ..accounts import but_for_members, is_not_to_be_emailed
from ..exceptions import ChoiceError
from ..mailing import Choice, Kind, Source, with_ids
from ..models import NeedsHelp
from . import mailing_pages, permissions, site_choice
from .mailing_words import grouped
from .needs_help_list import NeedsHelpList

# People in one draft, which keeps their keys.
MOST = 100_000


class NeedsHelpMailing(NeedsHelpList):
    """
    Drafts a mailing to the people selected, or to `all` whom the list shows, and leads to its preview.

    A link that is young enough is sent again; an older one is replaced. Whoever is no longer on the list, or is not to
    be emailed by the reader, is left out with a sentence.
    """

    http_method_names = ["get", "head", "post"]

    def require(self, request: HttpRequest) -> None:
        mailing_pages.require(request)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """For who had to sign in again after the click."""
        return redirect(self.list_url())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        people, asked = self.listed(), 0
        if "all" in request.POST:
            asked = people.count()
        else:
            selected = _selected(request.POST.getlist("id"))
            people, asked = people.filter(pk__in=selected), len(selected)
        keys = list(self._within_rights(people).order_by("pk").values_list("pk", flat=True)[:MOST])
        if not keys:
            messages.warning(request, _left_out(asked) if asked else _("Nobody is selected."))
            return redirect(self.list_url())
        self._say_who_is_missing(min(asked, MOST) - len(keys), asked)
        choice = Choice(kind=Kind.IDS, ids=tuple(keys), source=Source.NEEDS_HELP)
        draft = mailings.draft(choice, by=request.user, again=True, site=site_choice.for_draft(request))
        return redirect(mailing_pages.url(draft))

    def _within_rights(self, people: QuerySet[NeedsHelp]) -> QuerySet[NeedsHelp]:
        against, beyond = is_not_to_be_emailed(), permissions.beyond(self.request.user)
        if beyond is not None:
            against |= beyond
        return but_for_members(people, against)

    def _say_who_is_missing(self, left_out: int, asked: int) -> None:
        if asked > MOST:
            said = _("There are more than %(number)s people: the others are not in this mailing.")
            messages.warning(self.request, said % {"number": grouped(MOST)})
        elif left_out:
            messages.warning(self.request, _left_out(left_out))


def _selected(keys: Sequence[str]) -> tuple[Any, ...]:
    try:
        return with_ids(keys).ids[: NeedsHelpList.paginate_by]
    except ChoiceError:
        return ()


def _left_out(number: int) -> str:
    return ngettext(
        "%(number)s person is left out: marked “Do not email”, outside your permissions, or no longer on the list.",
        "%(number)s people are left out: marked “Do not email”, outside your permissions, or no longer on the list.",
        number,
    ) % {"number": grouped(number)}
