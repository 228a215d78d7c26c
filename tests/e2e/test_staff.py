"""Staff get a member into the account: the tab, the mail, the link."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.conftest import grant
from wagtail_member_reset import outbox, resets

from .browsers import (
    SENT,
    ask_to_send,
    check,
    choose_password,
    edit_url,
    handed_over,
    open_tab,
    overflow,
    send,
    shown_link,
)
from .mailbox import html_of, link_in, text_of


@pytest.mark.slow
def test_staff_send_and_copy_the_link_and_others_see_it_later(browsers, clock, mailbox, member, office, admin):
    page = browsers.open(office)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=browsers.url)
    panel = open_tab(page, member)
    expect(panel).to_contain_text("Emails go to mia@members.example")
    check(page, "tab-none", inside="#member-reset")
    panel.get_by_role("link", name="Send password reset").click()

    expect(panel.locator(".member-reset__status")).to_be_focused()
    expect(panel.get_by_text(SENT, exact=True)).to_be_visible()
    (mail,) = mailbox.take(1)
    assert mail["To"] == "mia@members.example"
    assert "Hello Mia," in text_of(mail)
    assert "until Monday, Nov. 30, 2026, 9 a.m. (Berlin time)" in text_of(mail)
    assert link_in(mail) in html_of(mail)

    with page.expect_response("**/copied/") as noted:
        panel.get_by_role("button", name="Copy link").click()
    spoken = panel.locator(".member-reset__link [aria-live=polite]")
    expect(spoken).to_have_text("Link copied. Anyone who has the link can set Mia’s password.")
    assert noted.value.status == 204
    assert page.evaluate("navigator.clipboard.readText()") == link_in(mail) == shown_link(panel)
    check(page, "tab-copied", inside="#member-reset")

    clock.shift(timedelta(hours=2, minutes=9))
    colleague = browsers.open(admin)
    panel = handed_over(colleague, member)
    expect(panel.get_by_text(SENT, exact=True)).to_be_visible()
    expect(panel).to_contain_text("(time left: 6 days, 21 hours)")
    assert shown_link(panel) == link_in(mail)
    check(colleague, "tab-sent", inside="#member-reset")


@pytest.mark.slow
def test_sending_saves_loses_and_submits_nothing_of_the_account(browsers, mailbox, member, office):
    page = browsers.open(office)
    page.goto(edit_url(member))
    page.get_by_label("First name").fill("Maria")
    page.get_by_label("Email").fill("maria@members.example")
    page.get_by_role("tab", name="Settings").click()
    panel = page.locator("#member-reset")
    ask_to_send(panel)
    note = "The address on the Account tab was changed but not saved. The email goes to the saved one"
    expect(panel.get_by_text(note)).to_be_visible()
    check(page, "tab-question-unsaved", inside="#member-reset")
    panel.get_by_role("button", name="Send password reset now").click()
    expect(panel).to_contain_text(SENT)

    (mail,) = mailbox.take(1)
    member.refresh_from_db()
    assert (mail["To"], member.first_name, member.email) == ("mia@members.example", "Mia", "mia@members.example")
    panel.get_by_role("link", name="Change address").click()
    expect(page.get_by_label("Email")).to_be_focused()
    expect(page.get_by_label("Email")).to_have_value("maria@members.example")
    expect(page.get_by_label("First name")).to_have_value("Maria")

    password = member.password
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("updated.")).to_be_visible()
    member.refresh_from_db()
    saved = (member.first_name, member.last_name, member.email, member.password, member.is_active)
    assert saved == ("Maria", "Sample", "maria@members.example", password, True)
    mailbox.take(1)
    expect(open_tab(page, member)).to_contain_text("The last link ended because the email address was changed.")


@pytest.mark.slow
def test_question_without_unsaved_edits_has_no_note_of_them(browsers, member, office):
    page = browsers.open(office)
    panel = open_tab(page, member)
    send(panel)
    ask_to_send(panel, "Send a new link instead")

    expect(panel.get_by_text("was changed but not saved")).to_be_hidden()
    panel.get_by_role("link", name="Back").click()
    expect(panel.get_by_role("link", name="Send a new link instead")).to_be_focused()


@pytest.mark.slow
def test_cancelled_link_ends_for_the_member(browsers, mailbox, member, office):
    page, visitor = browsers.open(office), browsers.open()
    panel = open_tab(page, member)
    send(panel)
    link = link_in(mailbox.take(1)[0])
    panel.get_by_role("link", name="Cancel link").click()
    question = panel.locator(".member-reset__question")
    expect(question).to_be_focused()
    expect(question).to_contain_text("Cancel Mia’s link?")
    check(page, "tab-cancel-question", inside="#member-reset")
    panel.get_by_role("button", name="Cancel link").click()

    expect(panel).to_contain_text("The last link was cancelled and no longer works.")
    expect(panel.get_by_label("Personal link")).to_have_count(0)
    check(page, "tab-cancelled", inside="#member-reset")
    visitor.goto(link)
    expect(visitor.get_by_role("heading", name="This link no longer works")).to_be_visible()
    check(visitor, "member-cancelled")


@pytest.mark.slow
def test_link_is_shown_on_request_where_the_site_wants_that(browsers, settings, member, office):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "reveal"
    page = browsers.open(office)
    panel = open_tab(page, member)
    send(panel)
    expect(panel.get_by_label("Personal link")).to_have_count(0)
    assert "/account/r/" not in page.content()
    check(page, "tab-reveal", inside="#member-reset")
    panel.get_by_role("button", name="Show link").click()

    expect(panel.get_by_label("Personal link")).to_be_visible()
    assert shown_link(panel).startswith(f"{browsers.url}/account/r/")


@pytest.mark.slow
def test_link_that_was_asked_for_stays_when_the_panel_has_news(browsers, by_hand, settings, mailbox, member, office):
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "reveal"
    page = browsers.open(office)
    panel = open_tab(page, member)
    send(panel)
    panel.get_by_role("button", name="Show link").click()
    expect(panel.get_by_label("Personal link")).to_be_visible()
    outbox.drain()

    expect(panel).to_contain_text("We cannot see whether it arrived")
    expect(panel.get_by_label("Personal link")).to_be_visible()
    assert shown_link(panel) == link_in(mailbox.take(1)[0])


@pytest.mark.slow
def test_link_that_staff_saw_ends_when_the_member_gains_rights(browsers, mailbox, member, office):
    page, visitor = browsers.open(office), browsers.open(viewport={"width": 320, "height": 700})
    panel = open_tab(page, member)
    send(panel)
    link = link_in(mailbox.take(1)[0])
    assert shown_link(panel) == link
    grant(member, "delete_site")
    panel = open_tab(page, member)

    expect(panel).to_contain_text("The last link ended because Mia was given more rights")
    expect(panel.get_by_role("link", name="Send a new link")).to_be_visible()
    expect(panel.get_by_label("Personal link")).to_have_count(0)
    check(page, "tab-rights-gained", inside="#member-reset")
    visitor.goto(link)
    expect(visitor.get_by_role("heading", name="You need a new link")).to_be_visible()
    assert overflow(visitor) == 0
    check(visitor, "member-rights-gained")


@pytest.mark.slow
def test_who_changed_the_address_is_shown_the_link_by_a_click(browsers, mailbox, member, office):
    page = browsers.open(office, viewport={"width": 320, "height": 700})
    resets.send(member, by=None)
    resets.note_address_changed(member, by=office)
    panel = open_tab(page, member)

    expect(panel).to_contain_text("You changed this address within the last 24 hours")
    expect(panel.get_by_role("button", name="Show link")).to_be_visible()
    check(page, "tab-address-changed", inside="#member-reset")


@pytest.mark.slow
def test_account_that_cannot_be_reset_says_why(browsers, member, office):
    member.is_active = False
    member.save()
    page = browsers.open(office)
    panel = open_tab(page, member)

    expect(panel).to_contain_text("Mia’s account is not active, so no reset can be sent.")
    expect(panel.get_by_role("link", name="Send password reset")).to_have_count(0)
    check(page, "tab-inactive", inside="#member-reset")


@pytest.mark.slow
def test_click_after_the_session_ended_says_that_nothing_was_sent(browsers, mailbox, member, office):
    page = browsers.open(office)
    panel = open_tab(page, member)
    page.context.clear_cookies()
    panel.get_by_role("link", name="Send password reset").click()

    expect(panel.locator("#member-reset-problem")).to_contain_text("Nothing was sent.")
    expect(panel.locator("#member-reset-problem")).to_be_focused()
    assert not member.wagtail_member_reset_resets.exists()
    mailbox.take(0)
    browsers.forgive("403")


@pytest.mark.parametrize("answer", ["Send the same link again", "Send a new link instead"])
@pytest.mark.slow
def test_question_that_is_out_of_date_is_asked_again(browsers, mailbox, member, office, admin, answer):
    first, second = browsers.open(office), browsers.open(admin)
    panel = open_tab(first, member)
    send(open_tab(second, member))
    panel.get_by_role("link", name="Send password reset").click()

    expect(panel).to_contain_text("Something has changed since you were asked, so nothing was done.")
    mailbox.take(1)
    panel.get_by_role("button", name=answer).click()
    expect(panel).to_contain_text(SENT)
    earlier, later = map(link_in, mailbox.take(2))
    assert (earlier == later) is (answer == "Send the same link again")


@pytest.mark.slow
def test_escape_leaves_a_question_and_leads_back_to_its_button(browsers, mailbox, member, office):
    page = browsers.open(office)
    panel = open_tab(page, member)
    send(panel)
    panel.get_by_role("link", name="Cancel link").click()
    expect(panel.locator(".member-reset__question")).to_be_focused()
    page.keyboard.press("Escape")

    expect(panel.get_by_role("link", name="Cancel link")).to_be_focused()
    assert member.wagtail_member_reset_resets.live().exists()


@pytest.mark.slow
def test_tab_hears_of_the_password_without_a_reload(browsers, mailbox, member, office):
    page = browsers.open(office)
    panel = open_tab(page, member)
    send(panel)
    visitor = browsers.open()
    visitor.goto(link_in(mailbox.take(1)[0]))
    choose_password(visitor, "a quiet harbour 7")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")

    expect(panel).to_contain_text("Mia has set a password with the last link.", timeout=20000)
    expect(panel.get_by_label("Personal link")).to_have_count(0)
