"""The app in sites that list and configure it in their own way, each in a process of its own."""

import json
import subprocess
import sys

import pytest
from django.conf import settings

STOCK = {"tabs": 1, "panels": 1, "own": False, "override": False, "choices": 1, "welcomes": 1, "checks": []}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arrangement", "differs"),
    [
        ("stock-first", {}),
        ("own-first", {"own": True}),
        ("own-last", {"own": True}),
        ("by-hand", {"own": True}),
        ("by-hand-off", {"own": True}),
        ("override-last", {"override": True}),
        ("stock-off", {"tabs": 0, "panels": 0, "choices": 0, "welcomes": 0}),
    ],
)
def test_tab_is_there_once_however_the_site_is_arranged(arrangement, differs):
    command = [sys.executable, "-m", "tests.custom.probe", arrangement]

    probe = subprocess.run(command, check=False, cwd=settings.ROOT, capture_output=True, text=True, timeout=60)

    assert (probe.returncode, probe.stderr[-2000:]) == (0, "")
    assert json.loads(probe.stdout) == {**STOCK, **differs}
