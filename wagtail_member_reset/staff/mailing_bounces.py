"""Of a draft: the addresses that are known not to exist, and which of them to mail all the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from wagtail.admin.utils import get_user_display_name

from .. import mailings
from ..accounts import address_of, but_for
from ..exceptions import ChoiceError
from ..mailing import Bad, Included, included_in
from ..models import Mailing, MailingState
from ..reports import Cause
from . import desk, permissions
from .mailing_pages import find, page, url, within_reach

SHOWN = 200
# Keys in one statement.
PART = 500
CAUSES = {
    Cause.NO_SUCH_MAILBOX.value: gettext_lazy("Their mail server knows no such mailbox"),
    Cause.INVALID.value: gettext_lazy("The mail service considers the address invalid"),
    Cause.BOUNCED_BEFORE.value: gettext_lazy("The mail service no longer sends to it, since an email came back before"),
}
OTHER_CAUSE = gettext_lazy("The reason is not known")


@dataclass(frozen=True, kw_only=True)
class Option:
    """A tick of the form."""

    value: str
    label: str
    help: str
    is_ticked: bool


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def bounces(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose who is mailed though an email to the address came back. Complaints are not offered, and not taken."""
    mailing = find(request, pk)
    if mailing.state != MailingState.DRAFT:
        return redirect(url(mailing))
    try:
        found = mailings.preview(mailing, **within_reach(request, mailing)).bounced
    except ChoiceError as error:
        messages.error(request, str(error))
        return redirect(url(mailing))
    wanted = desk.words_of(request.GET.get("mr_find", ""))
    people = _people(request, found, wanted)
    if request.method == "POST":
        _include(request, mailing, found, shown={str(person.pk) for person in people})
        return redirect(url(mailing))
    included = included_in(mailing)
    context = {
        "mailing": mailing,
        "people": [_person(person, found[person.pk], included) for person in people],
        "domains": _counted(Counter(bad.domain for bad in found.values()), included.domains),
        "causes": _counted(Counter(bad.cause for bad in found.values()), included.causes, words=True),
        "find": wanted,
        "has_more": len(people) == SHOWN,
    }
    return page(request, "mailing_bounces.html", _("Addresses that do not exist"), context, above=mailing)


def _include(request: HttpRequest, mailing: Mailing, found: dict[Any, Bad], *, shown: set[str]) -> None:
    """Take of the form what the page could have shown. Who is on no page of it stays as before."""
    before, ticked = included_in(mailing).members, set(request.POST.getlist("members"))
    included = Included(
        members=(before - shown) | (ticked & shown),
        domains=frozenset(request.POST.getlist("domains")) & {bad.domain for bad in found.values()},
        causes=frozenset(request.POST.getlist("causes")) & {bad.cause for bad in found.values()},
    )
    if not mailings.change(mailing, included=included.as_json()):
        messages.warning(request, _("Nothing changed: the mailing has been started."))


def _people(request: HttpRequest, found: dict[Any, Bad], wanted: str) -> list[Any]:
    accounts, keys = get_user_model()._default_manager.filter(*desk.conditions(wanted)).order_by("pk"), list(found)
    allowed = but_for(accounts, permissions.beyond(request.user))
    people: list[Any] = []
    for first in range(0, len(keys), PART):
        people += allowed.filter(pk__in=keys[first : first + PART])[: SHOWN - len(people)]
        if len(people) >= SHOWN:
            break
    return people


def _person(person: Any, bad: Bad, included: Included) -> Option:
    said = f"{address_of(person)}: {CAUSES.get(bad.cause, OTHER_CAUSE)}"
    value = str(person.pk)
    return Option(value=value, label=str(get_user_display_name(person)), help=said, is_ticked=value in included.members)


def _counted(counts: Counter[str], ticked: frozenset[str], *, words: bool = False) -> list[Option]:
    return [
        Option(
            value=value,
            label=str(CAUSES.get(value, OTHER_CAUSE)) if words else value,
            help=str(number),
            is_ticked=value in ticked,
        )
        for value, number in counts.most_common(SHOWN)
    ]
