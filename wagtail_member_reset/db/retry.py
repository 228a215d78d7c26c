"""
Transactions that are tried again when another writer was faster.

What decides a race is the database's unique index and the number of rows changed. What stands
here is for fewer collisions, and for nobody being refused because of one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from django.apps import apps
from django.db import Error, IntegrityError, OperationalError, connections, router, transaction

ATTEMPTS = 8
# No further attempt after this: one alone may wait as long as the database's own time-out.
PATIENCE_SECONDS = 15.0
T = TypeVar("T")


def retried(operation: Callable[[], T]) -> T:
    """
    Run in a transaction, again when another writer was faster.

    Inside somebody else's transaction a database error that may have ended it is
    not retried: the loop would go on in a transaction that no longer stands.
    """
    using, end = alias(), time.monotonic() + PATIENCE_SECONDS
    for attempt in range(ATTEMPTS):
        try:
            with _transaction(using):
                return operation()
        except (IntegrityError, OperationalError) as error:
            nested = transaction.get_connection(using).in_atomic_block and isinstance(error, OperationalError)
            # One more is tried in any case.
            is_last = attempt == ATTEMPTS - 1 or (attempt > 0 and time.monotonic() > end)
            if nested or is_last:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - it only keeps two writers apart
    raise AssertionError("unreachable")


@contextmanager
def _transaction(using: str) -> Iterator[None]:
    with ExitStack() as stack:
        with _writing_from_the_start(connections[using]):
            stack.enter_context(transaction.atomic(using=using))
        yield


@contextmanager
def _writing_from_the_start(connection: Any) -> Iterator[None]:
    """
    Have SQLite begin a transaction as a writer's, unless the site has chosen how it begins.

    Else a transaction that reads first and then writes is refused at once, whatever the time-out, when
    another writes or has written meanwhile: https://www.sqlite.org/lang_transaction.html. As a writer, it waits
    for its turn. Within a transaction nothing is begun, and nothing changes here.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()  # which reads what the site has chosen
    chosen = connection.transaction_mode
    connection.transaction_mode = chosen or "IMMEDIATE"
    try:
        yield
    finally:
        connection.transaction_mode = chosen


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
