"""Mailings that pause by themselves, whatever for: whoever is to be told of it is told."""

from __future__ import annotations

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
