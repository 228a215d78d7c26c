"""
Visitors on the public page of a site as `startproject` leaves it, while its thread sends.

STORM_POSTS says how many requests: a fault of one in a thousand needs 20,000, which take a quarter of an hour.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.race.storm import MEMBERS_EVERY

POSTS = int(os.environ.get("STORM_POSTS", "1000"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("visitors", [pytest.param(1, marks=pytest.mark.soak), 3])
def test_no_request_fails_and_each_member_gets_one_mail(tmp_path, visitors):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.race.plain_site",
        "PLAIN_FOLDER": str(tmp_path),
        # The site has SQLite, whatever the suite runs on.
        "TEST_DB": "",
    }
    command = [sys.executable, "-W", "ignore", "-m", "tests.race.storm", str(POSTS), str(visitors)]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    log = tmp_path / "log"
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["statuses"] == {"302": POSTS}
    assert found["mails"] == {"1": POSTS // MEMBERS_EVERY}
    assert found["to_strangers"] == 0
    assert found["left"] == {"requests": 0, "emails": 0}
    assert not log.exists() or "locked" not in log.read_text()
