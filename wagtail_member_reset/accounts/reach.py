"""Whom staff may mail, and look at: nobody of higher rank than their own, as conditions in SQL."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet

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


def but_for(accounts: QuerySet[Any], left_out: Q | None) -> QuerySet[Any]:
    """The accounts without those that such a filter describes; all of them where it is None."""
    return accounts if left_out is None else accounts.exclude(left_out)


def but_for_members(rows: QuerySet[Any], left_out: Q | None) -> QuerySet[Any]:
    """The same of rows that name a `member`. Asked row by row, so that a page never reads all accounts."""
    if left_out is None:
        return rows
    return rows.filter(~Exists(get_user_model()._base_manager.filter(left_out, pk=OuterRef("member"))))
