"""Which accounts can be sent a link at all, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from ..conf import conf
from ..exceptions import Refusal
from .address import Member, address_of


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
