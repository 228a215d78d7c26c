"""Writing many rows at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connections
from django.db.models import AutoField, JSONField, Model
from django.db.models.base import ModelState
from django.db.models.constants import OnConflict

from . import turns

T = TypeVar("T", bound=Model)


def insert(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> bool:
    """
    Write rows of one model, in a transaction of the caller's; whether they have their keys afterwards.

    Row by row under one prepared statement, as every driver here does best: a fifth of what
    `bulk_create` costs, which writes a thousand rows into one statement, or some forty on SQLite.
    """
    if not rows:
        return True
    connection: Any = connections[turns.alias()]
    if connection.vendor not in ("sqlite", "postgresql") or connection.Database.__name__ == "psycopg2":
        type(rows[0])._base_manager.bulk_create(rows, ignore_conflicts=ignore_conflicts)
        return bool(connection.features.can_return_rows_from_bulk_insert) and not ignore_conflicts
    options, quote = type(rows[0])._meta, connection.ops.quote_name
    fields = [field for field in options.concrete_fields if not isinstance(field, AutoField)]
    on_conflict = OnConflict.IGNORE if ignore_conflicts else None
    columns = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(["%s"] * len(fields))
    into = f"{connection.ops.insert_statement(on_conflict=on_conflict)} {quote(options.db_table)}"
    # Either before or behind, as the database says it.
    suffix = connection.ops.on_conflict_suffix_sql(fields, on_conflict, [], [])
    cells = [_Cell(field, connection) for field in fields]
    take = attrgetter(*(field.attname for field in fields))
    prepared = [[cell(value) for cell, value in zip(cells, take(row), strict=True)] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f"{into} ({columns}) VALUES ({values}) {suffix}", prepared)
    return False


def like(pattern: T, **values: Any) -> T:
    """A new row as the pattern, but for these attributes: a fifth of the time that a model takes to be made."""
    row = type(pattern).__new__(type(pattern))
    vars(row).update(vars(pattern))
    vars(row).update(values, _state=ModelState())
    row._state.fields_cache = dict(pattern._state.fields_cache)
    return row


class _Cell:
    """One column, as the database takes it. What many rows share is prepared once."""

    def __init__(self, field: Any, connection: Any) -> None:
        self.field, self.connection = field, connection
        self.known: dict[Any, Any] = {}
        self.plain = () if isinstance(field, JSONField) else (str, int, bool, bytes, type(None))

    def __call__(self, value: Any) -> Any:
        if type(value) in self.plain:
            return value
        if not isinstance(value, Hashable):
            return self.prepared(value)
        if value not in self.known:
            self.known[value] = self.prepared(value)
        return self.known[value]

    def prepared(self, value: Any) -> Any:
        return self.field.get_db_prep_save(value, connection=self.connection)
