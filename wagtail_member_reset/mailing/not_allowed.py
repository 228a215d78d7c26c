"""Members whom whoever starts a mailing may not reset: each has a row, so that whoever is counted can be listed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from .. import db, ids
from ..models import EmailState, Mailing, Purpose, ResetEmail, SkipReason
from .known_bad import recipient_of

SLICE = 1000


def write_not_allowed(mailing: Mailing, accounts: QuerySet[Any]) -> int:
    """Write the rows of these accounts, which get no email; how many. Part of a transaction."""
    pattern = ResetEmail(
        mailing=mailing,
        origin=mailing.origin,
        requested_by=mailing.created_by,
        purpose=Purpose.RESET,
        language=mailing.language,
        state=EmailState.SKIPPED,
        skip_reason=SkipReason.NOT_ALLOWED,
    )
    number = 0
    for part in db.parts(accounts.order_by("pk").iterator(chunk_size=SLICE), SLICE):
        db.insert([_row(pattern, member) for member in part])
        number += len(part)
    return number


def _row(pattern: ResetEmail, member: Any) -> ResetEmail:
    about = {"public_id": ids.new_public_id(), "member_id": member.pk, "recipient": recipient_of(member)}
    return db.copy_of(pattern, **about)
