"""
Who may do what with whose reset. Views, panel, bulk actions, reports and commands ask here.

The link of a reset is worth the account that it opens: whoever sees it could take the
account over. So it is shown only where that gives nothing that the actor lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Q

from .. import resets
from ..conf import conf

PREFIX = "wagtail_member_reset."


class Rank(IntEnum):
    MEMBER = 0
    ADMIN_ACCESS = 1
    MANAGES_USERS = 2
    SUPERUSER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """
    What one person may do with the resets of one member.

    `withheld`: the person might see the link, but changed the address within the last 24 hours. Nobody
    may both choose where a link goes and see it.
    """

    view: bool
    send: bool
    link: bool
    withheld: bool
    change: bool

    @property
    def correct(self) -> bool:
        """Store another address and send the link there: takes both rights."""
        return self.send and self.change


def rank(person: Any) -> Rank:
    if person.is_superuser:
        return Rank.SUPERUSER
    if may_see_listing(person):
        return Rank.MANAGES_USERS
    return Rank.ADMIN_ACCESS if has_admin_access(person) else Rank.MEMBER


def has_admin_access(person: Any) -> bool:
    return bool(getattr(person, "is_staff", False) or person.has_perm("wagtailadmin.access_admin"))


def rights(actor: Any, member: Any) -> Rights:
    """
    Costs no query for a superuser. For others it reads the permissions of both, which Django caches on the objects,
    and the log for those who might see the link.

    The email goes to the owner of the account, so an equal rank is enough to send.
    """
    is_in_reach = actor.is_superuser or rank(member) <= rank(actor)
    sends = may_send(actor) and is_in_reach
    may_see_link = _may_see_link(actor, member)
    is_withheld = may_see_link and not actor.is_superuser and resets.has_changed_address(member, by=actor)
    return Rights(
        view=actor.has_perm(PREFIX + "view_passwordreset") or sends or may_see_link,
        send=sends,
        link=may_see_link and not is_withheld,
        withheld=is_withheld,
        change=may_change(actor),
    )


def may_send(actor: Any) -> bool:
    """Whether the actor may send resets at all. `rights` says to whom."""
    return bool(actor.has_perm(PREFIX + "send_passwordreset"))


def may_send_mailings(actor: Any) -> bool:
    """Whether the actor may send mailings at all. `beyond` says who is out of reach."""
    return bool(actor.has_perm(PREFIX + "bulk_send_passwordreset")) and may_send(actor)


def beyond(actor: Any) -> Q | None:
    """
    A filter for the accounts of higher rank than the actor's; None where there are none.

    It misses permissions that come from other authentication backends. That gives nothing away: an
    email goes to the owner of the account.
    """
    if actor.is_superuser:
        return None
    out_of_reach = Q(is_superuser=True)
    if rank(actor) < Rank.MANAGES_USERS:
        out_of_reach |= _holders([_user_permission(action) for action in ("add", "change", "delete")])
    if rank(actor) < Rank.ADMIN_ACCESS:
        out_of_reach |= _holders(["wagtailadmin.access_admin"]) | _is_staff()
    return out_of_reach


def hidden_from(actor: Any) -> Q | None:
    """A filter for the accounts whose resets the actor may not see; None where there are none."""
    return None if actor.has_perm(PREFIX + "view_passwordreset") else beyond(actor)


def may_change(actor: Any) -> bool:
    """Whether the actor may edit accounts in Wagtail's own views."""
    return bool(actor.has_perm(_user_permission("change")))


def may_see_listing(actor: Any) -> bool:
    """Whether the actor may see Wagtail's listing of users."""
    return any(actor.has_perm(_user_permission(action)) for action in ("add", "change", "delete"))


def _may_see_link(actor: Any, member: Any) -> bool:
    if conf.LINK_DISPLAY == "never" or actor.pk == member.pk or not actor.has_perm(PREFIX + "view_link_passwordreset"):
        return False
    if actor.is_superuser:
        return True
    if member.is_superuser or has_admin_access(member):
        return False
    return set(member.get_all_permissions()) <= set(actor.get_all_permissions())


def _holders(permissions: list[str]) -> Q:
    model = get_user_model()
    names = [permission.split(".") for permission in permissions]
    wanted = Permission.objects.filter(
        reduce(or_, (Q(content_type__app_label=app, codename=codename) for app, codename in names))
    )
    ways = [field for field in ("groups__permissions", "user_permissions") if _has_field(field.partition("__")[0])]
    own = (Q(pk__in=model._base_manager.filter(**{f"{way}__in": wanted}).values("pk")) for way in ways)
    return reduce(or_, own, Q(pk__in=[]))


def _is_staff() -> Q:
    return Q(is_staff=True) if _has_field("is_staff") else Q(pk__in=[])


def _has_field(name: str) -> bool:
    return name in {field.name for field in get_user_model()._meta.get_fields()}


def _user_permission(action: str) -> str:
    options = get_user_model()._meta
    return f"{options.app_label}.{action}_{options.model_name}"
