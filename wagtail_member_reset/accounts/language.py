"""In which language a member is written to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.models import F, QuerySet, Value

from .. import db, languages
from ..conf import conf
from ..exceptions import SettingError
from .address import Member

logger = logging.getLogger("wagtail_member_reset")

OWN_LANGUAGE = "preferred_language_of_their_profile"
# What the site's rule has said of a member, where it was asked about many.
RULED = "_member_reset_language"

Rule = Callable[[Any], object]


def language_of(member: Member, default: str = "") -> str:
    """
    The member's own language, else the given one, else the site's: always one of LANGUAGES, or LANGUAGE_CODE.

    Their own is what the site's `MEMBER_LANGUAGE` says, else what their Wagtail profile has.
    """
    own = _by_rule(member) or languages.known(_of_profile(member))
    return own or languages.known(default) or settings.LANGUAGE_CODE


def with_languages(accounts: QuerySet[Any]) -> QuerySet[Any]:
    """Accounts that bring their own language along, so that asking for it costs no query, and no profile is made."""
    has_profiles = any(field.name == "wagtail_userprofile" for field in accounts.model._meta.related_objects)
    own: Any = F("wagtail_userprofile__preferred_language") if has_profiles else Value("")
    found: QuerySet[Any] = accounts.annotate(**{OWN_LANGUAGE: own})
    return found


def ask_languages(members: Iterable[Member]) -> list[Member]:
    """The same members, about whom the site's rule was asked, if there is one: in one savepoint for all of them."""
    members = list(members)
    if not (rule := _rule()):
        return members
    try:
        with _savepoint():
            found = [_answer(rule, member) for member in members]
    except (DatabaseError, InterfaceError):  # for one member: from then on, the database may have answered none
        found = [_answer_apart(rule, member) for member in members]
    for member, language in zip(members, found, strict=True):
        vars(member)[RULED] = language
    return members


def _of_profile(member: Member) -> str:
    if OWN_LANGUAGE in vars(member):
        return vars(member)[OWN_LANGUAGE] or ""
    profile = getattr(member, "wagtail_userprofile", None)
    return profile.preferred_language if profile else ""


def _by_rule(member: Member) -> str:
    if RULED in vars(member):
        return str(vars(member)[RULED])
    rule = _rule()
    return _answer_apart(rule, member) if rule else ""


def _rule() -> Rule | None:
    try:
        return conf.MEMBER_LANGUAGE
    except SettingError:  # a check names it; an email in another language is better than none
        return None


def _answer(rule: Rule, member: Member) -> str:
    """Raises what the database does."""
    try:
        return languages.known(rule(member))
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:
        _log(member, error)
        return ""


def _answer_apart(rule: Rule, member: Member) -> str:
    """An error of the database must not end the caller's transaction."""
    try:
        with _savepoint():
            return _answer(rule, member)
    except (DatabaseError, InterfaceError) as error:
        _log(member, error)
        return ""


def _savepoint() -> Any:
    is_within = connections[db.alias()].in_atomic_block
    return transaction.atomic(using=db.alias()) if is_within else nullcontext()


def _log(member: Member, error: Exception) -> None:
    logger.error("member=%s: MEMBER_LANGUAGE failed", member.pk, exc_info=error)
