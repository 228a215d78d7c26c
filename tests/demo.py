"""The demo's data, made once for all processes that run tests: to make it takes half a minute."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT = "18500"
# What the suite's own run says must not reach the demo's processes.
OF_THE_SUITE = ("TEST_", "DEMO_", "DJANGO_", "PYTEST_", "COV_")


def environment(folder):
    """Of a process that runs the demo with its data in this folder."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_SUITE)}
    own = {"DEMO_DATA": str(folder), "DEMO_PORT": PORT, "DJANGO_SETTINGS_MODULE": "example_site.settings"}
    return {**plain, **own, "PYTHONPATH": str(ROOT)}


def run(folder, *arguments):
    """What Python writes that is called so for the demo. Fails with the end of what it complains of."""
    called = [sys.executable, "-W", "error", *arguments]
    done = subprocess.run(called, check=False, cwd=ROOT, env=environment(folder), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def seed_once(of_run, folder):
    """Put the seeded data into a folder. The first process makes it, in the folder that all of a run share."""
    with (of_run / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (kept := of_run / "demo").exists():
            made = of_run / "demo.part"
            made.mkdir()
            run(made, "example_site/manage.py", "migrate", "-v", "0")
            run(made, "example_site/manage.py", "seed")
            made.rename(kept)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
