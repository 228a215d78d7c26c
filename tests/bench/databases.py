"""
Databases to measure on. Each measurement gets one of its own, copied from one that was filled once.

Knows nothing of Django: `prepare` fills them, in a process of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

PREFIX = f"bench_{os.getpid()}"


class Sqlite:
    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbers = folder, itertools.count(1)

    def new(self, source: str = "") -> str:
        """A fresh database, or a copy."""
        file = self._folder / f"{next(self._numbers)}.sqlite3"
        if source:
            shutil.copyfile(source, file)
        return str(file)

    def drop(self, database: str) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(database + ending).unlink(missing_ok=True)

    def close(self) -> None:
        pass


class Postgres:
    """Reached as everything here reaches it, by `PGHOST` and the like."""

    name = "postgres"

    def __init__(self, folder: Path) -> None:
        import psycopg  # needed for this database alone

        self._numbers, self._names = itertools.count(1), set[str]()
        where = {"host": os.environ.get("PGHOST", "127.0.0.1"), "user": os.environ.get("PGUSER", "postgres")}
        self._connection = psycopg.connect(dbname=os.environ.get("PGDATABASE", "postgres"), autocommit=True, **where)

    def new(self, source: str = "") -> str:
        database = f"{PREFIX}_{next(self._numbers)}"
        self._do(f'CREATE DATABASE "{database}"' + (f' TEMPLATE "{source}"' if source else ""))
        self._names.add(database)
        return database

    def drop(self, database: str) -> None:
        self._do(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        self._names.discard(database)

    def close(self) -> None:
        for database in list(self._names):
            self.drop(database)
        self._connection.close()

    def _do(self, statement: str) -> None:
        self._connection.execute(statement)


KINDS = {kind.name: kind for kind in (Sqlite, Postgres)}


@contextlib.contextmanager
def of_kind(name: str, folder: Path) -> Iterator[Sqlite | Postgres]:
    databases = KINDS[name](folder)
    try:
        yield databases
    finally:
        databases.close()
