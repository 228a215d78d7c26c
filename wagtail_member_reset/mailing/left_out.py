"""Whom mailings leave out though a link could be sent: one rule, for the preview's count and for each chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from .. import links
from ..accounts import is_not_to_be_emailed
from ..models import Mailing, ResetEmail, SkipReason


def reasons_to_leave_out(mailing: Mailing) -> dict[SkipReason, Q]:
    """For a query of accounts: the first condition that holds is the reason."""
    return {
        **_noted("pk"),
        SkipReason.EMAILED_SINCE: _is_emailed_since(mailing),
        SkipReason.ACCOUNT_LIMIT: Q(links.is_spent_for_mailings()),
    }


def reason_to_leave_out(mailing: Mailing) -> Case:
    """The same as one value; empty for accounts that are mailed."""
    return first_reason(reasons_to_leave_out(mailing).items())


def reason_noted_since() -> Case:
    """For a query of emails: why not even one that was written before may leave. Within the limit it was then."""
    return first_reason(_noted("member").items())


def _noted(member: str) -> dict[SkipReason, Q]:
    return {SkipReason.DO_NOT_EMAIL: is_not_to_be_emailed(member)}


def _is_emailed_since(mailing: Mailing) -> Q:
    """
    Whether another mailing has emailed them since this one was drafted, or is about to.

    Who drafted it did not know of that: of two drafts for the same people, each person gets the email of one.
    """
    emails = ResetEmail.objects.mailed().filter(member=OuterRef("pk"), created_at__gt=mailing.created_at)
    others = emails.exclude(mailing=None)
    if mailing.pk:
        others = others.exclude(mailing=mailing.pk)
    return Q(Exists(others))


def first_reason(conditions: Iterable[tuple[SkipReason, Any]]) -> Case:
    """The first reason whose condition holds, as one value; empty for none."""
    cases = (When(condition, then=Value(reason.value)) for reason, condition in conditions)
    return Case(*cases, default=Value(""), output_field=CharField())
