"""
Who changed a member's address, by whatever form it was: kept in the log, since that person is not shown a link.

Wagtail says who is at work in its admin, wherever an account is saved there: in its own views, in those of the site,
in hooks. Django's admin says so after the fact, in its log. What a script saves is nobody's.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.signals import request_finished, request_started
from django.db.models.signals import post_save, pre_save
from django.utils import timezone
from wagtail.log_actions import get_active_log_context

from .. import resets
from ..accounts import address_column, address_of, clean_address, replaces_address

UID = "wagtail_member_reset.staff.address_changes"
FORMER = "_member_reset_former_address"
# The last change of this request that nobody has answered for, until Django's admin says whose it was.
_unclaimed: ContextVar[Any] = ContextVar("unclaimed", default=None)


def listen() -> None:
    """Have every save of an account looked at. `AppConfig.ready` calls this."""
    # From every sender: an account may be saved as a proxy, or as a model that inherits from the user model.
    pre_save.connect(_about_to_save, dispatch_uid=UID)
    post_save.connect(_saved, dispatch_uid=UID)
    if _has_django_admin():
        post_save.connect(_logged, sender="admin.LogEntry", dispatch_uid=f"{UID}.admin")
        # A thread serves one request after another, and each has its own changes.
        request_started.connect(_forget, dispatch_uid=UID)
        request_finished.connect(_forget, dispatch_uid=UID)


def _has_django_admin() -> bool:
    return apps.is_installed("django.contrib.admin")


def _about_to_save(instance: Any, raw: bool, using: str, update_fields: Any, **kwargs: Any) -> None:
    if not isinstance(instance, get_user_model()):
        return
    vars(instance).pop(FORMER, None)
    is_saved = update_fields is None or instance.get_email_field_name() in update_fields
    if raw or instance._state.adding or not is_saved:
        return
    if get_active_log_context().user is not None or _has_django_admin():
        vars(instance)[FORMER] = _stored_address(instance.pk, using=using), timezone.now()


def _stored_address(key: Any, *, using: str) -> str:
    """The address that the account has in this database; empty where there is no such account."""
    model = get_user_model()
    stored = model._base_manager.using(using).filter(pk=key)
    if column := address_column(model):
        return clean_address(stored.values_list(column, flat=True).first() or "")
    account = stored.first()
    return address_of(account) if account else ""


def _saved(instance: Any, **kwargs: Any) -> None:
    if not isinstance(instance, get_user_model()):
        return
    found = vars(instance).pop(FORMER, None)
    if found is None:
        return
    (former, read_at), by = found, get_active_log_context().user
    if not replaces_address(former, address_of(instance)):
        if not former and address_of(instance) and by is not None and by.pk == instance.pk:
            # A first address of one's own may be another person's all the same, and tests go to it.
            resets.note_address_changed(instance, by=by)
        return
    if by is None:
        _unclaimed.set(instance)
        return
    resets.note_address_changed(instance, by=by)
    if by.pk == instance.pk:  # on Wagtail's page for one's own account
        resets.tell_former_address(instance, address=former, by=by, changed_at=read_at)


def _logged(instance: Any, created: bool, **kwargs: Any) -> None:
    member = _unclaimed.get()
    _unclaimed.set(None)
    if created and member is not None and instance.is_change() and _is_about(instance, member):
        resets.note_address_changed(member, by=instance.user)


def _is_about(entry: Any, member: Any) -> bool:
    model = entry.content_type.model_class() if entry.content_type_id else None
    is_account = model is not None and issubclass(model, get_user_model())
    return is_account and str(entry.object_id) == str(member.pk)


def _forget(**kwargs: Any) -> None:
    _unclaimed.set(None)
