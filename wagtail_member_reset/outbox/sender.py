"""Whether what emails are sent from is one mailbox, as every mail server and service asks."""

from __future__ import annotations

from email.errors import InvalidHeaderDefect, MessageError
from email.headerregistry import HeaderRegistry
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# A header's longest line (RFC 5322, 2.1.1).
LONGEST_SENDER = 998
_as_header = HeaderRegistry()


def check_sender() -> None:
    """Raise `ImproperlyConfigured` where `DEFAULT_FROM_EMAIL` is not one mailbox."""
    sender = str(settings.DEFAULT_FROM_EMAIL or "")
    if not is_one_mailbox(sender):
        raise ImproperlyConfigured("DEFAULT_FROM_EMAIL is not one address, with or without a name.")


@lru_cache(maxsize=8)
def is_one_mailbox(text: str) -> bool:
    """
    Whether this is one address, with or without a name: `Club <office@club.example>`.

    Not so are two addresses, a group ("Club: …" without quotes begins one), and what would begin another header.
    """
    if not text.strip() or len(text) > LONGEST_SENDER or not text.isprintable():
        return False
    try:
        header: Any = _as_header("From", text)
        [group] = header.groups
        [address] = group.addresses
    except (ValueError, IndexError, AttributeError, TypeError, MessageError):  # as some of Python's parsers end
        return False
    if any(isinstance(defect, InvalidHeaderDefect) for defect in header.defects):
        return False
    return bool(address.username and address.domain) and group.display_name is None
