"""The same link for 16 hours, a working one for 7 days: the rules of time, as people see them."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from .browsers import SENT, ask_to_send, check, open_tab, send, shown_link
from .mailbox import link_in, text_of


def expect_form(visitor, link):
    visitor.goto(link)
    expect(visitor.get_by_role("heading", name="Choose a new password")).to_be_visible()


def expect_problem(visitor, link, title):
    visitor.goto(link)
    expect(visitor.get_by_role("heading", level=1)).to_have_text(title)
    expect(visitor.get_by_label("New password")).to_have_count(0)


@pytest.mark.slow
def test_link_stays_16_hours_on_the_tab_and_works_7_days(browsers, clock, mailbox, member, office):
    page, visitor = browsers.open(office), browsers.open()
    send(open_tab(page, member))
    first = link_in(mailbox.take(1)[0])

    clock.shift(timedelta(hours=15, minutes=59))
    panel = open_tab(page, member)
    expect(panel.get_by_text(SENT, exact=True)).to_be_visible()
    question = ask_to_send(panel, "Send a new link instead")
    expect(question).to_contain_text("The link works until Nov. 30, 2026, 9 a.m., as before.")
    check(page, "tab-question-again", inside="#member-reset")
    panel.get_by_role("button", name="Send the same link again").click()
    expect(panel).to_contain_text(SENT)
    assert link_in(mailbox.take(2)[1]) == first

    clock.shift(timedelta(minutes=1))
    panel = open_tab(page, member)
    expect(panel).to_contain_text("The link of Nov. 23, 2026, 9 a.m. still works until Nov. 30, 2026, 9 a.m.")
    expect(panel.get_by_text(SENT)).to_have_count(0)
    assert first not in page.content()
    check(page, "tab-quiet", inside="#member-reset")
    expect_form(visitor, first)

    question = ask_to_send(panel)
    expect(question).to_contain_text("The link of Nov. 23, 2026, 9 a.m. stops working.")
    check(page, "tab-question-replaces", inside="#member-reset")
    panel.get_by_role("button", name="Send a new link").click()
    expect(panel).to_contain_text(SENT)
    second = link_in(mailbox.take(3)[2])
    assert second == shown_link(panel) != first
    expect_problem(visitor, first, "A newer link has replaced this one")
    check(visitor, "member-replaced")

    clock.shift(timedelta(days=6, hours=23, minutes=58))
    expect_form(visitor, second)
    clock.shift(timedelta(minutes=2))
    expect_problem(visitor, second, "This link has expired")
    check(visitor, "member-expired")
    panel = open_tab(page, member)
    expect(panel).to_contain_text("The last link expired unused. It was sent 1 week ago and worked for 1 week.")
    check(page, "tab-expired", inside="#member-reset")

    visitor.get_by_label("Email address").fill("mia@members.example")
    visitor.get_by_role("button", name="Send me a new link").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Check your inbox")
    third = link_in(mailbox.take(4)[3])
    expect_form(visitor, third)
    assert shown_link(open_tab(page, member)) == third


@pytest.mark.slow
def test_site_with_24_hours_has_8_left_when_the_tab_goes_quiet(browsers, clock, settings, mailbox, member, office):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=24)
    page, visitor = browsers.open(office), browsers.open()
    panel = open_tab(page, member)
    panel.get_by_role("link", name="Send password reset").click()
    (mail,) = mailbox.take(1)
    assert "until Tuesday, Nov. 24, 2026, 9 a.m." in text_of(mail)

    clock.shift(timedelta(hours=15, minutes=59))
    expect(open_tab(page, member)).to_contain_text("The link works until Nov. 24, 2026, 9 a.m. (time left: 8 hours).")

    clock.shift(timedelta(hours=1, minutes=1))
    panel = open_tab(page, member)
    expect(panel).to_contain_text("Nothing sent in the last 16 hours.")
    expect(panel).to_contain_text("still works until Nov. 24, 2026, 9 a.m.")
    expect_form(visitor, link_in(mail))

    clock.shift(timedelta(hours=7))
    expect_problem(visitor, link_in(mail), "This link has expired")
    expect(open_tab(page, member)).to_contain_text("It was sent 1 day ago and worked for 1 day.")
