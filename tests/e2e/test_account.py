"""What the tab says of an account, and a note that the person is not to be emailed."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect
from wagtail.admin.utils import get_user_display_name

from tests.conftest import make_person

from .browsers import SENT, check, fits_a_phone, open_tab

pytestmark = pytest.mark.slow


def test_somebody_is_noted_as_not_to_be_emailed_and_a_single_send_asks_first(browsers, mailbox, member, office):
    is_shared = get_user_model().USERNAME_FIELD != "email"
    if is_shared:
        make_person("Ben", email=member.email)
    page = browsers.open(office)
    panel = open_tab(page, member)
    account = panel.locator(".member-reset__account")
    expect(account).to_contain_text(f"Sign-in name {member.get_username()}")
    expect(account).to_contain_text("Last sign-in Never")
    if hasattr(member, "date_joined"):
        expect(account).to_contain_text("Account since")
    expect(account.get_by_text("Ben Sample")).to_have_count(int(is_shared))
    check(page, "account", inside="#member-reset")
    account.get_by_role("link", name="Do not email").press("Enter")
    question = panel.locator(".member-reset__question")
    expect(question).to_be_focused()
    expect(question).to_contain_text("Why is Mia not to be emailed?")
    check(page, "account-do-not-email", inside="#member-reset")
    panel.get_by_role("button", name="By post only").press("Enter")

    expect(account).to_contain_text("Do not email: By post only,")
    expect(account).to_contain_text(f"{get_user_display_name(office)}. Mailings and reminders leave this person out.")
    assert page.evaluate("document.activeElement.closest('#member-reset') !== null"), "the focus is lost"
    check(page, "account-noted", inside="#member-reset")
    fits_a_phone(page)
    panel.get_by_role("link", name="Send password reset").press("Enter")
    expect(question).to_be_focused()
    expect(question).to_contain_text("Do not email is noted for Mia since")
    check(page, "account-send-question", inside="#member-reset")
    mailbox.take(0)
    panel.get_by_role("button", name="Send password reset now").press("Enter")

    expect(panel).to_contain_text(SENT)
    mailbox.take(1)
    account.get_by_role("link", name="Change").press("Enter")
    panel.get_by_role("button", name="May be emailed again").press("Enter")
    expect(account).to_contain_text("Emails from the office Allowed")


def test_facts_stand_side_by_side_and_leave_the_first_screen_to_what_happened(browsers, member, office):
    page = browsers.open(office)
    account = open_tab(page, member).locator(".member-reset__account")
    expect(account.get_by_text("Emails from the office")).to_be_visible()

    tops = {round(fact.bounding_box()["y"]) for fact in account.locator("dt").all()}

    assert len(tops) == 1
    fits_a_phone(page)
