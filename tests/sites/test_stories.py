"""The story, from the creation of a member to their second sign-in, on sites that have other packages installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STORY = {
    "created": [True, True],
    "tab": [1, 1],
    "welcome": [True, True],
    "mailing": [200, ["ida", "ole", "pia"], "finished"],
    "on the way": {},
    "request": [200, 1],
    "reset": [True, True],
    "at the end": {},
    "checks": [],
    "log": [],
}
LOCKED = ["Too Many Requests: /_util/login/"] * 2
VERIFIED = ["mia@members.example", True, True]


def told(site, *arguments):
    command = [sys.executable, "-m", "tests.sites.story", *arguments]
    environment = {**os.environ, "SITE": site}
    run = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stderr[-4000:]
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("site", "differs"),
    [
        ("stock", {}),
        ("allauth", {"at the end": {"allauth": [VERIFIED]}, "checks": ["W003"]}),
        ("auditlog", {"at the end": {"auditlog": [True, 0]}}),
        ("axes", {"on the way": {"axes": True}, "log": LOCKED}),
        ("debug_toolbar", {"at the end": {"debug_toolbar": True}}),
        ("hijack", {"at the end": {"hijack": [True, 200]}}),
        ("post_office", {"at the end": {"post_office": True}, "checks": ["W015"]}),
        ("wagtail_2fa", {}),
        ("wagtail_localize", {"at the end": {"wagtail_localize": True}}),
    ],
)
def test_story_is_the_same_beside_a_neighbour(site, differs):
    assert told(site) == {**STORY, **differs}


def test_story_is_the_same_beside_all_of_them_at_once():
    end = {
        "allauth": [VERIFIED],
        "auditlog": [True, 0],
        "debug_toolbar": True,
        "hijack": [True, 302],  # wagtail-2fa asks who comes back for the second factor again
        "post_office": True,
        "wagtail_localize": True,
    }

    assert told("all") == {**STORY, "at the end": end, "checks": ["W003", "W015"]}


def test_allauth_asks_for_another_email_without_the_receiver_of_the_docs():
    answer = told("allauth", "--without-recipes")

    assert (answer["welcome"], answer["reset"]) == ([True, False], [True, False])
    assert answer["at the end"] == {"allauth": [["mia@members.example", False, False]]}


def test_axes_keeps_the_member_out_without_the_receiver_of_the_docs():
    answer = told("axes", "--without-recipes")

    assert answer == {**STORY, "on the way": {"axes": True}, "reset": [True, False], "log": LOCKED + LOCKED[:1]}
