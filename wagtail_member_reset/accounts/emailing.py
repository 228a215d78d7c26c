"""Who is not to be emailed by the office: "Do not email", for one account and in SQL."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from ..models import DoNotEmail
from .address import Member


def do_not_email_of(member: Member) -> DoNotEmail | None:
    """Why an account is not to be emailed, since when, and who said so; None for everybody else. One query."""
    return DoNotEmail.objects.select_related("set_by").filter(member=member.pk).first()


def is_not_to_be_emailed(member: str = "pk") -> Q:
    """For a query of accounts, or of what names one in the column `member`."""
    return Q(Exists(DoNotEmail.objects.filter(member=OuterRef(member))))
