"""
Writers who take turns: what is locked first, and what is tried again.

What decides a race is the database's unique index and the number of rows changed. What stands
here is for fewer collisions, and for nobody being refused because of one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, connections, router, transaction
from django.db.models import F

from .accounts import Member
from .models import PasswordReset

ATTEMPTS = 8
T = TypeVar("T")


def retried(operation: Callable[[], T]) -> T:
    """
    Run in a transaction, again when another writer was faster.

    Inside somebody else's transaction a database error that may have ended it is
    not retried: the loop would go on in a transaction that no longer stands.
    """
    using = alias()
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(using=using):
                return operation()
        except (IntegrityError, OperationalError) as error:
            nested = transaction.get_connection(using).in_atomic_block and isinstance(error, OperationalError)
            if nested or attempt == ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - it only keeps two writers apart
    raise AssertionError("unreachable")


def lock_first(member: Member) -> None:
    """Take the member's link for writing, before anything is read: on SQLite, too, later writers now wait."""
    PasswordReset.objects.filter(active_for=member.pk).update(revision=F("revision") + 1)


def locked(member: Member) -> Member | None:
    """
    The account as it is now, locked after its link and before anything is written about it.

    Without this, writers of one member share the account's row by their foreign keys, and MariaDB ends
    the deadlock by refusing whoever did least: the site's own save. Where PostgreSQL can, rows that only
    point to the account are not held up.
    """
    has_no_key = connections[alias()].features.has_select_for_no_key_update
    return get_user_model()._base_manager.select_for_update(no_key=has_no_key).filter(pk=member.pk).first()


def alias() -> str:
    return router.db_for_write(PasswordReset)
