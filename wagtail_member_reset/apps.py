from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.core.signals import request_started
from django.db.models.signals import post_save
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
        from .staff import viewset

        viewset.install()
        reports.listen()
        redact.install()
        post_save.connect(member_saved, sender=get_user_model(), dispatch_uid="wagtail_member_reset")
        request_started.connect(request_came, dispatch_uid="wagtail_member_reset")


def member_saved(sender: type, instance: Any, created: bool, update_fields: Any, **kwargs: Any) -> None:
    """
    End a link at once when its account changes under it.

    Its use would be refused in any case; this keeps it dead when the account changes back.
    """
    from . import links

    if not created and set(update_fields or []) != {"last_login"} and not kwargs.get("raw"):
        links.settle_member(instance)


def request_came(**kwargs: Any) -> None:
    """Have the outbox looked after by whoever serves requests: what a restart left waiting, and what must be erased."""
    from . import outbox

    outbox.look_if_due()
