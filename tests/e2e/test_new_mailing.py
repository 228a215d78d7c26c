"""A mailing from its name to the rest that was not sent: prepared, tested, started at its time, counted and stopped."""

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from tests.conftest import make_person
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import chunks
from wagtail_member_reset.models import Mailing

from .browsers import check, fits_a_phone
from .mailbox import html_of, text_of
from .test_hardship import tab_to
from .test_mailings import MAILINGS

pytestmark = pytest.mark.slow

PARAGRAPH = "The new members’ area opens on Monday. Bring your boat number."


@pytest.fixture
def club(db):
    group = Group.objects.create(name="Rowers")
    for name in ("Anna", "Ben", "Clara", "Dora", "Emil"):
        make_person(name).groups.add(group)
    make_person("Nowhere", email="").groups.add(group)
    return group


def previewed(page, club):
    """From the menu to the preview, as office staff fill in the form."""
    page.goto("/admin/")
    page.get_by_role("button", name="Member sign-in").click()
    page.get_by_role("link", name="Mailings", exact=True).click()
    page.get_by_role("link", name="New mailing").click()
    expect(page.get_by_role("textbox", name="Name")).to_be_visible()
    check(page, "new-mailing", inside="main")
    fits_a_phone(page)
    page.get_by_role("textbox", name="Name").fill("Renewal 2027")
    page.get_by_role("group", name="Who gets an email").get_by_label("Members of groups").check()
    page.get_by_role("group", name="Groups").get_by_label(club.name).check()
    page.get_by_label("A paragraph of your own").fill(PARAGRAPH)
    page.get_by_label("Start time").fill("2026-11-23T10:30")
    page.get_by_label("Sending hours: from").fill("10:00")
    page.get_by_role("button", name="Preview").press("Enter")
    errors = page.locator("#member-reset-errors")
    expect(errors).to_be_focused()
    expect(errors).to_contain_text("Give both: from when and until when to send.")
    check(page, "new-mailing-error", inside="main")
    page.get_by_label("Sending hours: until").fill("18:00")
    page.get_by_role("group", name="Groups").get_by_label(club.name).check()
    page.get_by_role("button", name="Preview").press("Enter")
    expect(page.get_by_role("heading", name="5 people will get an email")).to_be_visible()


def look_through_the_preview(page):
    """Who gets an email and who does not, the search, and the email itself."""
    body, people = page.locator(".member-reset"), page.get_by_role("region", name="Who")
    expect(body).to_contain_text("Starts Nov. 23, 2026, 10:30 a.m.")
    expect(body).to_contain_text("Sends from 10 a.m. to 6 p.m. (Berlin time) only.")
    expect(people.get_by_role("row")).to_have_count(6)
    people.get_by_label("Find by name, address or username").fill("clara")
    page.keyboard.press("Enter")
    expect(people.get_by_role("row")).to_have_count(2)
    expect(people.get_by_role("row").filter(has_text="clara@members.example")).to_be_visible()
    people.get_by_role("link", name="Left out").click()
    expect(people).to_contain_text("Nobody was found. Check the spelling, or look at the other list.")
    people.get_by_label("Find by name, address or username").fill("")
    page.keyboard.press("Enter")
    expect(people.get_by_role("row").last).to_contain_text("No email address")
    expect(letter_on(page).get_by_text(PARAGRAPH)).to_be_visible()
    check(page, "new-mailing-preview", inside="main")
    fits_a_phone(page)


def letter_on(page):
    return page.frame_locator("iframe[title='The email']")


def stop(page):
    """By keyboard."""
    tab_to(page, page.get_by_role("link", name="Stop sending"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Stop sending for good?")).to_be_visible()
    check(page, "new-mailing-stop", inside="main")
    page.get_by_role("button", name="Yes, stop for good").press("Enter")
    expect(page.get_by_role("heading", name="Sending was stopped")).to_be_focused()


def listed_and_downloaded(page, number):
    """The count of who was sent to is a link to who that is, and these can be downloaded; the addresses in the file."""
    page.get_by_role("definition").get_by_role("link", name=str(number), exact=True).first.press("Enter")
    expect(page.get_by_role("heading", name="Members", level=1)).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(number + 1)
    check(page, "new-mailing-sent", inside="main")
    fits_a_phone(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == "renewal-2027-sent.csv"
    lines = csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig")))
    return {cell for line in lines for cell in line if "@" in cell}


def test_mailing_is_prepared_tested_started_counted_stopped_and_sent_to_the_rest(
    browsers, clock, mailbox, by_hand, mailing_office, club, monkeypatch
):
    monkeypatch.setattr(chunks, "CHUNK", 3)
    page = browsers.open(mailing_office)
    previewed(page, club)
    look_through_the_preview(page)
    page.get_by_role("button", name="Send a test to me").press("Enter")
    expect(page.get_by_text(f"A test is on its way to {mailing_office.email}.")).to_be_visible()
    (test,) = mailbox.take(1)
    assert (test["To"], PARAGRAPH in text_of(test), PARAGRAPH in html_of(test)) == (mailing_office.email, True, True)
    mailbox.empty()

    page.get_by_role("button", name="Send 5 emails").press("Enter")
    expect(page.get_by_role("heading", name="Starts Nov. 23, 2026, 10:30 a.m.")).to_be_visible()
    expect(page.get_by_role("heading", name="Renewal 2027", level=1)).to_be_visible()
    body = page.locator(".member-reset")
    expect(body).to_contain_text("0 of 6 done. You can leave this page; sending starts by itself.")
    expect(body.get_by_role("term").filter(has_text="Started")).to_have_count(0)
    check(page, "new-mailing-waits", inside="main")
    clock.shift(timedelta(hours=1, minutes=31))
    next(mailings.work(Mailing.objects.get()))
    expect(page.get_by_role("heading", name="Sending to 6 members")).to_be_visible(timeout=20_000)
    stop(page)
    # Who has no address may have been among the first, or not.
    mailed = {mail["To"] for mail in mailbox.mails}
    left = 5 - len(mailed)
    expect(body).to_contain_text(f"{len(mailed)} of 6 emails were sent.")
    check(page, "new-mailing-stopped", inside="main")
    fits_a_phone(page)
    assert listed_and_downloaded(page, len(mailed)) == mailed

    page.get_by_role("link", name="Back to the mailing").click()
    page.get_by_role("button", name="Send to the remaining").press("Enter")
    expect(page.get_by_role("heading", name=f"{left} people will get an email")).to_be_visible()
    expect(letter_on(page).get_by_text(PARAGRAPH)).to_be_visible()
    page.get_by_role("button", name=f"Send {left} emails").press("Enter")
    expect(page.get_by_role("heading", name="Sending to 3 members")).to_be_visible()
    for _ in mailings.work(Mailing.objects.latest("pk")):
        pass
    assert sorted(mail["To"].partition("@")[0] for mail in mailbox.take(5)) == ["anna", "ben", "clara", "dora", "emil"]
    expect(page.get_by_role("heading", name=f"Sent to {left} members")).to_be_visible(timeout=20_000)
    page.goto(MAILINGS)
    expect(page.get_by_role("link", name="Renewal 2027").first).to_be_visible()
    check(page, "new-mailing-list", inside="main")
