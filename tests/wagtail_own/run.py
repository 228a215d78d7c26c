"""Runs Wagtail's own tests of users and passwords on a site with this app, and compares the failures with the list."""

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.wagtail_own.expected import EXPECTED  # noqa: E402

LABELS = [
    "wagtail.users",
    "wagtail.admin.tests.test_account_management",
    "wagtail.admin.tests.test_password_reset",
]
FAILURE = re.compile(r"^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\w+) \(([\w.]+)\)", re.MULTILINE)
RAN = re.compile(r"^Ran (\d+) tests", re.MULTILINE)
SKIPPED = re.compile(r"^(?:OK|FAILED) \(.*?\bskipped=(\d+)", re.MULTILINE)


def wagtails_tests(model):
    """The finished process, run in an empty folder, so that nothing but the installed packages is found."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "tests.wagtail_own.settings"}
    environment.pop("USE_EMAIL_USER_MODEL", None)
    if model == "email":
        environment["USE_EMAIL_USER_MODEL"] = "1"
    command = [sys.executable, "-m", "django", "test", *LABELS, "--noinput"]
    with tempfile.TemporaryDirectory() as empty:
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)


def failures(output):
    """Python 3.10 names the class alone in the brackets."""
    for name, place in FAILURE.findall(output):
        yield place if place.endswith(f".{name}") or not name.startswith("test") else f"{place}.{name}"


def count(pattern, output):
    found = pattern.search(output)
    return int(found[1]) if found else 0


def as_expected(model, done):
    expected, found = set(EXPECTED[model]), set(failures(done.stderr))
    ran, skipped = count(RAN, done.stderr), count(SKIPPED, done.stderr)
    print(
        f"{model} user model: {ran - skipped - len(found)} passed, {len(found - expected)} failed, "
        f"{len(found & expected)} failed as expected, {skipped} skipped"
    )
    for test, reason in EXPECTED[model].items():
        print(f"  expected: {test}: {reason}")
    # A run that fails without a word about which test has not run as it should.
    if ran and found == expected and bool(done.returncode) == bool(found):
        return True
    print(done.stdout[-2000:], done.stderr[-20000:])
    print(f"Not in the list: {sorted(found - expected)}; in the list, but passing: {sorted(expected - found)}")
    return False


if __name__ == "__main__":
    # Most of the time goes into migrations, one after another: so the two runs go side by side.
    with ThreadPoolExecutor() as side_by_side:
        finished = list(side_by_side.map(wagtails_tests, EXPECTED))
    verdicts = [as_expected(*item) for item in zip(EXPECTED, finished, strict=True)]
    sys.exit(not all(verdicts))
