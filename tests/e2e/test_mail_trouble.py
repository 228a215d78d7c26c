"""The mail does not arrive: what staff see then, and that the link is never lost."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from .browsers import SENT, check, open_tab, shown_link
from .mailbox import link_in


def opened_until(page, member, text):
    """The tab once it says `text`: the thread needs a moment to write down what came of the mail."""
    for _ in range(40):
        panel = open_tab(page, member)
        if text in panel.inner_text():
            break
        page.wait_for_timeout(50)
    expect(panel).to_contain_text(text)
    return panel


def send_in_vain(panel):
    """The answer may come before the thread has tried, or after it."""
    panel.get_by_role("link", name="Send password reset").click()
    expect(panel).to_contain_text(re.compile(f"{SENT}|has not left yet|could not be sent"))


@pytest.mark.slow
def test_refused_mail_shows_on_the_tab_with_a_red_badge(browsers, mailbox, member, office):
    mailbox.is_refusing = True
    page = browsers.open(office)
    send_in_vain(open_tab(page, member))
    panel = opened_until(page, member, "The reset password email could not be sent.")

    expect(panel).to_contain_text("Mia’s mail server says that this address does not exist.")
    expect(panel.get_by_text(SENT)).to_have_count(0)
    page.goto("about:blank")
    panel = open_tab(page, member)
    expect(page.get_by_role("tab", name=re.compile("Settings")).locator(".w-tabs__errors")).to_be_visible()
    check(page, "tab-refused", inside="#member-reset")
    link = shown_link(panel)
    mailbox.is_refusing = False
    panel.get_by_role("link", name="Send again").click()
    expect(panel).to_contain_text(SENT)
    assert link_in(mailbox.take(1)[0]) == link


@pytest.mark.slow
def test_mail_waits_for_a_server_that_is_down_and_carries_the_same_link(browsers, clock, mailbox, member, office):
    mailbox.stop()
    page = browsers.open(office)
    send_in_vain(open_tab(page, member))
    panel = opened_until(page, member, "The mail service is not answering. We will try again")
    link = shown_link(panel)
    check(page, "tab-waiting", inside="#member-reset")

    mailbox.start()
    clock.shift(timedelta(seconds=31))
    panel = opened_until(page, member, "We cannot see whether it arrived")

    assert [link_in(mail) for mail in mailbox.take(1)] == [link] == [shown_link(panel)]
