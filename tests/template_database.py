"""
A migrated database that is made once and copied, since each process of each run would wait ten seconds for it.

SQLite's is a file in the system's folder for temporary files; PostgreSQL and MariaDB keep it as a database of its own.
Its name has a digest of all that decides what stands in it.
"""

import fcntl
import hashlib
import shutil
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

NAME = "member-reset-template-"
PARTS = ("migrations", "models", "conf.py", "models.py")


def copy_instead_of_migrating(patch):
    """
    Let Django's `create_test_db` copy the database where there is one, and keep the one it makes where not.

    What `serialized_rollback` puts back comes from there, too: Django reads it from JSON, and saves row after row.
    """
    creation = connection.creation
    make = creation.create_test_db
    kept = {"sqlite": SQLiteFile, "postgresql": PostgreSQLDatabase, "mysql": MariaDBDatabase}[connection.vendor]()

    # Django 6.1 warns where it is given `serialize`, so that it is passed on only where it came.
    def create_test_db(**options):
        with locked(Path(tempfile.gettempdir()) / f"{NAME}{digest()}.lock"):
            if not kept.exists():
                name = make(**options)
                kept.keep(name)
                return name
        name = creation._get_test_db_name()
        connection.close()
        kept.copy_to(name)
        settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name
        if options.get("serialize"):
            connection._test_serialized_contents = creation.serialize_db_to_string()
        connection.ensure_connection()
        return name

    patch.setattr(creation, "create_test_db", create_test_db)
    patch.setattr(creation, "serialize_db_to_string", lambda: kept.rows)
    # Of the class: a browser test has a connection of its own, whose `creation` is another object.
    patch.setattr(type(creation), "deserialize_db_from_string", lambda self, rows: kept.put_back(rows))


class SQLiteFile:
    def __init__(self):
        self.path = Path(tempfile.gettempdir()) / f"{NAME}{digest()}.sqlite3"
        self.rows = str(self.path)

    def exists(self):
        return self.path.exists()

    def keep(self, name):
        made = self.path.with_suffix(".new")
        made.unlink(missing_ok=True)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(made)])
        made.rename(self.path)

    def copy_to(self, name):
        for suffix in ("", "-wal", "-shm"):
            Path(name + suffix).unlink(missing_ok=True)
        shutil.copy(self.path, name)

    def put_back(self, rows):
        with connection.cursor() as cursor:
            cursor.execute("ATTACH %s AS kept", [rows])
            try:
                put_rows_back(cursor, "kept")
            finally:
                cursor.execute("DETACH kept")


class ServerDatabase:
    """A database of the server that only copying ever connects to. A copy that was cut short has another name."""

    databases: str

    def __init__(self):
        self.name = f"{NAME.replace('-', '_')}{digest()}"

    def exists(self):
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(self.databases, [self.name])
            return cursor.fetchone() is not None


class PostgreSQLDatabase(ServerDatabase):
    """Nothing there reads another database: each has the rows once more, in a schema that Django does not look into."""

    databases = "SELECT 1 FROM pg_database WHERE datname = %s"
    rows = "kept"

    def keep(self, name):
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {self.rows}")
            for table in tables():
                cursor.execute(f"CREATE TABLE {self.rows}.{table} AS TABLE {table}")
        connection.close()
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{name}"')
        connection.ensure_connection()

    def copy_to(self, name):
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')

    def put_back(self, rows):
        with connection.cursor() as cursor:
            put_rows_back(cursor, rows)


class MariaDBDatabase(ServerDatabase):
    # One is whole when it has the table that is copied last.
    databases = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = 'django_migrations'"

    @property
    def rows(self):
        return f"`{self.name}`"

    def put_back(self, rows):
        with connection.cursor() as cursor:
            put_rows_back(cursor, rows)

    def keep(self, name):
        self.copy(name, self.name)

    def copy_to(self, name):
        self.copy(self.name, name)

    def copy(self, source, target):
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{target}`")
            cursor.execute(f"CREATE DATABASE `{target}` CHARACTER SET utf8mb4")
            cursor.execute("SET foreign_key_checks = 0")
            cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [source])
            tables = sorted((table for (table,) in cursor.fetchall()), key=lambda table: table == "django_migrations")
            for table in tables:
                cursor.execute(f"SHOW CREATE TABLE `{source}`.`{table}`")
                made = cursor.fetchone()[1]
                cursor.execute(f"USE `{target}`")
                cursor.execute(made)
                cursor.execute(f"INSERT INTO `{target}`.`{table}` SELECT * FROM `{source}`.`{table}`")


def tables():
    """But for Wagtail's index for full text on SQLite, which triggers write."""
    names = [name for name in connection.introspection.django_table_names() if not name.endswith("_fts")]
    return [connection.ops.quote_name(name) for name in names]


def put_rows_back(cursor, rows):
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {rows}.{name})" for name in tables())
    with connection.constraint_checks_disabled(), transaction.atomic():
        cursor.execute(asked)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")
            cursor.execute(f"INSERT INTO {name} SELECT * FROM {rows}.{name}")


@contextmanager
def locked(path):
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest():
    """Of this module, the Python, all packages, the settings that name models, and our models and migrations."""
    found = hashlib.sha256(Path(__file__).read_bytes())
    packages = sorted(f"{each.metadata['Name']} {each.version}" for each in distributions())
    found.update(repr((sys.version, packages, settings.INSTALLED_APPS, settings.AUTH_USER_MODEL)).encode())
    found.update(repr((connection.vendor, settings.LANGUAGES, settings.DEFAULT_AUTO_FIELD, settings.USE_TZ)).encode())
    for config in sorted(apps.get_app_configs(), key=lambda each: each.name):
        if config.name.partition(".")[0] in ("tests", "wagtail_member_reset", "example_site"):
            for part in PARTS:
                for file in sorted(Path(config.path, part).rglob("*.py")) or [Path(config.path, part)]:
                    if file.is_file():
                        found.update(file.read_bytes())
    return found.hexdigest()[:16]
