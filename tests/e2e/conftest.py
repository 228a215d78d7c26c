"""
A real Chromium, a real server, a real SMTP server, all on this machine.

The site under test is the suite's own with the embedded default of delivery: mails leave by
the thread. Whatever a page asks of another machine, and every error on a browser's console,
fails the test that caused it.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import override_settings
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer

from example_site.inbox import reports
from wagtail_member_reset.models import ResetEmail
from wagtail_member_reset.outbox.background import sender

from .browsers import Browsers
from .mailbox import Mailbox

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"))), None
)
SKIP = bool(os.environ.get("SKIP_BROWSER_TESTS"))
# A Monday, at nine in Berlin.
START = datetime(2026, 11, 23, 8, 0, tzinfo=timezone.utc)


def pytest_collection_modifyitems(items):
    ours = [item for item in items if HERE in item.path.parents]
    if SKIP and ours and os.environ.get("CI"):
        raise pytest.UsageError("SKIP_BROWSER_TESTS is set, but CI must run the browser tests: unset it.")
    for item in ours if SKIP else []:
        item.add_marker(pytest.mark.skip(reason="SKIP_BROWSER_TESTS=1"))


def pytest_terminal_summary(terminalreporter):
    if SKIP:
        terminalreporter.section("BROWSER TESTS WERE SKIPPED (SKIP_BROWSER_TESTS=1)", red=True, bold=True)


@pytest.fixture(scope="package")
def database_for_threads(django_db_setup, django_db_blocker, tmp_path_factory):
    """
    The rows that every test begins with, in a database that threads can share.

    The server's threads and the delivery thread each need a connection of their own, which
    SQLite gives them on a file only: the migrated database of the session is copied into one.
    """
    usual, its_settings = connections["default"], connections.settings["default"]
    if usual.vendor != "sqlite" or not usual.is_in_memory_db():
        yield usual._test_serialized_contents
        return
    path = tmp_path_factory.mktemp("e2e") / "site.sqlite3"
    with django_db_blocker.unblock(), closing(sqlite3.connect(path)) as on_disk:
        usual.ensure_connection()
        usual.connection.backup(on_disk)
        on_disk.execute("PRAGMA journal_mode=WAL")
    options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=OFF"}
    connections.settings["default"] = {**its_settings, "NAME": str(path), "OPTIONS": options}
    yield usual._test_serialized_contents
    connections.settings["default"] = its_settings


@pytest.fixture(scope="package")
def mail_server():
    mailbox = Mailbox()
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture(scope="package")
def live_server(database_for_threads, mail_server):
    """As pytest-django's, but on the file, and on settings that a server reads when it starts."""
    with override_settings(
        ROOT_URLCONF="tests.e2e.site",
        LOGIN_REDIRECT_URL="/members/",
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=mail_server.host,
        EMAIL_PORT=mail_server.port,
        EMAIL_TIMEOUT=5,
        WAGTAIL_MEMBER_RESET_DELIVERY="thread",
    ):
        from django.conf import settings

        with override_settings(MIDDLEWARE=["tests.e2e.site.AdminPolicy", *settings.MIDDLEWARE]):
            server = LiveServer("localhost")
            yield server
            server.stop()


@pytest.fixture(scope="package")
def browser(database_for_threads, live_server):
    """
    One Chromium for the folder. It ends with the folder, too: as long as Playwright's event loop
    is there, Django takes this thread for an asynchronous one and gives it other connections.
    """
    if not CHROMIUM or not shutil.which(CHROMIUM):
        pytest.fail(
            "The browser tests need Chromium: install it (Debian: apt-get install chromium), or set CHROMIUM "
            "to its path. SKIP_BROWSER_TESTS=1 leaves these tests out.",
            pytrace=False,
        )
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
    args = ["--disable-dev-shm-usage", "--host-resolver-rules=MAP members.test 127.0.0.1", *quiet]
    if os.geteuid() == 0:
        args.append("--no-sandbox")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        connections["default"]._test_serialized_contents = database_for_threads
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield chromium
        chromium.close()
        connections["default"].close()


@pytest.fixture(autouse=True)
def site(browser, live_server, transactional_db, django_db_serialized_rollback, settings):
    """The site at its own address, and quiet again before the next test."""
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = live_server.url
    yield live_server
    sender.wait()
    # With nothing left to send, the thread forgets the retry that it had set a timer for.
    ResetEmail.objects.all().delete()
    sender.wake()
    sender.wait()


@pytest.fixture
def mailbox(mail_server, site):
    mail_server.empty()
    yield mail_server
    mail_server.is_refusing = False
    mail_server.start()


@pytest.fixture
def service(settings):
    """A mail service that reports: `service("delivered")` posts what Postmark would, to the webhook with its secret."""
    settings.EMAIL_BACKEND = "tests.e2e.site.Postmark"
    settings.ANYMAIL = {"WEBHOOK_SECRET": "postmark:secret"}

    def report(kind, email=None):
        email = email or ResetEmail.objects.with_link().order_by("pk").last()
        said = reports.payload(
            kind,
            recipient=email.recipient,
            message_id=email.message_id,
            metadata={"member_reset": str(email.public_id)},
        )
        assert reports.post(said).status_code == 200

    return report


@pytest.fixture
def mailing_office(office):
    """The office, with the right to mail many at once."""
    office.groups.get().permissions.add(Permission.objects.get(codename="bulk_send_passwordreset"))
    return office


@pytest.fixture
def clock(time_machine):
    """The server's clock, which goes on from `START`: `clock.shift(timedelta(hours=16))`."""
    time_machine.move_to(START, tick=True)
    return time_machine


@pytest.fixture
def browsers(site, browser):
    """`browsers.open(person)` gives a page of a browser of its own, in which that person is signed in."""
    watched = Browsers(browser, site.url)
    yield watched
    watched.close()
    assert watched.problems == []
