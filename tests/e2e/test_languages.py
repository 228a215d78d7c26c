"""Long words and the other direction: German and Arabic on a small screen, for members and for staff."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect
from wagtail.users.models import UserProfile

from wagtail_member_reset import resets
from wagtail_member_reset.outbox.background import sender

from .browsers import check, edit_url, overflow, shoot
from .mailbox import link_in

PHONE = {"width": 320, "height": 800}
# Words as Arabic has them; what a message has to fill in stays.
ARABIC = "كلمة المرور الجديدة لحسابك في الموقع"
OVERFLOW = "(part) => part.scrollWidth - part.clientWidth"


def in_arabic(message):
    holes = re.findall(r"%\(\w+\)[sd]|</?\w+[^>]*>", message)
    words = ARABIC.split()[: max(1, len(message) // 8)]
    return " ".join([*words, *holes]) if holes else " ".join(words)


@pytest.fixture(params=["de", "ar"])
def language(request, languages_of_site, own_catalogue):
    languages_of_site("en", "de", "ar")
    if request.param == "ar":
        own_catalogue("ar", in_arabic)
    return request.param


def direction(page):
    return page.evaluate("getComputedStyle(document.body).direction")


@pytest.mark.slow
def test_members_pages_and_their_email_fit_a_phone_in_each_direction(browsers, mailbox, member, office, language):
    UserProfile.objects.create(user=member, preferred_language=language)
    visitor = browsers.open(viewport=PHONE, locale=language)
    expected = "rtl" if language == "ar" else "ltr"

    for name in ("password_reset", "password_reset_done", "password_reset_set", "password_reset_complete"):
        visitor.goto(reverse(f"wagtail_member_reset:{name}"))
        assert (overflow(visitor), direction(visitor)) == (0, expected), name
        check(visitor, f"phone-{language}-{name}")
    resets.send(member, by=office)
    assert sender.wait()
    (mail,) = mailbox.take(1)
    english = browsers.open(viewport=PHONE)
    english.goto(link_in(mail))
    assert english.evaluate("document.documentElement.lang") == language
    english.locator("#id_new_password1").fill("12345678")
    english.locator("button[type=submit]").click()
    expect(english.get_by_role("alert")).to_be_visible()
    assert (overflow(english), direction(english)) == (0, expected)
    check(english, f"phone-{language}-form-error")
    english.goto("about:blank")  # where no policy of the page before forbids its styles
    english.set_content(mail.get_body(("html",)).get_content())
    assert (overflow(english), direction(english)) == (0, expected)
    shoot(english, f"phone-{language}-email")


@pytest.mark.slow
def test_panel_fits_a_phone_in_each_direction(browsers, mailbox, member, office, language):
    UserProfile.objects.create(user=office, preferred_language=language)
    resets.send(member, by=office)
    assert sender.wait()
    page = browsers.open(office, viewport=PHONE)
    page.goto(edit_url(member))
    theirs = overflow(page)
    page.locator("#tab-label-settings").click()
    panel = page.locator("#member-reset")

    expect(panel).to_be_visible()
    assert overflow(page) <= theirs
    assert panel.evaluate(OVERFLOW) == 0
    assert panel.evaluate("(part) => getComputedStyle(part).direction") == ("rtl" if language == "ar" else "ltr")
    check(page, f"phone-{language}-tab", inside="#member-reset")
