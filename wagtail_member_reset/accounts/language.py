"""In which language a member is written to."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet, Value

from .address import Member

OWN_LANGUAGE = "preferred_language_of_their_profile"


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
