"""
"Do not email": what staff note when somebody is not to get emails from the office.

Mailings and reminders leave the person out. A single send asks first, and what the person asks for on the website
is sent. Who may note it is decided by `staff/permissions.py`.
"""

from __future__ import annotations

from django.utils import timezone

from . import audit, db
from .accounts import Member
from .models import DoNotEmail, DoNotEmailReason, NeedsHelp


def note(member: Member, *, reason: DoNotEmailReason, by: Member | None) -> bool:
    """Note it, with the reason and who says so; False when it was noted with this reason already."""

    def attempt() -> bool:
        if DoNotEmail.objects.filter(member=member.pk, reason=reason).exists():
            return False
        told = {"reason": reason, "set_at": timezone.now(), "set_by": by}
        DoNotEmail.objects.update_or_create(member=member, defaults=told)
        NeedsHelp.objects.filter(pk=member.pk).delete()
        audit.note_do_not_email(member, by=by, reason=reason.value)
        return True

    return db.retried(attempt)


def lift(member: Member, *, by: Member | None) -> bool:
    """Take it back; False when nothing was noted."""

    def attempt() -> bool:
        deleted, _each = DoNotEmail.objects.filter(member=member.pk).delete()
        if deleted:
            NeedsHelp.objects.look_at([member.pk])
            audit.record(member, "email_again", by=by, origin=None)
        return bool(deleted)

    return db.retried(attempt)
