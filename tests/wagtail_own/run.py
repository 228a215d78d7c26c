"""Runs Wagtail's own tests of users and passwords on a site with this app, and compares the failures with the list."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.wagtail_own.expected import EXPECTED  # noqa: E402

LABELS = [
    "wagtail.users",
    "wagtail.admin.tests.test_account_management",
    "wagtail.admin.tests.test_password_reset",
]
FAILURE = re.compile(r"^(?:FAIL|ERROR): \S+ \(([\w.]+)\)", re.MULTILINE)
RAN = re.compile(r"^Ran (\d+) tests", re.MULTILINE)


def run(model):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "tests.wagtail_own.settings"}
    if model == "email":
        environment["USE_EMAIL_USER_MODEL"] = "1"
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "django", "test", *LABELS, "--noinput", "--parallel", "2"]
        done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)
    ran = RAN.search(done.stderr)
    found = set(FAILURE.findall(done.stderr))
    new, gone = found - set(EXPECTED[model]), set(EXPECTED[model]) - found
    count = int(ran[1]) if ran else 0
    print(f"{model} user model: {count - len(found)} passed, {len(new)} failed, {len(found - new)} expected")
    for test, reason in EXPECTED[model].items():
        print(f"  expected: {test}: {reason}")
    if not count or new or gone:
        print(done.stderr[-20000:])
        print(f"Failures that are not in the list: {sorted(new)}; in the list, but passing: {sorted(gone)}")
        return False
    return True


if __name__ == "__main__":
    sys.exit(not all([run(model) for model in EXPECTED]))
