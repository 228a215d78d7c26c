"""Accounts that are more than a member's, as conditions in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q

NOBODY = Q(pk__in=[])


def is_superuser() -> Q:
    return Q(is_superuser=True) if _has_field("is_superuser") else NOBODY


def manages_users() -> Q:
    """
    Who may add, change or delete accounts, but for superusers.

    This and `enters_admin` miss permissions that come from other authentication backends.
    """
    return _holders(user_permission(action) for action in ("add", "change", "delete"))


def enters_admin() -> Q:
    """Who may open the admin, but for superusers."""
    return _holders(["wagtailadmin.access_admin"]) | (Q(is_staff=True) if _has_field("is_staff") else NOBODY)


def may_change_sites() -> Q:
    """Who may change the sites of Wagtail, but for superusers."""
    return _holders(["wagtailcore.add_site", "wagtailcore.change_site"])


def is_more_than_member() -> Q:
    return is_superuser() | manages_users() | enters_admin()


def user_permission(action: str) -> str:
    options = get_user_model()._meta
    return f"{options.app_label}.{action}_{options.model_name}"


def _holders(permissions: Iterable[str]) -> Q:
    model = get_user_model()
    names = [permission.split(".") for permission in permissions]
    wanted = Permission.objects.filter(
        reduce(or_, (Q(content_type__app_label=app, codename=codename) for app, codename in names))
    )
    ways = [field for field in ("groups__permissions", "user_permissions") if _has_field(field.partition("__")[0])]
    own = (Q(pk__in=model._base_manager.filter(**{f"{way}__in": wanted}).values("pk")) for way in ways)
    return reduce(or_, own, NOBODY)


def _has_field(name: str) -> bool:
    return name in {field.name for field in get_user_model()._meta.get_fields()}
