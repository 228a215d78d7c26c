"""What one account may do and see, so that two can be compared. The same in SQL, as far as that goes, is in `rank`."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum
from typing import Any

from django.apps import apps
from wagtail.models import BaseViewRestriction

from .rank import user_permission


class Rank(IntEnum):
    MEMBER = 0
    ADMIN_ACCESS = 1
    MANAGES_USERS = 2
    SUPERUSER = 3


def rank_of(person: Any) -> Rank:
    if person.is_superuser:
        return Rank.SUPERUSER
    if may_see_listing(person):
        return Rank.MANAGES_USERS
    return Rank.ADMIN_ACCESS if has_admin_access(person) else Rank.MEMBER


def has_admin_access(person: Any) -> bool:
    return bool(getattr(person, "is_staff", False) or person.has_perm("wagtailadmin.access_admin"))


def may_see_listing(person: Any) -> bool:
    """Whether the person may see Wagtail's listing of users."""
    return any(person.has_perm(user_permission(action)) for action in ("add", "change", "delete"))


def permissions_of(person: Any) -> set[str]:
    """The names of all permissions, by whatever backend. Django caches them on the object."""
    return set(person.get_all_permissions())


def groups_of(person: Any) -> set[Any]:
    """The keys of the person's groups. One query."""
    groups = getattr(person, "groups", None)
    return set() if groups is None else set(groups.values_list("pk", flat=True))


def opens_private_things(groups: Collection[Any]) -> bool:
    """
    Whether pages, collections or whatever else a site restricts in Wagtail's way are private to one of these groups.

    One query for each kind of restriction, and none without groups.
    """
    if not groups:
        return False
    kinds = [model for model in apps.get_models() if issubclass(model, BaseViewRestriction)]
    return any(
        kind._base_manager.filter(restriction_type=BaseViewRestriction.GROUPS, groups__in=groups).exists()
        for kind in kinds
    )
