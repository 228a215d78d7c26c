"""Mailings that pause by themselves, whatever for: whoever is to be told of it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from .. import db
from ..models import Mailing, MailingState, PauseReason


def pause_by_itself(mailings: QuerySet[Mailing], reason: PauseReason, **changes: Any) -> bool:
    """Pause those of the mailings that are running; whether there were any. The changes are written with it."""
    paused = {"state": MailingState.PAUSED, "paused_at": timezone.now(), "paused_because": reason}
    running = mailings.filter(state=MailingState.RUNNING)
    return bool(db.retried(lambda: running.update(**paused, notice=MailingState.PAUSED, **changes)))


def pause_unwanted_mailing(mailing_id: int, answers: set[str]) -> bool:
    """Pause it for what many members' servers answer; False when it had been paused for that before."""

    def attempt() -> bool:
        running = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING)
        known = running.select_for_update().values_list("paused_for", flat=True).first()
        if known is None or answers <= set(known):
            return False
        return pause_by_itself(running, PauseReason.UNWANTED, paused_for=sorted(answers | set(known)))

    return db.retried(attempt)


def pause_refused_mailing(mailing_id: int) -> bool:
    """Pause it since our own server or service takes none of its emails; False when it was not running."""
    return pause_by_itself(Mailing.objects.filter(pk=mailing_id), PauseReason.REFUSED)


def time_since_progress(mailing_id: int) -> timedelta:
    """How long ago the mailing got any further, began, or went on after a pause."""
    found = Mailing.objects.filter(pk=mailing_id).values_list("progress_at", "started_at", "resumed_at").first()
    moved_at = max(filter(None, found or ()), default=None)
    return timezone.now() - moved_at if moved_at else timedelta(0)
