"""A tab that is left open from the first click to the member's new password: it never needs a reload."""

import re

import pytest
from playwright.sync_api import expect

from .browsers import SENT, check, choose_password, fits_a_phone, open_tab, shown_link

pytestmark = pytest.mark.slow

NO_MAILBOX = "Mia’s mail server says that this address does not exist."


def test_tab_tells_of_the_bounce_and_then_of_the_password(browsers, service, member, office):
    page, visitor = browsers.open(office), browsers.open()
    panel = open_tab(page, member)
    status = panel.locator(".member-reset__status")
    page.evaluate("window.sameDocument = true")
    panel.get_by_role("link", name="Send password reset").press("Enter")
    expect(status).to_be_focused()
    expect(status).to_contain_text(SENT)
    expect(status).to_contain_text("We are waiting for Mia’s mail server to answer.")
    check(page, "live-sent", inside="#member-reset")

    service("no_mailbox")
    expect(status).to_contain_text(NO_MAILBOX, timeout=20_000)
    said = status.inner_text()
    assert said.index(NO_MAILBOX) < said.index(f"Before that: {SENT}"), "what is bad leads"
    assert "We are waiting" not in said
    expect(page.get_by_role("tab", name=re.compile("Settings")).locator(".w-tabs__errors")).to_be_visible()
    expect(panel.get_by_role("link", name="Correct the address")).to_be_visible()
    check(page, "live-bounced", inside="#member-reset")
    fits_a_phone(page)

    visitor.goto(shown_link(panel))
    choose_password(visitor, "a quiet harbour 7")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    expect(status).to_contain_text("Mia has set a password with the last link.", timeout=20_000)
    expect(status).not_to_contain_text(NO_MAILBOX)
    expect(panel.get_by_label("Personal link")).to_have_count(0)
    expect(panel.get_by_role("link", name="Cancel link")).to_have_count(0)
    expect(page.get_by_role("tab", name=re.compile("Settings")).locator(".w-tabs__errors")).to_be_hidden()
    assert page.evaluate("window.sameDocument") is True
    expect(status.locator(".icon-check")).to_be_visible()
    check(page, "live-used", inside="#member-reset")
