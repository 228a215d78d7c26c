"""The address of an account, and when two addresses are the same."""

from __future__ import annotations

import unicodedata
from typing import Any

Member = Any  # the site's own user model


def address_of(member: Member) -> str:
    return str(getattr(member, member.get_email_field_name(), "") or "").strip()


def same_address(one: str, other: str) -> bool:
    """Compare as Django does since CVE-2019-19844, so that look-alikes of another alphabet differ."""
    return comparable(one) == comparable(other)


def comparable(address: str) -> str:
    """What all spellings of an address have in common."""
    return unicodedata.normalize("NFKC", address).casefold()
