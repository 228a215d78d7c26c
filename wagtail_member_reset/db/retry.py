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

from django.apps import apps
from django.db import Error, IntegrityError, OperationalError, connections, router, transaction

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


def answers() -> bool:
    """Whether our database answers. Asked after an error, which may have been about one statement alone."""
    connection = connections[alias()]
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def alias() -> str:
    """The database of our tables."""
    return router.db_for_write(apps.get_model("wagtail_member_reset", "PasswordReset"))
