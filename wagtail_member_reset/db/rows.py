"""Many rows at once: written, and asked for."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.models import AutoField, JSONField, Model, Q, QuerySet
from django.db.models.base import ModelState
from django.db.models.constants import OnConflict

from .retry import alias

T = TypeVar("T", bound=Model)
# What every database takes as it is, and what PostgreSQL reads from its text, too.
PLAIN = {str, int, bool, bytes, type(None)}
WRITABLE = PLAIN | {UUID}
DJANGO = ("django.db.models.fields", "django.db.models.fields.json", "django.db.models.fields.related")
# Fields whose values are known to be written alike by either way; a model with any other goes by `bulk_create`.
KNOWN_FIELDS = {
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BooleanField",
    "CharField",
    "DateTimeField",
    "EmailField",
    "IntegerField",
    "JSONField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "SmallIntegerField",
    "TextField",
    "UUIDField",
}


def insert(rows: Sequence[Model], *, ignore_conflicts: bool = False) -> bool:
    """
    Write rows of one model as `bulk_create` does, in a transaction of the caller's; whether they know their keys then.

    `bulk_create` prepares every value by itself, which is a third of what a mailing costs. So this hands
    PostgreSQL one list for each column, and SQLite one prepared statement for all rows. Anywhere else,
    where somebody has wrapped the cursor, and for fields that are not known here, it is `bulk_create`.
    """
    if not rows:
        return True
    connection: Any = connections[alias()]
    if not (_takes_columns(connection) and _has_known_fields(type(rows[0]))):
        type(rows[0])._base_manager.bulk_create(rows, ignore_conflicts=ignore_conflicts)
        return bool(connection.features.can_return_rows_from_bulk_insert) and not ignore_conflicts
    fields = _fields(type(rows[0]))
    # Not by their attributes: those of foreign keys are descriptors, which take their time.
    values = zip(*map(itemgetter(*(field.attname for field in fields)), map(vars, rows)), strict=True)
    columns = [_Column(field, each, connection) for field, each in zip(fields, values, strict=True)]
    with connection.cursor() as cursor:
        _write(columns, len(rows), cursor, ignore_conflicts=ignore_conflicts)
        keys = _keys_of_written(len(rows), cursor, ignore_conflicts=ignore_conflicts)
    if len(keys) == len(rows):
        for row, key in zip(rows, keys, strict=True):
            row.pk = key
    return len(keys) == len(rows)


def copy_of(pattern: T, *, related: Mapping[str, Model] | None = None, **values: Any) -> T:
    """
    A new row as the pattern, but for these attributes: a fifth of the time that a model takes to be made.

    `related` has the rows that its foreign keys point to, for who reads them; the keys are `values`.
    """
    row, state = type(pattern).__new__(type(pattern)), ModelState()
    row.__dict__ = {**vars(pattern), **values, "_state": state}
    state.fields_cache = {**pattern._state.fields_cache, **(related or {})}
    return row


def with_keys(keys: Sequence[Any]) -> Q:
    """
    The rows of these keys; by the first and the last of them, where they follow each other without a gap.

    A thousand parameters take longer than what is then done with the rows.
    """
    if len(keys) > 1 and isinstance(keys[0], int) and list(keys) == list(range(keys[0], keys[0] + len(keys))):
        # No range, which Django does not know of the key of a user model in two tables.
        return Q(pk__gte=keys[0], pk__lte=keys[-1])
    return Q(pk__in=keys)


def reaches(rows: QuerySet[Any], most: int, *more: QuerySet[Any]) -> bool:
    """Whether there are as many rows in all, counted no further than it matters: somebody's list may be long."""
    number = 0
    for part in (rows, *more):
        number += part[: most - number].count()
        if number >= most:
            return True
    return False


def _takes_columns(connection: Any) -> bool:
    if connection.vendor not in ("sqlite", "postgresql") or connection.Database.__name__ == "psycopg2":
        return False
    with connection.cursor() as cursor:  # debug-toolbar and others put in one of their own
        return type(cursor) in (CursorWrapper, CursorDebugWrapper)


def _has_known_fields(model: type[Model]) -> bool:
    found = (getattr(field, "target_field", field) for field in model._meta.concrete_fields)
    return all(field.get_internal_type() in KNOWN_FIELDS and type(field).__module__ in DJANGO for field in found)


def _fields(model: type[Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]


def _write(columns: list[_Column], count: int, cursor: Any, *, ignore_conflicts: bool = False) -> None:
    connection, options = cursor.db, columns[0].field.model._meta
    quote, on_conflict = connection.ops.quote_name, OnConflict.IGNORE if ignore_conflicts else None
    names = ", ".join(quote(column.field.column) for column in columns)
    into = f"{connection.ops.insert_statement(on_conflict=on_conflict)} {quote(options.db_table)} ({names})"
    # Either before or behind, as the database says it.
    suffix = connection.ops.on_conflict_suffix_sql([column.field for column in columns], on_conflict, [], [])
    if connection.vendor == "sqlite":
        places = ", ".join(["%s"] * len(columns))
        prepared = list(zip(*(column.values(count) for column in columns), strict=True))
        cursor.executemany(f"{into} VALUES ({places}) {suffix}", prepared)
        return
    # The first says how many rows there are, also where all have the same in it.
    columns[0].is_shared = False
    places = ", ".join(column.place for column in columns)
    parameters = [column.shared if column.is_shared else column.as_list(count) for column in columns]
    cursor.execute(f"{into} SELECT {places} {suffix} RETURNING {quote(options.pk.column)}", parameters)


def _keys_of_written(count: int, cursor: Any, *, ignore_conflicts: bool) -> Sequence[Any]:
    """The keys; not all of them, or none, where the database passed over some rows."""
    if cursor.db.vendor == "postgresql":
        return [key for (key,) in cursor.fetchall()]
    if ignore_conflicts:
        return []
    # Nobody else writes meanwhile, so the keys follow each other.
    cursor.execute("SELECT last_insert_rowid()")
    [last] = cursor.fetchone()
    return range(last - count + 1, last + 1)


class _Column:
    """What all rows have in one field, as the database takes it. What many share is prepared once."""

    def __init__(self, field: Any, found: Sequence[Any], connection: Any) -> None:
        self.field, self.found, self.connection = field, found, connection
        self.is_shared = all(value is found[0] for value in found)
        # In a field of JSON, a text is one more thing to be prepared.
        self.types = {dict} if isinstance(field, JSONField) else set(map(type, found))

    @property
    def place(self) -> str:
        # Without its length: a cast to varchar(320) would silently cut what is longer, where an insert refuses it.
        kind = self.field.db_type(self.connection).partition("(")[0]
        if self.is_shared:
            return f"%s::{kind}"
        return f"json_array_elements_text(%s::json)::{kind}" if self.types <= WRITABLE else f"unnest(%s::{kind}[])"

    @property
    def shared(self) -> Any:
        return self._prepared(self.found[0])

    def as_list(self, count: int) -> Any:
        """For PostgreSQL: as JSON where that can be, since an array is written value by value."""
        if not self.types <= WRITABLE:
            return self.values(count)
        return json.dumps(self.found if len(self.found) == count else [self.found[0]] * count, default=_as_text)

    def values(self, count: int) -> list[Any]:
        if len(self.found) < count or self.is_shared:
            return [self.shared] * count
        if self.types <= PLAIN:
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


def _as_text(value: Any) -> str:
    return "\\x" + value.hex() if isinstance(value, bytes) else str(value)


def parts(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """The values in lists of this size, the last of which may be shorter; read as they are asked for."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
