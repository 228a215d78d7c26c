"""docs/how-to/removing.md, on the database of the run."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection


def run(part, name):
    command = [sys.executable, "-W", "error", "-m", "tests.any_site.leave", part, name]
    done = subprocess.run(command, check=False, cwd=settings.ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr[-2000:]) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.slow
def test_site_works_after_the_app_was_taken_off(tmp_path):
    is_file = connection.vendor == "sqlite"
    name = str(tmp_path / "site.sqlite3") if is_file else f"test_leaving_{os.getpid()}"

    left = run("with", name)
    told = run("without", name)

    assert left == {"tables": []}
    assert told == {
        # Each page opens, and the history says that it does not know what was done.
        "pages": [[200], True],
        # Rights in a group, rights, and a content type, until Django is told that they are stale.
        "left": [2, 16, True],
        "renamed": 302,
        "then": [0, 0, False],
        "pages then": [[200], True],
        "name": "The office",
        "deleted": True,
    }
