from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in
from django.core.signals import request_started
from django.db.models.signals import post_save, pre_delete, pre_save
from django.utils.translation import gettext_lazy as _


class WagtailMemberResetConfig(AppConfig):
    name = "wagtail_member_reset"
    label = "wagtail_member_reset"
    verbose_name = _("Member password resets")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models may only be imported once every app has loaded.
        from . import (
            checks,  # noqa: F401
            redact,
            reports,
        )
        from .staff import address_changes, viewset

        leave_out_of_auditlog()
        viewset.install()
        address_changes.listen()
        reports.listen()
        redact.install()
        pre_save.connect(before_member_saved, sender=get_user_model(), dispatch_uid="wagtail_member_reset")
        post_save.connect(member_saved, sender=get_user_model(), dispatch_uid="wagtail_member_reset")
        pre_delete.connect(before_member_deleted, sender=get_user_model(), dispatch_uid="wagtail_member_reset")
        user_logged_in.connect(member_signed_in, dispatch_uid="wagtail_member_reset")
        request_started.connect(request_came, dispatch_uid="wagtail_member_reset")


def leave_out_of_auditlog() -> None:
    """
    Keep our rows out of django-auditlog where it is set to track all models; what a site names itself, it tracks.

    It would keep what makes a link beyond the time in which that may be known, and fails on fields of bytes.
    """
    if not (apps.is_installed("auditlog") and getattr(settings, "AUDITLOG_INCLUDE_ALL_MODELS", False)):
        return
    # It reads its settings when it is ready itself, before us or after.
    left_out = [*getattr(settings, "AUDITLOG_EXCLUDE_TRACKING_MODELS", ()), "wagtail_member_reset"]
    settings.AUDITLOG_EXCLUDE_TRACKING_MODELS = left_out
    registry = import_module("auditlog.registry").auditlog
    wished = set(map(str.lower, _names(getattr(settings, "AUDITLOG_INCLUDE_TRACKING_MODELS", ()))))
    for model in apps.get_app_config("wagtail_member_reset").get_models():
        if not wished & {model._meta.label_lower, model._meta.app_label}:
            registry.unregister(model)


def _names(models: Iterable[Any]) -> list[str]:
    return [model["model"] if isinstance(model, Mapping) else model for model in models]


def before_member_saved(sender: type, instance: Any, update_fields: Any, **kwargs: Any) -> None:
    """Notice when nothing but the hash of a password is upgraded, as Django saves it while somebody signs in."""
    from . import links

    if set(update_fields or []) == {"password"} and not kwargs.get("raw"):
        links.notice_upgrade(instance)


def member_signed_in(sender: type, user: Any, **kwargs: Any) -> None:
    """Have the member's link know the upgraded hash of the same password."""
    from . import links
    from .models import NeedsHelp

    links.follow_upgrade(user)
    NeedsHelp.objects.filter(pk=user.pk).delete()


def member_saved(sender: type, instance: Any, created: bool, update_fields: Any, **kwargs: Any) -> None:
    """
    End a link at once when its account changes under it.

    Its use would be refused in any case; this keeps it dead when the account changes back.
    """
    from . import links
    from .models import NeedsHelp

    saved = set(update_fields or [])
    if created or kwargs.get("raw") or saved == {"last_login"}:
        return
    if saved != {"password"} or not links.is_upgrading(instance):
        links.settle_member(instance)
        NeedsHelp.objects.look_again([instance.pk])


def before_member_deleted(sender: type, instance: Any, using: str, **kwargs: Any) -> None:
    """Have what no foreign key takes along go with the account."""
    from . import personal_data

    personal_data.note_deleted(instance, using=using)


def request_came(**kwargs: Any) -> None:
    """Have the outbox looked after by whoever serves requests: what a restart left waiting, and what must be erased."""
    from . import outbox

    outbox.look_if_due()
