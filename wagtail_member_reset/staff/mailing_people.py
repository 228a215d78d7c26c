"""In a preview: who gets an email and who is left out and why, page by page, within the reader's reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from wagtail.admin.utils import get_user_display_name

from ..accounts import Member, address_of, is_more_than_member
from ..mailing import People, Place, Preview, people
from ..models import SkipReason
from . import desk, panel
from .listing import PREVIEW

SHOWN = 50
LONGEST_PLACE = 100


@dataclass(frozen=True, kw_only=True)
class Person:
    name: str
    username: str
    address: str
    url: str
    reason: str
    enters_admin: bool


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many are left out for a reason, and the list of who; no list of accounts that are gone."""

    key: str
    label: str
    number: int
    url: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    """
    For the template. `fields` keep what the page's own address says; the addresses are queries. With a `reason`, those
    left out for it alone are listed.
    """

    counts: list[Count]
    left_out: bool
    reason: SkipReason | None
    has_gone: bool
    find: str
    people: list[Person]
    fields: list[tuple[str, str]]
    mailed_url: str
    left_out_url: str
    first_url: str
    next_url: str


def listed(request: HttpRequest, preview: Preview) -> Listed:
    left_out, find = request.GET.get("mr_show") == "left-out", desk.words_of(request.GET.get("mr_find", ""))
    only = Q(*desk.conditions(find))
    after = _place(request.GET.get("mr_after", ""))
    reason = _reason(request.GET.get("mr_reason", "")) if left_out else None
    found = people(preview.slices, left_out=left_out, only=only, after=after, most=SHOWN, why=reason)
    kept = [(name, value) for name, values in request.GET.lists() if name not in PREVIEW for value in values]
    here = {"mr_show": "left-out" if left_out else "", "mr_reason": reason.value if reason else "", "mr_find": find}
    return Listed(
        counts=[_count(request, each, number) for each, number in preview.skips.items()],
        left_out=left_out,
        reason=reason,
        has_gone=SkipReason.GONE in preview.skips,
        find=find,
        people=_people(request, found),
        fields=kept,
        mailed_url=_query(request, mr_find=find),
        left_out_url=_query(request, mr_show="left-out", mr_find=find),
        first_url=_query(request, **here) if after != Place() else "",
        next_url=_query(request, **here, mr_after=f"{found.next.slice}.{found.next.key}") if found.next else "",
    )


def _count(request: HttpRequest, reason: SkipReason, number: int) -> Count:
    url = "" if reason == SkipReason.GONE else _query(request, mr_show="left-out", mr_reason=reason.value)
    return Count(key=reason.value, label=str(reason.label), number=number, url=url)


def _reason(text: str) -> SkipReason | None:
    """None, which is all of them, for what is no reason."""
    return SkipReason(text) if text and text in SkipReason.values else None


def _people(request: HttpRequest, found: People) -> list[Person]:
    keys = [member.pk for member, _reason in found.rows]
    staff = set(
        get_user_model()._default_manager.filter(is_more_than_member(), pk__in=keys).values_list("pk", flat=True)
    )
    return [
        Person(
            name=str(get_user_display_name(member)),
            username=_username(member),
            address=address_of(member),
            url=panel.page_url(request.user, member),
            reason=str(reason.label) if reason else "",
            enters_admin=member.pk in staff,
        )
        for member, reason in found.rows
    ]


def _username(member: Member) -> str:
    name = str(member.get_username())
    return "" if name in (address_of(member), str(get_user_display_name(member))) else name


def _place(text: str) -> Place:
    """Where the page begins; at the beginning, for what is no place."""
    number, _dot, key = text[:LONGEST_PLACE].partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 6) or not key.isprintable():
        return Place()
    primary_key = get_user_model()._meta.pk
    try:
        value = primary_key.to_python(key)
        primary_key.run_validators(value)
    except (ValidationError, ValueError, OverflowError):
        return Place()
    return Place(int(number), value)


def _query(request: HttpRequest, **changes: Any) -> str:
    query = request.GET.copy()
    for name in PREVIEW:
        query.pop(name, None)
    for name, value in changes.items():
        if value:
            query[name] = value
    return f"?{query.urlencode()}#member-reset-people"
