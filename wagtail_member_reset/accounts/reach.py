"""Whom staff may mail, and look at: nobody of higher rank than their own, as conditions in SQL."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from .powers import Rank, rank_of
from .rank import enters_admin, is_superuser, manages_users
from .rights import may_view_all


def beyond(actor: Any) -> Q | None:
    """
    A filter for the accounts of higher rank than the actor's; None where there are none.

    It misses permissions that come from other authentication backends. That gives nothing away: an
    email goes to the owner of the account.
    """
    if actor.is_superuser:
        return None
    out_of_reach = is_superuser()
    if rank_of(actor) < Rank.MANAGES_USERS:
        out_of_reach |= manages_users()
    if rank_of(actor) < Rank.ADMIN_ACCESS:
        out_of_reach |= enters_admin()
    return out_of_reach


def hidden_from(actor: Any) -> Q | None:
    """A filter for the accounts whose resets the actor may not see; None where there are none."""
    return None if may_view_all(actor) else beyond(actor)
