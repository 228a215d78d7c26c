"""
Who may do what with whose reset. Views, panel, bulk actions, reports and commands ask here.

The link of a reset is worth the account that it opens: whoever sees it could take the
account over. So it is shown only where that gives nothing that the actor lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.db.models import Q

from .. import resets
from ..accounts import enters_admin, is_superuser, manages_users, user_permission
from ..conf import conf
from ..models import Mailing

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
    out_of_reach = is_superuser()
    if rank(actor) < Rank.MANAGES_USERS:
        out_of_reach |= manages_users()
    if rank(actor) < Rank.ADMIN_ACCESS:
        out_of_reach |= enters_admin()
    return out_of_reach


def may_see_file(actor: Any, mailing: Mailing) -> bool:
    """
    Whether the actor may read what the file of a mailing says: whoever brought it, and everybody of no lower rank.

    Lines that name no account are about people whom nobody's rank protects.
    """
    if actor.is_superuser or mailing.created_by_id == actor.pk:
        return True
    owner = mailing.created_by
    return rank(actor) >= (Rank.MANAGES_USERS if owner is None else rank(owner))


def hidden_from(actor: Any) -> Q | None:
    """A filter for the accounts whose resets the actor may not see; None where there are none."""
    return None if actor.has_perm(PREFIX + "view_passwordreset") else beyond(actor)


def may_change(actor: Any) -> bool:
    """Whether the actor may edit accounts in Wagtail's own views."""
    return bool(actor.has_perm(user_permission("change")))


def may_see_listing(actor: Any) -> bool:
    """Whether the actor may see Wagtail's listing of users."""
    return any(actor.has_perm(user_permission(action)) for action in ("add", "change", "delete"))


def _may_see_link(actor: Any, member: Any) -> bool:
    if conf.LINK_DISPLAY == "never" or actor.pk == member.pk or not actor.has_perm(PREFIX + "view_link_passwordreset"):
        return False
    if actor.is_superuser:
        return True
    if member.is_superuser or has_admin_access(member):
        return False
    return set(member.get_all_permissions()) <= set(actor.get_all_permissions())
