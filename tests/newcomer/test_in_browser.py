"""The steps of the README, followed to the letter on a site that was made a moment ago, then walked in a browser."""

import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright

from .site import ANA, NewSite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.newcomer,
    pytest.mark.skipif(bool(os.environ.get("SKIP_BROWSER_TESTS")), reason="SKIP_BROWSER_TESTS"),
]

PASSWORD = "a quiet harbour 7"
# What a slow machine needs for the first page.
PATIENCE = 60_000


@contextmanager
def running(site, log):
    """The address of the site's own server, whose console, where its emails go, is in a file."""
    with closing(socket.socket()) as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    command = [site.python, "manage.py", "runserver", "--noreload", f"localhost:{port}"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": "mysite.settings.dev"}
    with log.open("w") as console:
        server = subprocess.Popen(command, cwd=site.folder, env=environment, stdout=console, stderr=console)
    try:
        wait_for(server, port, log)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_for(server, port, log, *, seconds=60):
    """Until somebody answers there: what the server says of itself differs with the version of Django."""
    end = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("localhost", port)).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"The site did not start.\n{log.read_text()}", pytrace=False)


@pytest.fixture
def chromium(monkeypatch):
    # Playwright's event loop is there while the test's own database is.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    args = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=args)
        yield browser
        browser.close()


def visitor(browser):
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    return page


def sign_in(page, username, password):
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.locator("input[name=password]").press("Enter")


def test_office_creates_a_member_who_chooses_a_password_and_signs_in(tmp_path, chromium):
    site, log = NewSite(tmp_path, sys.executable), tmp_path / "console"
    site.follow_readme()
    with running(site, log) as address:
        office = visitor(chromium)
        office.goto(f"{address}/admin/users/new/")
        sign_in(office, "ana", ANA["DJANGO_SUPERUSER_PASSWORD"])
        for name, value in {
            "username": "mia",
            "email": "mia@club.example",
            "first_name": "Mia",
            "last_name": "Mitchell",
        }.items():
            office.fill(f"input[name={name}]", value)
        office.locator("form[method=post] [type=submit]:visible").click()
        expect(office.get_by_text("Account successfully created and reset password email sent.")).to_be_visible()
        link = office.get_by_label("Personal link").input_value()

        mia = visitor(chromium)
        mia.goto(re.sub(r"^http://localhost:8000", address, link))
        mia.get_by_label("New password").fill(PASSWORD)
        mia.get_by_label("New password").press("Enter")
        expect(mia.get_by_text("Your password is saved")).to_be_visible()
        mia.locator("a.mr-button").click()
        sign_in(mia, "mia", PASSWORD)
        mia.wait_for_url(f"{address}/")

        office.reload()
        expect(office.get_by_label("Personal link")).to_have_count(0)
        assert "To: mia@club.example" in log.read_text()
