"""From the list of users: who has never signed in, and a password reset from the menu of a row."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from wagtail.admin.utils import get_user_display_name

from tests.conftest import make_person
from wagtail_member_reset import resets

from .browsers import SENT, check, fits_a_phone
from .mailbox import link_in

pytestmark = pytest.mark.slow


def test_who_never_signed_in_is_found_by_the_filter_and_sent_a_reset_from_the_row(browsers, mailbox, member, office):
    ben, clara = make_person("Ben", last_login=timezone.now()), make_person("Clara")
    resets.send(clara, by=office)
    mailbox.take(1)
    page = browsers.open(office)
    page.goto("/admin/users/")
    expect(page.get_by_role("columnheader", name="Password")).to_be_visible()
    for person, status in ((ben, "Has signed in"), (clara, "Link sent"), (member, "Never signed in")):
        row = page.get_by_role("row").filter(has_text=get_user_display_name(person))
        expect(row.get_by_role("cell", name=status, exact=True)).to_be_visible()
    check(page, "listing", inside="#listing-results")
    page.get_by_role("button", name="Show filters").click()
    page.get_by_role("button", name="Password", exact=True).press("Enter")
    filter_by = page.get_by_role("combobox", name="Password")
    expect(filter_by).to_be_visible()
    check(page, "listing-filter", inside=".w-drilldown__contents")
    filter_by.select_option("Never signed in")

    for person in (ben, clara):
        expect(page.get_by_role("link", name=get_user_display_name(person))).to_have_count(0)
    row = page.get_by_role("row").filter(has_text=get_user_display_name(member))
    row.get_by_role("button", name="More options for").press("Enter")
    page.get_by_role("link", name="Send password reset").press("Enter")

    expect(page.get_by_text("Send a password reset to Mia?")).to_be_visible()
    expect(page.locator("main")).to_contain_text("An email with a personal link goes to mia@members.example.")
    check(page, "listing-question", inside="main")
    fits_a_phone(page)
    mailbox.empty()
    page.get_by_role("button", name="Send password reset now").press("Enter")

    expect(page.get_by_text(SENT).first).to_be_visible()
    (mail,) = mailbox.take(1)
    assert (mail["To"], bool(link_in(mail))) == ("mia@members.example", True)
    check(page, "listing-sent", inside="main")
