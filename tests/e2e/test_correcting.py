"""At the desk: details for the people who run the member's mail server, and another address to sign in with."""

import re

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset.models import ResetEmail

from .browsers import SENT, check, fits_a_phone, open_tab, send
from .test_hardship import tab_to

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="there, the address is the sign-in name"),
]


def test_details_are_copied_and_address_and_sign_in_name_corrected_after_the_identity_question(
    browsers, service, office, settings
):
    settings.WAGTAIL_MEMBER_RESET_IDENTITY_CHECK = "required"
    pia = make_person("Pia", username="pia@old.example", email="pia@old.example")
    page = browsers.open(office)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=browsers.url)
    panel = open_tab(page, pia)
    send(panel)
    expect(panel.get_by_label("Personal link")).to_have_count(0)
    expect(panel).to_contain_text("We are waiting for Pia’s mail server to answer.")
    service("no_mailbox")
    copy = panel.get_by_role("button", name="Copy details for their IT")
    expect(copy).to_be_visible(timeout=20_000)
    check(page, "desk-needs-bounced", inside="#member-reset")
    copy.press("Enter")
    expect(panel.get_by_text("Details copied. They do not contain the link.")).to_be_visible()
    expect(copy).to_be_focused()
    copied = page.evaluate("navigator.clipboard.readText()")
    named = (
        "From: ",
        "To: pia@old.example",
        "Subject: ",
        "Time: ",
        "Message id: ",
        "550 5.1.1",
        "Other emails from us",
    )
    assert [part for part in named if part not in copied] == []
    assert "/account/r/" not in copied

    tab_to(page, panel.get_by_role("link", name="Correct the address"))
    page.keyboard.press("Enter")
    question = panel.locator(".member-reset__question")
    expect(question).to_be_focused()
    expect(question).to_contain_text("Which address should Pia’s account have?")
    panel.get_by_role("textbox", name="New address").fill("pia@new.example")
    panel.get_by_label("Also sign in with the new address").check()
    check(page, "desk-needs-correct", inside="#member-reset")
    fits_a_phone(page)
    panel.get_by_role("button", name="Save the address and send").press("Enter")
    identity = panel.get_by_label("How did you check that this is Pia?")
    expect(identity).to_be_focused()
    problem = re.compile("^Say how you checked it, in a few words. Nothing was done.")
    expect(identity).to_have_accessible_description(problem)
    expect(panel.get_by_role("textbox", name="New address")).to_have_value("pia@new.example")
    expect(panel.get_by_label("Also sign in with the new address")).to_be_checked()
    check(page, "desk-needs-identity", inside="#member-reset")
    identity.fill("called back")
    panel.get_by_role("button", name="Save the address and send").press("Enter")

    expect(panel).to_contain_text("Emails go to pia@new.example")
    expect(panel).to_contain_text(SENT)
    expect(panel.locator(".member-reset__account")).to_contain_text("Sign-in name pia@new.example")
    pia.refresh_from_db()
    assert (pia.email, pia.username) == ("pia@new.example", "pia@new.example")
    assert ResetEmail.objects.with_link().last().recipient == "pia@new.example"
    assert ModelLogEntry.objects.get(action="wagtail_member_reset.check").message == "Identity checked: called back"
    check(page, "desk-needs-corrected", inside="#member-reset")


def test_saving_the_record_does_not_lose_what_was_typed_into_the_panel(browsers, service, office):
    page = browsers.open(office)
    pia = make_person("Pia", username="pia", email="pia@old.example")
    panel = open_tab(page, pia)
    send(panel)
    service("no_mailbox")
    panel.get_by_role("link", name="Correct the address").click()
    panel.get_by_role("textbox", name="New address").fill("pia@new.example")
    save = page.get_by_role("button", name="Save", exact=True)

    save.click()

    told = panel.locator("#member-reset-problem")
    expect(told).to_be_focused()
    expect(told).to_contain_text("Nothing was saved yet: “Save” does not include what you typed here.")
    expect(panel.get_by_role("textbox", name="New address")).to_have_value("pia@new.example")
    check(page, "desk-needs-held", inside="#member-reset")
    # From another tab it comes back to where it was typed; the shortcut for saving is held, too.
    page.get_by_role("tab", name="Account").click()
    page.locator("#id_first_name").press("Enter")
    expect(told).to_be_focused()
    pia.refresh_from_db()
    assert (pia.email, ResetEmail.objects.with_link().count()) == ("pia@old.example", 1)
    # Given up, the record is saved as ever.
    panel.get_by_role("link", name="Back").click()
    expect(panel.get_by_role("textbox", name="New address")).to_have_count(0)
    with page.expect_navigation():
        save.click()


def test_leaving_asks_where_something_was_typed_into_the_panel(browsers, service, office):
    page = browsers.open(office)
    panel = open_tab(page, make_person("Pia", username="pia", email="pia@old.example"))
    send(panel)
    service("no_mailbox")
    panel.get_by_role("link", name="Correct the address").click()
    panel.get_by_role("textbox", name="New address").press_sequentially("x")

    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.evaluate("location.assign('/admin/')")
    page.wait_for_url("**/admin/")

    assert asked == ["beforeunload"]
