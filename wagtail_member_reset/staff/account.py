"""The facts about an account on the Settings tab, and the question "Do not email"."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from .. import accounts, do_not_email
from ..models import DoNotEmailReason
from . import permissions, wording

# Others with the same address: so many are named, of so many that are looked at.
MOST_NAMED, MOST_LOOKED_AT = 5, 20
LIFT = "lift"


def details(actor: Any, member: Any) -> dict[str, Any]:
    """For the list of facts. Names others with the same address only where the actor may see them."""
    name = member.get_email_field_name()
    return {
        "last_login": getattr(member, "last_login", None),
        "keeps_last_login": accounts.keeps_last_login(type(member)),
        "since": getattr(member, "date_joined", None),
        "others": [wording.person(other) for other in _others(actor, member, name)],
    }


def answer(member: Any, given: str, *, by: Any) -> None:
    """Note a reason, or take it back; does nothing for an answer that there is not."""
    if given == LIFT:
        do_not_email.lift(member, by=by)
    elif given in DoNotEmailReason.values:
        do_not_email.note(member, reason=DoNotEmailReason(given), by=by)


def _others(actor: Any, member: Any, name: str) -> list[Any]:
    column = accounts.column_of(type(member), name)
    address = accounts.address_of(member)
    if not address or column is None or column.unique:
        return []
    spellings = {getattr(member, name), address, accounts.address_key(address)}
    alike = get_user_model()._default_manager.filter(**{f"{name}__in": spellings}).exclude(pk=member.pk)
    hidden = None if permissions.may_change(actor) else permissions.hidden_from(actor)
    if hidden is not None:
        alike = alike.exclude(hidden)
    found = list(alike.order_by("pk")[:MOST_LOOKED_AT])
    accounts.read_permissions(found)
    return [other for other in found if permissions.may_view(actor, other)][:MOST_NAMED]
