"""Browsers that are watched, and the steps that the stories have in common."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe, AxeResults
from django.conf import settings
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

# Django's own header, which a browser has no use for over plain http and says so.
HTTPS_ONLY = "The Cross-Origin-Opener-Policy header has been ignored"
OURS = {"localhost", "127.0.0.1", "members.test"}
SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"
HABITS = {
    "locale": "en-GB",
    "timezone_id": "Europe/Berlin",
    "viewport": {"width": 1280, "height": 900},
    # What slides and fades would be drawn by the processor, and is somewhere else when it is clicked.
    "reduced_motion": "reduce",
}
SENT = "Reset password email sent."
WELCOMED = "Account successfully created and reset password email sent."
# Colours that are on their way from one theme to the other are nobody's contrast.
AT_REST = "(part) => !document.querySelector(part).getAnimations({ subtree: true }).length"
IN_THE_DARK = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
AXE = Axe().axe_script
# A machine that does other work, too, is slow: nothing here asserts how fast a page is.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)


class Browsers:
    """Opens browsers, and keeps what went wrong in them."""

    def __init__(self, chromium, url):
        self._chromium, self.url = chromium, url
        self._contexts, self.problems = [], []

    def open(self, person=None, *, url=None, **options):
        url = url or self.url
        context = self._chromium.new_context(**{**HABITS, "base_url": url, **options})
        context.on("request", self._see_request)
        context.on("console", self._see_console)
        context.on("weberror", lambda problem: self.problems.append(str(problem.error)))
        self._contexts.append(context)
        if person is not None:
            client = Client()
            client.force_login(person)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        return page

    def close(self):
        for context in self._contexts:
            context.close()

    def forgive(self, text):
        """Take out the problems that a test has provoked; there must be one."""
        provoked = [problem for problem in self.problems if text in problem]
        assert provoked, self.problems
        self.problems = [problem for problem in self.problems if text not in problem]

    def _see_request(self, request):
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.hostname not in OURS:
            self.problems.append(f"asked another machine: {request.url}")

    def _see_console(self, message):
        if message.type == "error" and not message.text.startswith(HTTPS_ONLY):
            self.problems.append(f"{message.text} ({message.location['url']})")


def edit_url(member):
    return reverse("wagtailusers_users:edit", args=[quote(member.pk)])


def open_tab(page, member):
    """Open the record as staff do: by its address, then a click on the tab. Gives our panel."""
    page.goto(edit_url(member))
    page.get_by_role("tab", name="Settings").click()
    panel = page.locator("#member-reset")
    expect(panel).to_be_visible()
    return panel


def ask_to_send(panel, name="Send password reset"):
    panel.get_by_role("link", name=name).click()
    question = panel.locator(".member-reset__question")
    expect(question).to_be_focused()
    return question


def send(panel):
    panel.get_by_role("link", name="Send password reset").click()
    expect(panel).to_contain_text(SENT)


def shown_link(panel):
    return panel.get_by_label("Personal link").input_value()


def handed_over(page, member):
    """Open the tab again, until it says that the mail has left: the thread writes that down after the fact."""
    panel = open_tab(page, member)
    for _ in range(20):
        # The history may know of it before the verdict does.
        if "We cannot see whether it arrived" in panel.locator(".member-reset__status").inner_text():
            break
        page.wait_for_timeout(50)
        panel = open_tab(page, member)
    expect(panel.locator(".member-reset__status")).to_contain_text("We cannot see whether it arrived")
    return panel


def choose_password(page, password):
    page.get_by_label("New password").fill(password)
    page.get_by_role("button", name="Save password").click()


def shoot(page, name):
    """Keep a picture of a state, with SCREENSHOTS=1."""
    if os.environ.get("SCREENSHOTS") == "1":
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=name.startswith("phone"))


def check(page, name, *, inside=None):
    """A picture of the state, and nothing for axe to find in it; what a dark theme can break, in the dark as well."""
    for scheme, options in (("light", {}), ("dark", IN_THE_DARK)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(AT_REST, arg=inside or "body")
        shoot(page, f"{name}-{scheme}")
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        found = AxeResults(page.evaluate("(args) => axe.run(...args)", [inside or "html", options]))
        assert found.violations_count == 0, f"{name}, {scheme}:\n{found.generate_report()}"
        assert found.response["passes"], f"{name}: axe looked at nothing"
    page.emulate_media(color_scheme="light")


def overflow(page):
    """By how many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def fits_a_phone(page):
    """Whether nothing is wider than a small screen; the page is as wide as before afterwards."""
    before = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 900})
    assert overflow(page) == 0
    page.set_viewport_size(before)
