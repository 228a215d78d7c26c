"""The menu "Member sign-in": each of its pages for who may use it, and no menu for who may use none."""

import pytest
from playwright.sync_api import expect

from tests.conftest import grant, make_person
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import Choice, Kind

from .browsers import check, overflow, shoot

pytestmark = pytest.mark.slow

MENU = "Member sign-in"
DESK, NEEDS_HELP, MAILINGS = "Find a person", "Needs help", "Mailings"


def pages_in(menu):
    return [each.inner_text().strip() for each in menu.get_by_role("link").all()]


def opened(page):
    """The menu, opened by keyboard."""
    button = page.get_by_role("button", name=MENU)
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    return page.get_by_role("listitem").filter(has=button)


def test_office_finds_everything_in_one_place(browsers, mailbox, mailing_office):
    mailings.start(mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=mailing_office, per_hour=1), wake=False)
    page = browsers.open(mailing_office)
    page.goto("/admin/")
    menu = opened(page)
    assert pages_in(menu) == [DESK, NEEDS_HELP, MAILINGS]
    shoot(page, "menu")

    for name in (DESK, NEEDS_HELP, MAILINGS):
        page.goto("/admin/")
        opened(page).get_by_role("link", name=name, exact=True).press("Enter")
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        check(page, f"menu-{name.lower().replace(' ', '-')}", inside="main")
    page.goto("/admin/")
    for spread in ("Settings", "Reports"):
        for button in page.get_by_role("button", name=spread, exact=True).all():
            button.click()
            expect(page.get_by_role("link", name="reset")).to_have_count(0)


def test_help_desk_finds_no_mailings(browsers, mailbox):
    page = browsers.open(grant(make_person("June"), "access_admin", "send_passwordreset"))
    page.goto("/admin/")
    assert pages_in(opened(page)) == [DESK, NEEDS_HELP]

    page.goto("/admin/member-reset/mailings/")
    expect(page.get_by_text("Sorry, you do not have permission to access this area.")).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 900})
    for address in ("/admin/member-reset/", "/admin/member-reset/needs-help/"):
        page.goto(address)
        assert overflow(page) == 0, address


def test_who_may_use_none_of_it_has_no_such_menu(browsers, mailbox):
    page = browsers.open(grant(make_person("Nils"), "access_admin"))
    page.goto("/admin/")

    expect(page.get_by_role("button", name="Nils")).to_be_visible()
    expect(page.get_by_role("button", name=MENU)).to_have_count(0)
