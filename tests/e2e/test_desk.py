"""Junior staff help a member from the menu, and never hold the link."""

import pytest
from playwright.sync_api import expect

from tests.conftest import grant, make_person

from .browsers import SENT, check, overflow, send
from .mailbox import link_in


@pytest.mark.slow
def test_junior_finds_a_member_and_sends(browsers, mailbox, member):
    junior = grant(make_person("Juno", password="junior password 1"), "access_admin", "send_passwordreset")
    page = browsers.open(junior)
    page.goto("/admin/")
    page.get_by_role("button", name="Member sign-in").click()
    page.get_by_role("link", name="Find a person").click()
    search = page.get_by_label("Find a person by name or email address")
    expect(search).to_be_visible()
    check(page, "desk", inside="main")
    search.fill("sample")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row").filter(has_text="mia@members.example")).to_be_visible()
    check(page, "desk-found", inside="main")
    page.get_by_role("link", name="Mia Sample").click()
    panel = page.locator("#member-reset")
    send(panel)

    link = link_in(mailbox.take(1)[0])
    expect(panel).to_contain_text(SENT)
    expect(panel.get_by_role("listitem").filter(has_text="Created by Juno Sample")).to_be_visible()
    assert link not in page.content()
    expect(panel.get_by_role("button", name="Copy link")).to_have_count(0)
    check(page, "desk-sent", inside="main")
    page.set_viewport_size({"width": 320, "height": 900})
    assert overflow(page) == 0
    page.get_by_role("link", name="Find another person").click()
    expect(page.get_by_label("Find a person by name or email address")).to_have_value("")
    assert overflow(page) == 0
