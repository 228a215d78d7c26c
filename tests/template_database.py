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
from django.db import connection

PARTS = ("migrations", "models", "conf.py", "models.py")


def copy_instead_of_migrating(patch):
    """Let Django's `create_test_db` copy the database where there is one, and keep the one it makes where not."""
    creation = connection.creation
    make = creation.create_test_db

    def create_test_db(verbosity=1, autoclobber=False, serialize=False, keepdb=False):
        template = Path(tempfile.gettempdir()) / f"member-reset-template-{digest()}.sqlite3"
        with locked(template.with_suffix(".lock")):
            if not template.exists():
                name = make(verbosity=verbosity, autoclobber=autoclobber, serialize=serialize, keepdb=keepdb)
                made = template.with_suffix(".new")
                made.unlink(missing_ok=True)
                with connection.cursor() as cursor:
                    cursor.execute("VACUUM INTO %s", [str(made)])
                made.rename(template)
                return name
        name = creation._get_test_db_name()
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            Path(name + suffix).unlink(missing_ok=True)
        shutil.copy(template, name)
        settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name
        if serialize:
            connection._test_serialized_contents = creation.serialize_db_to_string()
        connection.ensure_connection()
        return name

    patch.setattr(creation, "create_test_db", create_test_db)


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
