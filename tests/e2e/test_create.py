"""Staff create an account: the welcome goes out by itself, and the new member gets in."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from playwright.sync_api import expect

from wagtail_member_reset.outbox.background import sender

from .browsers import WELCOMED, check, choose_password, open_tab, shoot, shown_link
from .mailbox import link_in


def fill_in(page, name):
    page.goto(reverse("wagtailusers_users:add"))
    if get_user_model().USERNAME_FIELD != "email":
        page.get_by_label("Username").fill(name.lower())
    page.get_by_label("Email").fill(f"{name.lower()}@members.example")
    page.get_by_label("First name").fill(name)
    page.get_by_label("Last name").fill("Sample")


def submit(page):
    if not page.locator("form[method=post] [type=submit]:visible").count():  # before Wagtail 8, it is on the last tab
        page.get_by_role("tab", name="Roles").first.click()
    page.locator("form[method=post] [type=submit]:visible").click()


def created(name):
    return get_user_model().objects.get(email=f"{name.lower()}@members.example")


@pytest.mark.slow
def test_new_member_is_welcomed_and_gets_in(browsers, clock, mailbox, office):
    page, visitor = browsers.open(office), browsers.open()
    fill_in(page, "Nora")
    expect(page.get_by_label("Send this person a link to set their own password")).to_be_checked()
    expect(page.locator("#id_password1")).to_be_hidden()
    expect(page.locator("#id_password2")).to_be_hidden()
    check(page, "create-link", inside=".member-reset-choice")
    submit(page)

    panel = page.locator("#member-reset")
    expect(page.get_by_role("tab", name="Settings")).to_have_attribute("aria-selected", "true")
    expect(panel.get_by_text(WELCOMED, exact=True)).to_be_visible()
    (mail,) = mailbox.take(1)
    assert mail["To"] == "nora@members.example"
    assert shown_link(panel) == link_in(mail)
    check(page, "tab-welcome", inside="#member-reset")

    visitor.goto(link_in(mail))
    expect(visitor).to_have_url(browsers.url + reverse("wagtail_member_reset:password_reset_set"))
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Choose your password")
    check(visitor, "member-form")
    choose_password(visitor, "12345678")
    summary = visitor.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("This password is too common.")
    assert visitor.title().startswith("Error: ")
    check(visitor, "member-form-error")
    summary.get_by_role("link", name="too common").click()
    expect(visitor.get_by_label("New password")).to_be_focused()
    assert not created("Nora").has_usable_password()

    choose_password(visitor, "a quiet harbour 7")
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Your password is saved")
    check(visitor, "member-complete")
    mailbox.take(2)
    visitor.goto("/members/")
    expect(visitor.get_by_text("Signed in: nobody")).to_be_visible()

    visitor.goto(reverse("wagtailcore_login"))
    visitor.locator("[name=username]").fill(created("Nora").get_username())
    visitor.locator("[name=password]").fill("a quiet harbour 7")
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor.get_by_text(f"Signed in: {created('Nora').get_username()}")).to_be_visible()
    panel = open_tab(page, created("Nora"))
    expect(panel).to_contain_text("Nora has set a password with the last link.")
    check(page, "tab-used", inside="#member-reset")


@pytest.mark.slow
def test_member_with_a_password_set_by_staff_gets_no_mail(browsers, mailbox, office):
    page = browsers.open(office)
    fill_in(page, "Paul")
    page.get_by_label("Set a password now").check()
    expect(page.locator("#id_password1")).to_be_visible()
    shoot(page, "create-password")
    submit(page)
    expect(page.locator("#id_password1")).to_have_attribute("aria-invalid", "true")

    page.locator("#id_password1").fill("a quiet harbour 7")
    page.locator("#id_password2").fill("a quiet harbour 7")
    submit(page)
    expect(page.get_by_text("created.")).to_be_visible()

    assert created("Paul").check_password("a quiet harbour 7")
    panel = open_tab(page, created("Paul"))
    expect(panel).to_contain_text("Nothing sent in the last 16 hours.")
    expect(panel.get_by_text(WELCOMED)).to_have_count(0)
    sender.wait()
    mailbox.take(0)
