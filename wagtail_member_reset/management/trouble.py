"""What is wrong with the database, said to who runs a command."""

from __future__ import annotations

from django.core.management.base import CommandError
from django.db import DataError, Error, IntegrityError, connections
from django.db.migrations.executor import MigrationExecutor

from .. import db

MISSING = (
    "The database lacks migrations of wagtail_member_reset, or of what it stands on ({first}): run manage.py migrate."
)


def raise_if_unmigrated(error: Exception) -> None:
    """Raise `CommandError` where an error of the database came of migrations that were not applied."""
    try:
        executor = MigrationExecutor(connections[db.alias()])
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes("wagtail_member_reset"))
    except Error:  # it does not answer, or lets nobody look
        return
    if missing:
        first = missing[0][0]
        raise CommandError(MISSING.format(first=f"{first.app_label}.{first.name}")) from error


def said_of(error: Exception) -> str:
    """One line on an error of the database; never what it says about a row, nor about a connection."""
    kind = type(error.__cause__ or error).__name__
    if not db.answers():
        return f"The database did not answer ({type(error).__name__})"
    lines = str(error).splitlines()
    if isinstance(error, (DataError, IntegrityError)) or not lines:
        return f"The database refused ({kind})"
    return f"The database refused ({kind}: {lines[0]})"
