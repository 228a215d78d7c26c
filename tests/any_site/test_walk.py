"""The whole story on sites that differ from most, each in a process of its own."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from django.conf import settings
from django.db import connection

# They have databases of their own, on SQLite.
pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="once is enough")

EVERYBODY = [f"{name}@members.example" for name in ("ana", "mia", "ole", "uma")]
STOCK = {
    "sentence": True,
    "links": "https://club.example/account/r/",
    "until": True,
    "problem": False,
    "toolbar": False,
    "correct": 200,
    # The earlier address is told, and the new one gets the link.
    "corrected": [["nora@members.example"], ["nora.s@members.example"]],
    "password": [True, True],
    "sign in": "/members/login/",
    "cookie paths": ["/"],
    "confirmed": ["Your password at Club was changed"],
    "asked": [["nora@members.example"]],
    "requests": [""],
    "reported": ["delivered", True],
    "mailed": EVERYBODY,
    "mailing": ["finished", 5, 4, 0],
    "found": True,
    "statuses": ["waiting"],
    "expired": [True, True],
    "kept": [0, 0, 0],
    "outside": [],
    "checks": [],
    "audited": None,
}
BELOW = {"links": "https://club.example/app/account/r/", "sign in": "/app/members/login/", "cookie paths": ["/app/"]}


def walk(site, folder):
    command = [sys.executable, "-W", "error", "-m", "tests.any_site.walk", site, str(folder)]
    return subprocess.run(command, check=False, cwd=settings.ROOT, capture_output=True, text=True, timeout=120)


def needs(package):
    return pytest.mark.skipif(not find_spec(package), reason=f"{package} is not installed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("site", "differs"),
    [
        ("stock", {}),
        ("naive", {}),
        ("forced-path", BELOW),
        ("servers-path", BELOW),
        ("multi-table", {}),
        ("no-password-fields", {}),
        ("computed-address", {"correct": 302, "corrected": [], "checks": ["E030"]}),
        pytest.param("toolbar", {"toolbar": True}, marks=needs("debug_toolbar")),
        pytest.param("audited", {"audited": ["auth"]}, marks=needs("auditlog")),
        pytest.param("audited-first", {"audited": ["auth"]}, marks=needs("auditlog")),
        pytest.param("audited-by-wish", {"audited": ["auth", "wagtail_member_reset"]}, marks=needs("auditlog")),
    ],
)
def test_whole_story_works(site, differs, tmp_path):
    walked = walk(site, tmp_path)

    assert (walked.returncode, walked.stderr[-2000:]) == (0, "")
    found = json.loads(walked.stdout)
    # In the email and on the tab, from a thread and from a command.
    [link] = found.pop("links")
    expected = {**STOCK, **differs}
    assert link.startswith(expected.pop("links"))
    assert found == expected


@pytest.mark.slow
def test_path_that_only_the_web_server_names_is_pointed_out_on_the_tab(tmp_path):
    walked = walk("unnamed-path", tmp_path)

    assert (walked.returncode, walked.stderr[-2000:]) == (0, "")
    found = json.loads(walked.stdout)
    assert (found["problem"], len(found["links"])) == (True, 1)
