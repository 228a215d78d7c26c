"""
Writers who take turns: what is locked first, and what is tried again.

What decides a race is the database's unique index and the number of rows changed. What stands
here is for fewer collisions, and for nobody being refused because of one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, connections, router, transaction
from django.db.models import F

from .accounts import Member
from .models import PasswordReset

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
