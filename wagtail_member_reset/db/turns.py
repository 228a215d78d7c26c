"""Turns: where a database lets several write at once, one after the other counts what is written."""

from __future__ import annotations

import random
import time
from typing import Any

from django.apps import apps
from django.db import connections

from .retry import alias

# Nobody waits longer for a turn on PostgreSQL, which would let them wait for ever behind a process that hangs.
PATIENCE_SECONDS = 5.0
LONGEST_PAUSE = 0.003
# "mreset": what nobody else is likely to use as a key. PostgreSQL keeps the keys of its databases apart.
KEY = int.from_bytes(b"mreset", "big")


def take_turn() -> None:
    """
    Wait until no other transaction is between this and its end; the caller's ends the turn.

    The next statement sees what the others have committed, unless the site has PostgreSQL read one snapshot for a whole
    transaction. After `PATIENCE_SECONDS`, the caller goes on without a turn. SQLite has one writer at a time by itself.
    """
    connection = connections[alias()]
    if connection.vendor == "postgresql":
        _ask_for_turn(connection)
    elif connection.features.has_select_for_update:
        _lock_row()


def _ask_for_turn(connection: Any) -> None:
    """Ask instead of waiting: a lock that is not waited for is part of no deadlock."""
    end = time.monotonic() + PATIENCE_SECONDS
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
            if cursor.fetchone()[0] or time.monotonic() > end:
                return
            time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 - it only keeps two writers apart


def _lock_row() -> None:
    """
    Lock a row that is always there, and that nothing else writes or refers to: the content type of requests.

    A lock by name would outlive the transaction on MariaDB. Its own time-out ends the wait, and with it the attempt.
    """
    kinds = apps.get_model("contenttypes", "ContentType").objects.using(alias()).select_for_update()
    list(kinds.filter(app_label="wagtail_member_reset", model="resetrequest").values_list("pk"))
