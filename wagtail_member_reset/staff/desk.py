"""
The help desk: staff who may send resets find a member by name or address.

Who may edit accounts gets to the Settings tab, everybody else to its panel on a page of its own.
"""

from __future__ import annotations

import unicodedata
from functools import reduce
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from wagtail.admin.utils import get_user_display_name

from ..accounts import (
    JOINERS,
    accounts_by_address,
    address_column,
    address_key,
    address_of,
    clean_address,
    column_of,
    read_permissions,
)
from . import panel, permissions
from .media import MEDIA

# This page finds one person. It is no list of the members.
FEWEST_CHARACTERS = 3
MOST_FOUND = 20
LONGEST_SEARCH = 200
# What stands around words that were copied from somewhere.
AROUND = dict.fromkeys(map(ord, '<>()[]{},;"\u201c\u201d\u201e\u00ab\u00bb'), " ")
# Phones and word processors write others than people type.
APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u2032\u00b4`"), "'")


@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Find a member by name or address. Lists only those whom this member of staff may help."""
    if not permissions.may_send(request.user):
        raise PermissionDenied
    wanted = words_of(request.GET.get("q", ""))
    found = find(wanted) if len(wanted) >= FEWEST_CHARACTERS else []
    shown = found[:MOST_FOUND]
    read_permissions(shown)
    people = [
        {
            "name": get_user_display_name(member),
            "address": address_of(member),
            "url": panel.page_url(request.user, member),
        }
        for member in shown
        if permissions.may_view(request.user, member)
    ]
    title = _("Find a person")
    context = {
        "q": wanted,
        "people": people,
        "is_short": 0 < len(wanted) < FEWEST_CHARACTERS,
        "has_more": len(found) > MOST_FOUND,
        "most": MOST_FOUND,
        "page_title": title,
        "header_title": title,
        "header_icon": "search",
        "page_media": MEDIA,
    }
    return render(request, "wagtail_member_reset/staff/desk.html", context)


def find(wanted: str) -> list[Any]:
    """
    Accounts that have every word in a name or in the address. One more than are shown, if there are more.

    Words may come as they stand in an email's head or in a list: `Mia Sample <mia@club.example>`, `Sample, Mia`.
    """
    found = get_user_model()._default_manager.filter(*conditions(wanted)).order_by("pk")
    return list(found[: MOST_FOUND + 1])


def conditions(wanted: str) -> list[Q]:
    """For a query of accounts: that each word stands in a name or in the address."""
    fields, words = searched_columns(), wanted.split()
    found = accounts_by_address(word for word in words if "@" in word)
    return [
        reduce(
            Q.__or__,
            (_has(word, name) for name in fields),
            Q(pk__in=[member.pk for member in found.get(address_key(word), ())]),
        )
        for word in words
    ]


def searched_columns() -> list[str]:
    """The columns of an account in which people are looked for."""
    model = get_user_model()
    names = {model.USERNAME_FIELD, address_column(model), "first_name", "last_name"}
    return sorted(name for name in names if name and column_of(model, name))


def words_of(typed: str) -> str:
    """What was typed or pasted, without what stands around words and what nobody sees."""
    text = unicodedata.normalize("NFC", clean_address(typed[:LONGEST_SEARCH])).translate(AROUND)
    text = "".join(c if c.isprintable() or c in JOINERS else " " for c in text)
    return " ".join(word.removeprefix("mailto:").rstrip(".") or word for word in text.split())


def _has(word: str, name: str) -> Q:
    """Whether the word stands in the column, with whichever apostrophe."""
    plain = word.translate(APOSTROPHES)
    spellings = dict.fromkeys((word, plain, plain.replace("'", "\u2019")))
    return reduce(Q.__or__, (Q(**{f"{name}__icontains": spelling}) for spelling in spellings))
