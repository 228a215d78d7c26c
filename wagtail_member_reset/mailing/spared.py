"""Whom mailings leave out though a link could be sent: one rule, for the preview's count and for each chunk."""

from __future__ import annotations

from django.db.models import Case, CharField, Q, Value, When

from .. import links
from ..accounts import is_not_to_be_emailed
from ..models import SkipReason


def spared_conditions() -> dict[SkipReason, Q]:
    """For a query of accounts: the first condition that holds is the reason."""
    return {
        SkipReason.DO_NOT_EMAIL: is_not_to_be_emailed(),
        SkipReason.ACCOUNT_LIMIT: Q(links.is_spent_for_mailings()),
    }


def reason_to_spare() -> Case:
    """The same as one value; empty for accounts that are mailed."""
    cases = (When(condition, then=Value(reason.value)) for reason, condition in spared_conditions().items())
    return Case(*cases, default=Value(""), output_field=CharField())
