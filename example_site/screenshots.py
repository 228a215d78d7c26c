"""
The pictures in docs/screenshots, taken of the demo: `make screenshots`.

It starts one of its own.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from demo import first_port, free_port
from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
OFFICE = ("otto", "otto-keeps-the-books")
# As wide as the content of the admin is in the README.
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 680, "height": 760}


class Pictures:
    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.office = browser.new_context(viewport=WIDE)
        self.page = self.office.new_page()
        self.go("/admin/login/")
        for name, value in zip(("username", "password"), OFFICE, strict=True):
            self.page.fill(f"input[name={name}]", value)
        self.page.click("button[type=submit]")
        self.page.wait_for_url("**/admin/")

    def go(self, path):
        self.page.goto(self.address + path)

    def take(self, name, page=None, **options):
        page = page or self.page
        page.wait_for_timeout(700)  # what slides in has arrived
        page.screenshot(path=PICTURES / f"{name}.png", **options)

    def open_tab(self, person):
        self.go("/admin/users/")
        self.page.get_by_role("link", name=person).first.click()
        self.page.get_by_role("tab", name="Settings").click()

    def newest_email(self, address):
        """Where the newest email is read, once that is one to this address."""
        for _ in range(60):
            self.go("/inbox/")
            newest = self.page.locator("table tbody tr").first
            if newest.count() and address in newest.inner_text():
                newest.locator("a").first.click()
                return self.page.url
            self.page.wait_for_timeout(500)
        sys.exit(f"No email to {address} arrived.")

    def report(self, kind, *, of):
        """Have the mail service say this of the newest email."""
        self.newest_email(of)
        self.page.click(f"button[value={kind}]")

    def tabs(self):
        self.open_tab("Mia Mitchell")
        self.page.get_by_role("link", name="Send password reset").click()
        self.page.get_by_label("Personal link").wait_for()
        self.take("tab-waiting")
        self.page.emulate_media(color_scheme="dark")
        self.take("tab-sent-dark")
        self.page.emulate_media(color_scheme="light")

    def bounce(self):
        self.report("no_mailbox", of="mia@harbour.example")
        self.open_tab("Mia Mitchell")
        self.take("tab-bounced")

    def create(self):
        self.go("/admin/users/")
        self.page.get_by_role("link", name="Add a user").click()
        for name, value in {"username": "rosa", "email": "rosa@harbour.example", "first_name": "Rosa"}.items():
            self.page.fill(f"input[name={name}]", value)
        self.page.fill("input[name=last_name]", "Rower")
        self.take("create")

    def member(self):
        """The email of the reset, and the page that its link leads to."""
        email = self.newest_email("mia@harbour.example")
        member = self.browser.new_context(viewport=NARROW).new_page()
        member.goto(f"{email}html/")
        self.take("email-reset", member)
        member.goto(member.get_by_role("link").first.get_attribute("href"))
        member.get_by_label("New password").fill("herons over the harbour")
        self.take("member-form", member)

    def mailing(self):
        self.go("/admin/member-reset/mailings/new/")
        self.page.fill("input[name=name]", "Renewal 2027")
        self.page.locator("input[name=kind]").first.check()
        self.page.fill("textarea[name=paragraph]", "Our new website is here: please choose a password.")
        self.page.get_by_role("button", name="Preview").click()
        self.page.get_by_role("button", name=re.compile("Send .* emails")).wait_for()
        self.take("mailing-preview")
        self.page.get_by_role("button", name=re.compile("Send .* emails")).click()
        self.page.get_by_text("Finished").first.wait_for()
        self.page.reload()
        self.take("mailing")

    def needs_help(self):
        self.go("/admin/member-reset/needs-help/")
        self.take("needs-help")


@contextmanager
def demo():
    """The address of one that is freshly seeded, and gone afterwards."""
    port = free_port(first_port())
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "DEMO_DATA": data, "DEMO_PORT": str(port)}
        process = subprocess.Popen([sys.executable, Path(__file__).with_name("demo.py")], env=environment)
        try:
            wait_for(process, address)
            yield address
        finally:
            process.terminate()
            process.wait()


def wait_for(process, address, *, seconds=120):
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        try:
            urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    sys.exit("The demo did not start.")


def main():
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        pictures = Pictures(browser, address)
        pictures.tabs()
        pictures.member()
        pictures.bounce()
        pictures.create()
        pictures.mailing()
        pictures.needs_help()
        browser.close()


if __name__ == "__main__":
    main()
