"""A mailing that pauses by itself at dead addresses: why, how it goes on, and whom the next one leaves out."""

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import expect

from tests.conftest import make_person
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import chunks
from wagtail_member_reset.models import EmailState, Mailing

from .browsers import check, fits_a_phone
from .test_hardship import tab_to
from .test_mailings import NEW

pytestmark = pytest.mark.slow


def one_chunk(mailing, report, *, dead=0):
    """A hundred emails, or the rest of them; the first `dead` of them come back."""
    next(mailings.work(mailing), None)
    sent = mailing.emails.filter(state=EmailState.HANDED_OVER, events=None).order_by("pk")
    for place, email in enumerate(sent):
        report("no_mailbox" if place < dead else "delivered", email)


def test_mailing_pauses_and_says_why_and_a_known_bad_address_is_included_in_the_next(
    browsers, service, by_hand, mailing_office, monkeypatch
):
    monkeypatch.setattr(chunks, "CHUNK", 100)
    club = Group.objects.create(name="Everybody in the club")
    for number in range(110):
        make_person(f"Member{number:03}").groups.add(club)
    page = browsers.open(mailing_office)
    page.goto(NEW)
    page.get_by_role("textbox", name="Name").fill("Renewal 2027")
    page.get_by_label("Members of groups").check()
    page.get_by_label(club.name).check()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Send 110 emails").click()
    expect(page.get_by_role("heading", name="Sending to 110 members")).to_be_visible()

    mailing = Mailing.objects.get()
    one_chunk(mailing, service, dead=8)

    body = page.locator(".member-reset")
    expect(page.get_by_role("heading", name="Sending is paused")).to_be_visible(timeout=20_000)
    expect(body).to_contain_text(
        "Sending was paused automatically: 8 of 100 emails went to addresses that do not exist.", timeout=20_000
    )
    expect(body).to_contain_text("Mail services suspend senders for that.")
    check(page, "protection-paused", inside="main")
    fits_a_phone(page)
    tab_to(page, page.get_by_role("button", name="Resume"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sending to 110 members")).to_be_focused()
    one_chunk(mailing, service)
    one_chunk(mailing, service)
    expect(page.get_by_role("heading", name="Sent to 110 members")).to_be_visible(timeout=20_000)
    expect(body).not_to_contain_text("Sending was paused automatically")
    check(page, "protection-sent", inside="main")

    page.get_by_role("button", name="Resend to those not in yet").click()
    expect(page.get_by_role("heading", name="102 people will get an email")).to_be_visible()
    expect(body).to_contain_text("8 – The address does not exist: an email came back")
    link = "Choose which of the addresses that do not exist to email all the same"
    page.get_by_role("link", name=link).press("Enter")
    somebody = page.get_by_role("group", name="One by one").get_by_role("checkbox").first
    somebody.press("Space")
    check(page, "protection-bounces", inside="main")
    fits_a_phone(page)
    page.get_by_role("button", name="Save and show the preview").press("Enter")
    expect(page.get_by_role("heading", name="103 people will get an email")).to_be_visible()
    expect(body).to_contain_text("Among those who get an email, 1 has an address that is known not to exist.")
    expect(body).to_contain_text("7 – The address does not exist: an email came back")
    check(page, "protection-preview", inside="main")
