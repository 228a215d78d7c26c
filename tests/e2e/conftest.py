"""A real Chromium against a real server. Every request outside this machine fails the test."""

import os
import shutil

import pytest

# Playwright's own event loop makes Django believe that the tests are asynchronous.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    args = ["--disable-dev-shm-usage", "--host-resolver-rules=MAP members.test 127.0.0.1", *quiet]
    if os.geteuid() == 0:
        args.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": args}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    viewport = {"width": 1280, "height": 900}
    return {**browser_context_args, "locale": "en-GB", "timezone_id": "Europe/Berlin", "viewport": viewport}
