"""What an account may do with the resets of others, whoever they are. `staff.permissions` says with whose."""

from __future__ import annotations

from typing import Any

PREFIX = "wagtail_member_reset."


def may_send(person: Any) -> bool:
    """Whether the person may send resets at all."""
    return bool(person.has_perm(PREFIX + "send_passwordreset"))


def may_send_mailings(person: Any) -> bool:
    """Whether the person may send mailings at all."""
    return bool(person.has_perm(PREFIX + "bulk_send_passwordreset")) and may_send(person)


def may_view_all(person: Any) -> bool:
    """Whether the person may see everybody's resets, and so knows how many there are of each kind."""
    return bool(person.has_perm(PREFIX + "view_passwordreset"))


def may_view_links(person: Any) -> bool:
    """Whether the person may see links at all."""
    return bool(person.has_perm(PREFIX + "view_link_passwordreset"))


def may_export(person: Any) -> bool:
    """Whether the person may download what is stored about a member at all."""
    return bool(person.has_perm(PREFIX + "export_passwordreset"))


def may_erase(person: Any) -> bool:
    """Whether the person may erase what is stored about a member at all."""
    return bool(person.has_perm(PREFIX + "erase_passwordreset"))


def may_unblock(person: Any) -> bool:
    """Whether the person may have a mail service write to an address again."""
    return bool(person.has_perm(PREFIX + "unblock_passwordreset"))
