"""
Who may do what with whose reset. Views, panel, bulk actions, reports and commands ask here.

The link of a reset is worth the account that it opens: whoever sees it could take the
account over. So it is shown only where that gives nothing that the actor lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_permission_codename

from .. import accounts, resets
from ..accounts import (
    Rank,
    address_column,
    beyond,
    groups_of,
    has_admin_access,
    hidden_from,
    may_erase,
    may_export,
    may_unblock,
    may_view_all,
    may_view_links,
    opens_private_things,
    permissions_of,
    rank_of,
    read_groups,
    user_permission,
)
from ..conf import conf
from ..models import Mailing, SiteSender

__all__ = [
    "Rights",
    "beyond",
    "hidden_from",
    "may_change",
    "may_edit_texts",
    "may_see_file",
    "may_see_resets",
    "may_see_senders",
    "may_send",
    "may_send_mailings",
    "may_set_passwords",
    "may_view",
    "reach",
    "rights",
]

# Whether somebody may send at all; `rights` and `beyond` say to whom. Notices of mailings go by the same rule.
may_send, may_send_mailings = accounts.may_send, accounts.may_send_mailings


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """
    What one person may do with the resets of one member.

    `address`: the address is one that may be changed. A user model that computes it has none to store.

    `export` and `erase`: what is stored about the person, by rights of their own.

    `unblock`: ask the mail service to mail the address again. `reveal`: the link is shown only after a click.
    `chose_address`: the person might see the link, but changed the address within the last 24 hours.
    """

    view: bool
    send: bool
    link: bool
    reveal: bool
    chose_address: bool
    change: bool
    address: bool
    unblock: bool
    export: bool
    erase: bool

    @property
    def withheld(self) -> bool:
        """
        Whether the link is kept from the person for a day: nobody may both choose where it goes and see it.

        Who can set the member's password in Wagtail's own form gains nothing by it, and gets it by a click.
        """
        return self.chose_address and not self.link

    @property
    def hand_out(self) -> bool:
        """Make a link without an email: takes both rights, and follows every rule for a link that is shown."""
        return self.send and self.link

    @property
    def correct(self) -> bool:
        """Store another address and send the link there: takes both rights."""
        return self.send and self.address


def rights(actor: Any, member: Any) -> Rights:
    """
    Costs no query for a superuser. For others it reads the permissions of both, which Django caches on the objects,
    and the log for those who might see the link. For who may not change users, it reads the groups of both, too.

    The email goes to the owner of the account, so an equal rank is enough to send.
    """
    is_in_reach = _is_in_reach(actor, member)
    sends = may_send(actor) and is_in_reach
    may_see_link = _may_see_link(actor, member)
    chose_address = may_see_link and not actor.is_superuser and resets.has_changed_address(member, by=actor)
    changes = may_change(actor)
    return Rights(
        view=may_view_all(actor) or sends or may_see_link,
        send=sends,
        link=may_see_link and (not chose_address or may_set_passwords(actor)),
        reveal=chose_address or not changes or conf.LINK_DISPLAY == "reveal" or conf.IDENTITY_CHECK != "off",
        chose_address=chose_address,
        change=changes,
        unblock=sends and may_unblock(actor),
        export=may_export(actor) and is_in_reach,
        erase=may_erase(actor) and is_in_reach,
        address=changes and address_column(type(member)) is not None,
    )


def may_view(actor: Any, member: Any) -> bool:
    """The right to `view` alone, for who asks for many members: their groups are read only where nothing else tells."""
    if may_view_all(actor) or (may_send(actor) and _is_in_reach(actor, member)):
        return True
    return _may_see_link(actor, member)


def may_see_resets(actor: Any) -> bool:
    """Whether the actor may see anybody's resets, as in lists. `hidden_from` says whose they do not."""
    return may_view_all(actor) or may_send(actor)


def may_see_file(actor: Any, mailing: Mailing) -> bool:
    """
    Whether the actor may read what the file of a mailing says: whoever brought it, and everybody of no lower rank.

    Lines that name no account are about people whom nobody's rank protects.
    """
    if actor.is_superuser or mailing.created_by_id == actor.pk:
        return True
    owner = mailing.created_by
    # A line that was not reported has an account: who may see everybody must have read the file for nobody else.
    if hidden_from(actor) is not None and (owner is None or hidden_from(owner) is None):
        return False
    return rank_of(actor) >= (Rank.MANAGES_USERS if owner is None else rank_of(owner))


def reach(actor: Any) -> str:
    """A name for what `hidden_from` hides, the same for all from whom it hides the same people."""
    return "everybody" if hidden_from(actor) is None else rank_of(actor).name.lower()


def may_change(actor: Any) -> bool:
    """Whether the actor may edit accounts in Wagtail's own views."""
    return bool(actor.has_perm(user_permission("change")))


def may_see_senders(actor: Any) -> bool:
    """Whether the list of senders is for the actor: any right to their model opens it, as in Wagtail's own lists."""
    names = (get_permission_codename(action, SiteSender._meta) for action in SiteSender._meta.default_permissions)
    return any(actor.has_perm(f"{SiteSender._meta.app_label}.{name}") for name in names)


def may_set_passwords(actor: Any) -> bool:
    """Whether the actor may set a member's password in Wagtail's own form."""
    return may_change(actor) and bool(getattr(settings, "WAGTAILUSERS_PASSWORD_ENABLED", True))


def _is_in_reach(actor: Any, member: Any) -> bool:
    return bool(actor.is_superuser or rank_of(member) <= rank_of(actor))


def _may_see_link(actor: Any, member: Any) -> bool:
    if conf.LINK_DISPLAY == "never" or actor.pk == member.pk or not may_view_links(actor):
        return False
    if actor.is_superuser:
        return True
    if member.is_superuser or has_admin_access(member) or not permissions_of(member) <= permissions_of(actor):
        return False
    if may_change(actor):  # and so can join any group
        return True
    read_groups(member)
    return not opens_private_things(groups_of(member) - groups_of(actor))


def may_edit_texts(person: Any) -> bool:
    """Whether somebody may do anything with the texts of emails, by the rights that Wagtail gives its snippets."""
    actions = ("add", "change", "delete", "publish")
    return any(person.has_perm(f"wagtail_member_reset.{action}_emailtext") for action in actions)
