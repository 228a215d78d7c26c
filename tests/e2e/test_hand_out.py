"""Somebody at the counter has no address: a link without an email, and a QR code for their phone."""

import pytest
from playwright.sync_api import expect

from tests.conftest import make_person
from wagtail_member_reset.models import ResetEmail

from .browsers import check, choose_password, fits_a_phone, open_tab, shown_link
from .test_delivery import look_at_history

pytestmark = pytest.mark.slow


def test_member_without_an_address_gets_in_by_a_code_on_the_screen(browsers, mailbox, office):
    page, phone = browsers.open(office), browsers.open(viewport={"width": 320, "height": 700})
    nora = make_person("Nora", email="")
    panel = open_tab(page, nora)
    expect(panel).to_contain_text("No email address is stored for this person.")
    expect(panel.get_by_role("link", name="Send password reset")).to_have_count(0)
    check(page, "hand-out-none", inside="#member-reset")
    panel.get_by_role("link", name="Get a link without email").press("Enter")
    question = panel.locator(".member-reset__question")
    expect(question).to_be_focused()
    expect(question).to_contain_text("Get a link for Nora without an email?")
    check(page, "hand-out-question", inside="#member-reset")
    page.keyboard.press("Escape")
    expect(panel.get_by_role("link", name="Get a link without email")).to_be_focused()
    page.keyboard.press("Enter")
    panel.get_by_role("button", name="Get the link").press("Enter")

    expect(panel.locator(".member-reset__status")).to_be_focused()
    expect(panel).to_contain_text("A link was made without an email. Nothing was emailed to Nora.")
    expect(panel.get_by_role("heading", name="Email it")).to_have_count(0)
    code = panel.get_by_role("img", name="QR code of Nora’s link")
    expect(code).to_be_hidden()
    panel.get_by_text("Show as a QR code").press("Enter")
    expect(code).to_be_visible()
    check(page, "hand-out-code", inside="#member-reset")
    fits_a_phone(page)
    look_at_history(page)
    expect(panel.get_by_role("listitem").filter(has_text="without an email")).to_be_visible()

    phone.goto(shown_link(panel))
    choose_password(phone, "a quiet harbour 7")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    expect(panel).to_contain_text("Nora has set a password with the last link.", timeout=20_000)
    expect(code).to_have_count(0)
    assert not ResetEmail.objects.exists()
    mailbox.take(0)
