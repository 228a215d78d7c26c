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
# What a database takes as it is.
PLAIN = {str, int, bool, bytes, type(None)}


def insert(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> bool:
    """
    Write rows of one model, in a transaction of the caller's; whether they have their keys afterwards.

    One array for each column on PostgreSQL, one prepared statement for all rows on SQLite, as each does
    best: a fifth of what `bulk_create` costs, which prepares every value by itself.
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
    names = ", ".join(quote(field.column) for field in fields)
    into = f"{connection.ops.insert_statement(on_conflict=on_conflict)} {quote(options.db_table)} ({names})"
    # Either before or behind, as the database says it.
    suffix = connection.ops.on_conflict_suffix_sql(fields, on_conflict, [], [])
    values = zip(*map(attrgetter(*(field.attname for field in fields)), rows), strict=True)
    columns = [_Column(field, each, connection) for field, each in zip(fields, values, strict=True)]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            places = ", ".join(["%s"] * len(fields))
            prepared = list(zip(*(column.values() for column in columns), strict=True))
            cursor.executemany(f"{into} VALUES ({places}) {suffix}", prepared)
            return False
        # The first says how many rows there are, also where all have the same in it.
        columns[0].is_shared = False
        places = ", ".join(column.place for column in columns)
        parameters = [column.shared if column.is_shared else column.values() for column in columns]
        cursor.execute(f"{into} SELECT {places} {suffix} RETURNING {quote(options.pk.column)}", parameters)
        keys = cursor.fetchall()
    if len(keys) == len(rows):
        for row, (key,) in zip(rows, keys, strict=True):
            row.pk = key
    return len(keys) == len(rows)


def like(pattern: T, **values: Any) -> T:
    """A new row as the pattern, but for these attributes: a fifth of the time that a model takes to be made."""
    row = type(pattern).__new__(type(pattern))
    vars(row).update(vars(pattern))
    vars(row).update(values, _state=ModelState())
    row._state.fields_cache = dict(pattern._state.fields_cache)
    return row


class _Column:
    """What all rows have in one field, as the database takes it. What many share is prepared once."""

    def __init__(self, field: Any, found: Sequence[Any], connection: Any) -> None:
        self.field, self.found, self.connection = field, found, connection
        self.is_shared = all(value is found[0] for value in found)

    @property
    def place(self) -> str:
        kind = self.field.db_type(self.connection)
        return f"%s::{kind}" if self.is_shared else f"unnest(%s::{kind}[])"

    @property
    def shared(self) -> Any:
        return self._prepared(self.found[0])

    def values(self) -> list[Any]:
        if self.is_shared:
            return [self.shared] * len(self.found)
        if not isinstance(self.field, JSONField) and set(map(type, self.found)) <= PLAIN:
            return list(self.found)
        known: dict[Any, Any] = {}
        values = []
        for value in self.found:
            if not isinstance(value, Hashable):
                values.append(self._prepared(value))
                continue
            if value not in known:
                known[value] = self._prepared(value)
            values.append(known[value])
        return values

    def _prepared(self, value: Any) -> Any:
        return self.field.get_db_prep_save(value, connection=self.connection)
