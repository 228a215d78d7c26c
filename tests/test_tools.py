"""The scripts behind `make`: what they find on a machine is replaced by small stand-ins on the PATH."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def machine(tmp_path):
    """A machine that has bash's own tools and what a test puts there: `machine.has(name, "exit 1")`."""
    return Machine(tmp_path)


class Machine:
    def __init__(self, folder):
        self.bin, self.venv = folder / "bin", folder / "venv"
        self.bin.mkdir()
        for name in ("bash", "cmp", "dirname", "echo", "env", "id", "rm", "true"):
            self.has(name, f'PATH={os.defpath} exec {name} "$@"')

    def has(self, name, script):
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def is_used_by_nobody_special(self):
        self.has("id", "echo 1000")

    def run(self, *command, **variables):
        home = str(self.bin.parent)
        environment = {"PATH": str(self.bin), "TOX_VENV": str(self.venv), "HOME": home, **variables}
        return subprocess.run(
            command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )

    def tox(self, **variables):
        return self.run("/bin/bash", ROOT / ".ci" / "tox", "list", **variables)

    def need(self, *arguments, **variables):
        return self.run(sys.executable, ROOT / ".ci" / "need", *arguments, **variables)


def test_without_a_python_the_script_says_which_is_needed(machine):
    machine.has("python3", "exit 1")

    done = machine.tox()

    assert done.returncode == 1
    assert "Python 3.10 or newer is needed" in done.stderr
    assert not machine.venv.exists()


def test_without_ensurepip_the_script_says_the_command(machine):
    machine.is_used_by_nobody_special()
    machine.has("python3", 'case "$*" in *ensurepip*) exit 1;; *%d.%d*) echo 3.12;; esac')

    done = machine.tox()

    assert done.returncode == 1
    assert "sudo apt-get install python3.12-venv" in done.stderr
    assert not machine.venv.exists()


def test_a_missing_program_fails_with_the_command(machine):
    done = machine.need("gettext", "--", "echo", "ran")

    assert done.returncode == 1
    assert done.stderr.startswith("Missing: gettext. Please run: sudo apt-get install gettext\n")
    assert done.stdout == ""


def test_a_chromium_that_does_not_run_is_named(machine):
    machine.has("my-browser", "exit 1")

    done = machine.need("chromium", "--", "echo", "ran", CHROMIUM="my-browser")

    assert done.returncode == 1
    assert "CHROMIUM is my-browser, which does not run" in done.stderr
    assert done.stdout == ""


def test_a_chromium_that_runs_is_handed_on_with_the_commands_answer(machine):
    machine.has("chromium", "exit 0")

    done = machine.need("chromium", "--", "bash", "-c", "echo $CHROMIUM; exit 7")

    assert (done.returncode, done.stdout) == (7, f"{machine.bin / 'chromium'}\n")


def test_the_browser_tests_are_skipped_loudly_and_only_when_asked(machine):
    machine.has("chromium", "exit 0")

    skipped, whole = (machine.need("chromium", "--", "true", **more) for more in ({"SKIP_BROWSER_TESTS": "1"}, {}))

    assert "the browser tests do NOT run" in skipped.stderr
    assert whole.stderr == ""


def test_ci_refuses_to_skip_the_browser_tests(machine):
    done = machine.need("chromium", "--", "echo", "ran", SKIP_BROWSER_TESTS="1", CI="true")

    assert done.returncode == 1
    assert "CI must run the browser tests" in done.stderr
    assert done.stdout == ""


def test_a_need_that_there_is_not_is_refused(machine):
    done = machine.need("oracle", "--", "echo", "ran")

    assert done.returncode == 1
    assert "chromium" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("port", ["eighty", "-1", "0", ""])
def test_the_demo_refuses_a_port_that_is_none(machine, port):
    done = machine.run(sys.executable, ROOT / "example_site" / "demo.py", DEMO_PORT=port, DEMO_DATA=str(machine.venv))

    assert done.returncode == 1
    assert done.stderr == f"DEMO_PORT is {port}: set it to a number from 1 on.\n"
    assert not machine.venv.exists()


def test_the_demo_says_when_no_port_is_left(machine):
    done = machine.run(sys.executable, ROOT / "example_site" / "demo.py", DEMO_PORT="65536")

    assert done.returncode == 1
    assert "is free: set DEMO_PORT to another number" in done.stderr
