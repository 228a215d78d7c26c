"""What a link may take for granted of an account: its address, its language, whether it may be reset."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import F, QuerySet, Value
from django.utils import timezone
from wagtail.log_actions import registry
from wagtail.models import ModelLogEntry

from . import tokens
from .conf import conf
from .exceptions import Refusal
from .models import PasswordReset, Reason

Member = Any  # the site's own user model
# Who changed an address is not shown, for this long, what is then sent there.
FOUR_EYES = timedelta(hours=24)
ADDRESS_CHANGED = "wagtail_member_reset.address"
OWN_LANGUAGE = "preferred_language_of_their_profile"


def address_of(member: Member) -> str:
    return str(getattr(member, member.get_email_field_name(), "") or "").strip()


def same_address(one: str, other: str) -> bool:
    """Compare as Django does since CVE-2019-19844, so that look-alikes of another alphabet differ."""
    return comparable(one) == comparable(other)


def comparable(address: str) -> str:
    """What all spellings of an address have in common."""
    return unicodedata.normalize("NFKC", address).casefold()


def has_passwords() -> bool:
    """Whether the site's accounts have passwords at all, by Wagtail's own setting."""
    return bool(getattr(settings, "WAGTAILUSERS_PASSWORD_ENABLED", True))


def refusal_for(member: Member) -> Refusal | None:
    """Why this account cannot be sent a link, whoever asks; None when it can."""
    return refusals()(member)


def refusals() -> Callable[[Member], Refusal | None]:
    """The same for many, with the site's settings read once."""
    are_there_passwords, may_reset = has_passwords(), conf.MAY_RESET

    def refusal_of(member: Member) -> Refusal | None:
        if not are_there_passwords:
            return Refusal.PASSWORDS_DISABLED
        if not may_reset(member):
            return Refusal.NOT_ALLOWED
        if not member.is_active:
            return Refusal.INACTIVE
        return None if address_of(member) else Refusal.NO_ADDRESS

    return refusal_of


def failing(reset: PasswordReset, member: Member) -> Reason | None:
    """Why a link does not fit its account any more; None when it does."""
    if not member.is_active:
        return Reason.DEACTIVATED
    if not same_address(reset.recipient, address_of(member)):
        return Reason.ADDRESS_CHANGED
    if not (mark := tokens.password_mark(member.pk, member.password, reset.key_id)):
        return Reason.KEY_LOST
    if mark != reset.password_mark:
        return Reason.PASSWORD_CHANGED
    return None if refusal_for(member) is None else Reason.NOT_ALLOWED


def language_of(member: Member, default: str = "") -> str:
    """The member's own language, as the Wagtail profile has it, else the given one, else the site's."""
    if OWN_LANGUAGE in vars(member):
        own = vars(member)[OWN_LANGUAGE]
    else:
        profile = getattr(member, "wagtail_userprofile", None)
        own = profile.preferred_language if profile else ""
    return own or default or settings.LANGUAGE_CODE


def with_languages(accounts: QuerySet[Any]) -> QuerySet[Any]:
    """Accounts that bring their own language along, so that asking for it costs no query, and no profile is made."""
    has_profiles = any(field.name == "wagtail_userprofile" for field in accounts.model._meta.related_objects)
    own: Any = F("wagtail_userprofile__preferred_language") if has_profiles else Value("")
    found: QuerySet[Any] = accounts.annotate(**{OWN_LANGUAGE: own})
    return found


def has_changed_address(member: Member, *, by: Member) -> bool:
    """Whether this very person changed the member's address within the last 24 hours, as far as the log knows."""
    entries = registry.get_logs_for_instance(member).filter(action=ADDRESS_CHANGED, user=by)
    return bool(entries.filter(timestamp__gt=timezone.now() - FOUR_EYES).exists())


def with_changed_address(members: Sequence[Member], *, by: Member | None) -> list[Member]:
    """Those whose address this very person changed within the last 24 hours. One query, however many they are."""
    if by is None:
        return []
    log = registry.get_log_model_for_model(get_user_model())
    if log is not ModelLogEntry:
        return [member for member in members if has_changed_address(member, by=by)]
    changes = log.objects.filter(action=ADDRESS_CHANGED, user=by, timestamp__gt=timezone.now() - FOUR_EYES)
    changed = set(changes.values_list("object_id", flat=True))
    return [member for member in members if str(member.pk) in changed]
