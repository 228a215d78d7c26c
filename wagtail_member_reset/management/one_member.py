"""The one member whom a command is about."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from ..accounts import Member, accounts_by_address, address_key

MOST_LISTED = 20


def add_arguments(parser: CommandParser) -> None:
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("member", nargs="?", metavar="MEMBER", help="A username, or an address that one account has.")
    whom.add_argument("--id", metavar="ID", help="The account with this primary key.")


def found(options: dict[str, Any]) -> Member:
    """The account. Raises `CommandError` where there is none, or where several may be meant, with their list."""
    alike = _with_id(options["id"]) if options["id"] is not None else _called(options["member"])
    if not alike:
        raise CommandError("There is no such account. Nothing was done.")
    if len(alike) > 1:
        listed = "\n".join(f"  --id {each.pk}  {each.get_username()}" for each in alike[:MOST_LISTED])
        raise CommandError(f"{len(alike)} accounts may be meant. Nothing was done. Say which:\n{listed}")
    return alike[0]


def _with_id(key: str) -> list[Member]:
    try:
        return list(get_user_model()._base_manager.filter(pk=key))
    except (ValidationError, ValueError, OverflowError):
        return []


def _called(name: str) -> list[Member]:
    """Whoever has it as the username or as the address, which need not be the same person."""
    accounts = get_user_model()._base_manager
    alike = list(accounts.filter(**{get_user_model().USERNAME_FIELD: name}))
    by_address = accounts_by_address([name]).get(address_key(name), []) if "@" in name else []
    known = {each.pk for each in alike}
    return alike + list(accounts.filter(pk__in=[each.pk for each in by_address if each.pk not in known]).order_by("pk"))
