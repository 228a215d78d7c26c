"""
A migrated SQLite database that is made once and copied, since each process of each run would wait eight seconds for it.

It is kept in the system's folder for temporary files, under a digest of all that decides what stands in it.
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

PARTS = ("migrations", "models", "conf.py", "models.py")


def copy_instead_of_migrating(patch):
    """
    Let Django's `create_test_db` copy the database where there is one, and keep the one it makes where not.

    What `serialized_rollback` puts back comes from there, too: Django reads it from JSON, and saves row after row.
    """
    creation = connection.creation
    make = creation.create_test_db
    kept = Path(tempfile.gettempdir()) / f"member-reset-template-{digest()}.sqlite3"

    # Django 6.1 warns where it is given `serialize`, so that it is passed on only where it came.
    def create_test_db(**options):
        with locked(kept.with_suffix(".lock")):
            if not kept.exists():
                name = make(**options)
                made = kept.with_suffix(".new")
                made.unlink(missing_ok=True)
                with connection.cursor() as cursor:
                    cursor.execute("VACUUM INTO %s", [str(made)])
                made.rename(kept)
                return name
        name = creation._get_test_db_name()
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            Path(name + suffix).unlink(missing_ok=True)
        shutil.copy(kept, name)
        settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name
        if options.get("serialize"):
            connection._test_serialized_contents = str(kept)
        connection.ensure_connection()
        return name

    patch.setattr(creation, "create_test_db", create_test_db)
    patch.setattr(creation, "serialize_db_to_string", lambda: str(kept))
    # Of the class: a browser test has a connection of its own, whose `creation` is another object.
    patch.setattr(type(creation), "deserialize_db_from_string", lambda self, kept: put_rows_back(kept))


def put_rows_back(kept):
    # Wagtail's index for full text is written by triggers.
    names = [name for name in connection.introspection.django_table_names() if not name.endswith("_fts")]
    tables = [connection.ops.quote_name(name) for name in names]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM kept.{name})" for name in tables)
    with connection.cursor() as cursor:
        cursor.execute("ATTACH %s AS kept", [kept])
        try:
            with connection.constraint_checks_disabled(), transaction.atomic():
                for (name,) in cursor.execute(asked).fetchall():
                    cursor.execute(f"DELETE FROM main.{name}")
                    cursor.execute(f"INSERT INTO main.{name} SELECT * FROM kept.{name}")
        finally:
            cursor.execute("DETACH kept")


@contextmanager
def locked(path):
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest():
    """Of the Python, all packages, the settings that name models, and the models and migrations of this tree."""
    found = hashlib.sha256()
    packages = sorted(f"{each.metadata['Name']} {each.version}" for each in distributions())
    found.update(repr((sys.version, packages, settings.INSTALLED_APPS, settings.AUTH_USER_MODEL)).encode())
    found.update(repr((settings.LANGUAGES, settings.DEFAULT_AUTO_FIELD, settings.USE_TZ)).encode())
    for config in sorted(apps.get_app_configs(), key=lambda each: each.name):
        if config.name.partition(".")[0] in ("tests", "wagtail_member_reset", "example_site"):
            for part in PARTS:
                for file in sorted(Path(config.path, part).rglob("*.py")) or [Path(config.path, part)]:
                    if file.is_file():
                        found.update(file.read_bytes())
    return found.hexdigest()[:16]
