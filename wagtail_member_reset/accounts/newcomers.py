"""
Who has not got in yet: never signed in, and no password set by a link.

Who has set one is in, though they sign in later. That is known as long as the used link is kept: see RETENTION.
"""

from __future__ import annotations

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, Model, OuterRef, Q

from ..models import PasswordReset, State


def has_set_password(member: str = "pk") -> Exists:
    """Whether an account has used a link, for a query of accounts, or of what names one in the column `member`."""
    return Exists(PasswordReset.objects.filter(member=OuterRef(member), state=State.USED))


def has_not_got_in() -> Q:
    """For accounts of a model that keeps when somebody signed in last."""
    return Q(~has_set_password(), last_login=None)


def keeps_last_login(model: type[Model]) -> bool:
    """Whether accounts have a `last_login`: Django's are asked to keep none by `last_login = None` in the model."""
    try:
        return bool(model._meta.get_field("last_login"))
    except FieldDoesNotExist:
        return False
