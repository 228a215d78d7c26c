"""Whom mailings leave out though a link could be sent: one rule, for the preview's count and for each chunk."""

from __future__ import annotations

from django.db.models import Case, CharField, Q, Value, When

from .. import links
from ..accounts import is_not_to_be_emailed
from ..models import SkipReason


def spared_conditions() -> dict[SkipReason, Q]:
    """For a query of accounts: the first condition that holds is the reason."""
    return {**_noted("pk"), SkipReason.ACCOUNT_LIMIT: Q(links.is_spent_for_mailings())}


def reason_to_spare() -> Case:
    """The same as one value; empty for accounts that are mailed."""
    return _first_of(spared_conditions())


def reason_noted_since() -> Case:
    """For a query of emails: why not even one that was written before may leave. Within the limit it was then."""
    return _first_of(_noted("member"))


def _noted(member: str) -> dict[SkipReason, Q]:
    return {SkipReason.DO_NOT_EMAIL: is_not_to_be_emailed(member)}


def _first_of(conditions: dict[SkipReason, Q]) -> Case:
    cases = (When(condition, then=Value(reason.value)) for reason, condition in conditions.items())
    return Case(*cases, default=Value(""), output_field=CharField())
