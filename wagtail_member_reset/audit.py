"""Wagtail's audit log: who did what with whose reset. Never a token, a link, a password or an IP address."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from wagtail.log_actions import log, registry
from wagtail.models import ModelLogEntry

from . import inserts
from .accounts import Member
from .models import Origin, ResetBatch


def record(member: Member, action: str, *, by: Member | None, origin: Origin | None) -> None:
    """Write to the log, where the user's History and the site history show it."""
    data = {"origin": origin.value} if origin else {}
    log(instance=member, action=_name(action), user=by, data=data)


def record_many(actions: Sequence[tuple[Member, str]], *, batch: ResetBatch, by: Member | None) -> None:
    """The same for members of a run, at once: an entry for each pair of member and action."""
    model, data = get_user_model(), {"origin": batch.origin, "batch": batch.pk}
    if registry.get_log_model_for_model(model) is not ModelLogEntry:
        for member, action in actions:
            log(instance=member, action=_name(action), user=by, data=data)
        return
    content_type, now = ContentType.objects.get_for_model(model, for_concrete_model=False), timezone.now()
    entry = ModelLogEntry(content_type=content_type, timestamp=now, user=by, data=data)
    columns = {
        "object_id": [str(member.pk) for member, _action in actions],
        "label": [str(member) or f"{model.__name__} object ({member.pk})" for member, _action in actions],
        "action": [_name(action) for _member, action in actions],
    }
    inserts.insert_like(entry, columns)


def _name(action: str) -> str:
    return f"wagtail_member_reset.{action}"
