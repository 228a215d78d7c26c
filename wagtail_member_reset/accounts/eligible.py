"""
Who can be sent a link at all, whoever asks: one rule, in Python and in SQL.

Python decides: `refusal_for`, `refusals`. SQL counts what Python will decide: `refusal_conditions`. Both ask in the
order of `Refusal`, so that each account has one reason. `is_rule_open` says whether Python asks for more than SQL can.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import CharField, Model, Q, TextField

from ..conf import anyone, conf
from ..exceptions import Refusal
from .address import BLANKS, Member, address_of
from .columns import column_of

EVERYBODY = Q(pk__isnull=False)
NOBODY = Q(pk__in=[])
# Alternatives, not a class of characters: MariaDB compares byte by byte.
BLANK = f"^(?:{'|'.join(BLANKS)})*$"


def has_passwords() -> bool:
    """Whether the site's accounts have passwords at all."""
    return conf.PASSWORDS_ENABLED


def refusal_for(member: Member) -> Refusal | None:
    """Why this account cannot be sent a link, whoever asks; None when it can. Raises what the site's rule raises."""
    return refusals()(member)


def refusals() -> Callable[[Member], Refusal | None]:
    """
    The same for many, with the site's settings read once.

    What is found raises for an account only where the site's own MAY_RESET does: who asks about many handles that
    for the one account.
    """
    are_there_passwords, may_reset = has_passwords(), conf.MAY_RESET

    def refusal_of(member: Member) -> Refusal | None:
        if not are_there_passwords:
            return Refusal.PASSWORDS_DISABLED
        if not may_reset(member):
            return Refusal.NOT_ALLOWED
        if not member.is_active:
            return Refusal.INACTIVE
        return None if address_of(member) else Refusal.NO_ADDRESS

    return refusal_of


def refusal_conditions(model: type[Model]) -> dict[Refusal, Q]:
    """
    The same in SQL, for accounts of this model: the first condition that holds is the refusal.

    What SQL cannot ask is left out: see `is_rule_open`.
    """
    conditions = {
        Refusal.PASSWORDS_DISABLED: NOBODY if has_passwords() else EVERYBODY,
        Refusal.INACTIVE: _is_inactive(model),
        Refusal.NO_ADDRESS: _has_no_address(model),
    }
    return {refusal: condition for refusal, condition in conditions.items() if condition is not None}


def is_rule_open(model: type[Model]) -> bool:
    """
    Whether accounts may be refused for what SQL does not see.

    That is the site's own MAY_RESET, or an address or an active flag that the user model computes.
    """
    return conf.MAY_RESET is not anyone or _is_inactive(model) is None or _has_no_address(model) is None


def address_column(model: type[Model]) -> str | None:
    """The column that the address of an account stands in, as it is; None where the model computes it."""
    name = _address_name(model)
    return name if isinstance(column_of(model, name), CharField | TextField) else None


def _is_inactive(model: type[Model]) -> Q | None:
    if column_of(model, "is_active"):
        return ~Q(is_active=True)  # also where it is NULL
    # Django's own base class has a plain True.
    flag = getattr(model, "is_active", True)
    return (NOBODY if flag else EVERYBODY) if isinstance(flag, bool) else None


def _has_no_address(model: type[Model]) -> Q | None:
    if column := address_column(model):
        # No blank text has an @, and LIKE is faster: SQLite calls Python for each regular expression.
        blank = ~Q(**{f"{column}__contains": "@"}) & Q(**{f"{column}__regex": BLANK})
        return Q(**{f"{column}__isnull": True}) | blank
    return None if hasattr(model, _address_name(model)) else EVERYBODY


def _address_name(model: Any) -> str:
    return str(model.get_email_field_name())
