"""An editor's own words for an email: written with the preview beside, tested, published, and mailed."""

import re

import pytest
from playwright.sync_api import expect
from wagtail.users.models import UserProfile

from tests.conftest import make_person
from wagtail_member_reset import mailings, resets
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import EmailText
from wagtail_member_reset.outbox.background import sender

from .browsers import check, fits_a_phone
from .mailbox import html_of, link_in, text_of

pytestmark = pytest.mark.slow

HEARTY = "Schön, dass du da bist!"
# Of the card that an email stands on, in the dark.
DARK = "rgb(32, 34, 43)"
BODY = f"Hallo {{first_name}},\n\n{HEARTY} **Wähle** ein Passwort:\n\n{{link}}\n\nMehr steht [hier](/hilfe/)."


@pytest.fixture
def languages(settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French")]
    # Wagtail 8 saves while its preview does, and the suite's SQLite lets only one of them write.
    settings.WAGTAIL_AUTOSAVE_INTERVAL = 0


def member_who_reads(language, name):
    person = make_person(name)
    # Not looked for first: the server may be writing, and SQLite lets nobody write who has read before that.
    UserProfile.objects.create(user=person, preferred_language=language)
    return person


def new_text(page):
    """From the menu to the form, which begins with the default text."""
    page.goto("/admin/")
    page.get_by_role("button", name="Member sign-in").click()
    page.get_by_role("link", name="Email texts").click()
    expect(page.get_by_role("heading", name="Email texts")).to_be_attached()
    page.get_by_role("link", name="Add email text").click()
    page.get_by_label("Email", exact=False).first.wait_for()
    page.locator("#id_purpose").select_option("welcome")
    page.locator("#id_language").select_option("de")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#id_body")).to_have_value(re.compile(r"\{link\}"))


def preview_of(page):
    return page.frame_locator(".w-preview__iframe, iframe[title='Preview']").first


def publish(page):
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish").click()


def test_placeholders_and_the_default_text_are_one_click_away(browsers, admin, languages):
    page = browsers.open(admin)
    new_text(page)
    default = page.locator("#id_body").input_value()
    body = page.locator("#id_body")

    body.fill("Hello ")
    page.locator("[data-member-reset-text-field-value=id_body]").get_by_text("{first_name}").click()
    expect(body).to_have_value("Hello {first_name}")
    expect(body).to_be_focused()
    page.keyboard.type("!")
    expect(body).to_have_value("Hello {first_name}!")

    expect(page.locator(".member-reset__default")).to_contain_text("Ihr Konto bei {site_name} ist eingerichtet.")
    page.get_by_role("button", name="Start from the default text").click()
    expect(body).to_have_value(default)
    check(page, "email-text-default", inside="main")
    fits_a_phone(page)


def test_enter_in_a_field_saves_the_draft_and_sends_no_test(browsers, mailbox, admin, languages):
    page = browsers.open(admin)
    new_text(page)

    page.locator("#id_subject").fill("Ihr Konto")
    page.locator("#id_subject").press("Enter")

    expect(page.get_by_text("updated.")).to_be_visible()
    expect(page.locator("#id_subject")).to_have_value("Ihr Konto")
    assert mailbox.mails == []


def test_preview_is_looked_at_in_the_dark_and_as_text(browsers, admin, languages):
    page = browsers.open(admin)
    new_text(page)
    page.get_by_role("button", name="Toggle preview").click()
    expect(preview_of(page).get_by_text("Guten Tag Zoë,")).to_be_visible()

    for mode, name in (("dark", "dark"), ("text", "text")):
        page.get_by_label("Preview mode").select_option(mode)
        frame = preview_of(page)
        if mode == "dark":
            expect(frame.locator(".card")).to_have_css("background-color", DARK)
        else:
            expect(frame.locator("pre")).to_be_visible()
        expect(frame.get_by_text("example-only").first).to_be_visible()
        check(page, f"email-text-preview-{name}", inside="main")


def test_editor_changes_the_german_welcome_and_only_german_members_get_it(browsers, mailbox, admin, languages, site):
    page = browsers.open(admin)
    new_text(page)
    check(page, "email-text", inside="main")

    page.locator("#id_body").fill(BODY)
    page.get_by_role("button", name="Toggle preview").click()
    expect(preview_of(page).get_by_text(HEARTY)).to_be_visible()
    expect(preview_of(page).get_by_text("Hallo Zoë,")).to_be_visible()
    check(page, "email-text-preview", inside="main")

    page.locator("#id_body").fill(BODY + " {oops}")
    expect(preview_of(page).get_by_text("“{oops}” is not a placeholder")).to_be_visible()
    publish(page)
    field = page.locator(".w-field").filter(has=page.locator("#id_body"))
    expect(field).to_contain_text("“{oops}” is not a placeholder")
    check(page, "email-text-refused", inside="main")
    assert not EmailText.objects.filter(live=True).exists()

    page.locator("#id_body").fill(BODY)
    page.get_by_role("button", name="Send me a test").click()
    expect(page.get_by_text("A test is on its way")).to_be_visible()
    expect(page.locator("#id_body")).to_have_value(BODY)
    (test,) = mailbox.take(1)
    assert test["To"] == admin.email
    assert HEARTY in text_of(test)
    assert link_in(test).endswith("example-only/") or "example-only" in link_in(test)

    publish(page)
    expect(page.get_by_text("updated and published")).to_be_visible()
    check(page, "email-texts", inside="main")
    fits_a_phone(page)

    # A page of the admin tells the server now and then that it is open.
    page.goto("/members/")
    german, french = member_who_reads("de", "Greta"), member_who_reads("fr", "Florence")
    for number, person in enumerate((german, french), 2):
        resets.send(person, by=admin, purpose=resets.Purpose.WELCOME)
        mailbox.take(number)
        sender.wait()  # it writes down what became of the email
    in_german, in_french = mailbox.mails[1:]
    assert f"Hallo Greta,\n\n{HEARTY} Wähle ein Passwort:" in text_of(in_german)
    assert f"{HEARTY} <strong>Wähle</strong>" in html_of(in_german)
    assert f'href="{site.url}/hilfe/"' in html_of(in_german)
    assert HEARTY not in text_of(in_french)

    others = [member_who_reads("de", "Gerd"), member_who_reads("fr", "Fabien")]
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(each.pk for each in others)), by=None)
    mailings.start(mailing)
    told = {mail["To"]: text_of(mail) for mail in mailbox.take(5)[3:]}
    sender.wait()
    assert [HEARTY in told[each.email] for each in others] == [True, False]
