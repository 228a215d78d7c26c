"""What one account may do and see, so that two can be compared. The same in SQL, as far as that goes, is in `rank`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from copy import copy
from enum import IntEnum
from typing import Any

from django.apps import apps
from django.contrib.auth import get_backends
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group
from django.db.models import ManyToManyField, Model, prefetch_related_objects
from wagtail.models import BaseViewRestriction, GroupCollectionPermission, GroupPagePermission

from .rank import user_permission


class Rank(IntEnum):
    MEMBER = 0
    ADMIN_ACCESS = 1
    MANAGES_USERS = 2
    SUPERUSER = 3


def rank_of(person: Any) -> Rank:
    """By what the account holds, also while it is not active: Django says then that it may do nothing."""
    if not person.is_active:
        person = copy(person)
        person.is_active = True
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
    """The keys of the person's groups. One query, and none after `read_groups` or `read_permissions`."""
    groups = getattr(person, "groups", None)
    return set() if groups is None else {group.pk for group in groups.all()}


def read_groups(person: Any) -> None:
    """Keep the person's groups on the object, so that what is noted later is what was asked now."""
    if hasattr(person, "groups"):
        prefetch_related_objects([person], "groups")


def read_permissions(people: Collection[Any]) -> None:
    """
    Read the permissions and groups of accounts that were just read, in three queries however many there are.

    Django keeps permissions on the object of each account, and finds them there. Where a backend of the site reads
    them in its own way, nothing is read, and each account costs what it does there.
    """
    others = [person for person in people if not person.is_superuser]
    if not others or not _are_permissions_djangos(type(others[0])):
        return
    prefetch_related_objects(others, "groups")
    own = _permissions_by_key(type(others[0]), "user_permissions", {person.pk for person in others})
    of_groups = _permissions_by_key(Group, "permissions", set().union(*map(groups_of, others)))
    for person in others:
        person._user_perm_cache = own[person.pk]
        person._group_perm_cache = set().union(*(of_groups[key] for key in groups_of(person)))


def private_groups() -> set[Any]:
    """
    The keys of the groups to which pages, collections or whatever else a site restricts in Wagtail's way are private,
    and of those that have rights to pages or collections, which are no permissions of Django's.

    One query for each kind of restriction, and two.
    """
    kinds = [model for model in apps.get_models() if issubclass(model, BaseViewRestriction)]
    restricted = {"restriction_type": BaseViewRestriction.GROUPS, "groups__isnull": False}
    found = [kind._base_manager.filter(**restricted).values_list("groups", flat=True) for kind in kinds]
    found += [kind.objects.values_list("group", flat=True) for kind in (GroupPagePermission, GroupCollectionPermission)]
    return {key for keys in found for key in keys}


def opens_private_things(groups: Collection[Any], *, private: Callable[[], set[Any]] = private_groups) -> bool:
    """
    Whether something is private to one of these groups. Without groups, `private` is not called.

    Who asks for many accounts gives a `private` that reads only once.
    """
    return bool(groups) and not private().isdisjoint(groups)


def _are_permissions_djangos(model: type[Model]) -> bool:
    """Whether no backend keeps permissions where Django's `ModelBackend` does, but reads them in another way."""
    ways = ("_get_permissions", "_get_user_permissions", "_get_group_permissions")
    fields = {field.name for field in model._meta.get_fields() if isinstance(field, ManyToManyField)}
    return {"user_permissions", "groups"} <= fields and all(
        getattr(type(backend), way, None) in (None, getattr(ModelBackend, way, None))
        for backend in get_backends()
        for way in ways
    )


def _permissions_by_key(model: type[Model], field: str, keys: Collection[Any]) -> defaultdict[Any, set[str]]:
    found: defaultdict[Any, set[str]] = defaultdict(set)
    rows = model._base_manager.filter(pk__in=keys, **{f"{field}__isnull": False}).order_by()
    for key, app, codename in rows.values_list("pk", f"{field}__content_type__app_label", f"{field}__codename"):
        found[key].add(f"{app}.{codename}")
    return found
