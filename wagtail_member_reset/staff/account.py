"""The facts about an account on the Settings tab, and the question "Do not email"."""

from __future__ import annotations

from typing import Any

from wagtail.admin.utils import get_user_display_name

from .. import accounts, do_not_email
from ..models import DoNotEmailReason
from . import permissions

# Others with the same address: so many are named, of so many that are looked at.
MOST_NAMED, MOST_LOOKED_AT = 5, 20
LIFT = "lift"


def details(actor: Any, member: Any, alike: list[Any]) -> dict[str, Any]:
    """For the list of facts. `alike` are who has the address; those beyond the actor's reach are not named."""
    return {
        "last_login": getattr(member, "last_login", None),
        "keeps_last_login": accounts.keeps_last_login(type(member)),
        "since": getattr(member, "date_joined", None),
        "others": [str(get_user_display_name(other)) for other in _others(actor, member, alike)],
    }


def answer(member: Any, given: str, *, by: Any) -> None:
    """Note a reason, or take it back; does nothing for an answer that there is not."""
    if given == LIFT:
        do_not_email.lift(member, by=by)
    elif given in DoNotEmailReason.values:
        do_not_email.note(member, reason=DoNotEmailReason(given), by=by)


def _others(actor: Any, member: Any, alike: list[Any]) -> list[Any]:
    found = [other for other in alike if other.pk != member.pk][:MOST_LOOKED_AT]
    if found:
        accounts.read_permissions(found)
    return [other for other in found if permissions.may_view(actor, other)][:MOST_NAMED]
