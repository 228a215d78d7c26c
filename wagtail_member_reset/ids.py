"""Public ids of emails, and keyed digests of what must not be kept in clear."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable

from django.utils.crypto import salted_hmac

SALT = "wagtail_member_reset.v1."
LAST_62 = (1 << 62) - 1


def digest(kind: str, value: str) -> str:
    """A keyed digest, for counting what must not be kept in clear."""
    return digester(kind)(value)


def digester(kind: str) -> Callable[[str], str]:
    """The same for many values: the key is derived once, which is most of the work."""
    keyed = salted_hmac(SALT + kind, "", algorithm="sha256")

    def digest_of(value: str) -> str:
        begun = keyed.copy()
        begun.update(value.encode())
        return begun.hexdigest()

    return digest_of


def new_public_id() -> uuid.UUID:
    """A random id that grows with time (UUID version 7, RFC 9562), which keeps inserts into its index cheap."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(secrets.token_bytes(10), "big")  # of its 80 bits, the first 12 and the last 62
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | chance >> 68 << 64 | 0b10 << 62 | chance & LAST_62)
