"""No page and no email mixes two languages: where ours is not there, Django's words fall back with it."""

import json
import re
import subprocess
import sys
from datetime import datetime

import django
import pytest
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from wagtail.users.models import UserProfile

from tests.member.conftest import choose, path_of
from wagtail_member_reset import languages, links, moments, outbox, resets
from wagtail_member_reset.models import PasswordReset

from .catalogues import SHIPPED

DONE = "/account/password-reset/sent/"


def read(client, language, path=DONE):
    response = client.get(path, headers={"accept-language": language})
    return response.content.decode(), response["Content-Language"]


def test_probes_are_messages_of_ours():
    with translation.override("es"):
        assert [probe for probe in languages.PROBES if _(probe) == probe] == []


@pytest.mark.parametrize("language", ["de", "fr", "es", "nl", "it"])
def test_shipped_languages_are_spoken(language, languages_of_site):
    languages_of_site("en", language)

    assert languages.spoken(language) == language


def test_page_without_our_words_has_none_of_djangos(client, db, languages_of_site):
    languages_of_site("en", "pl")

    page, header = read(client, "pl")

    assert '<html lang="en" dir="ltr">' in page
    assert header == "en"
    assert "<strong>1\xa0week</strong>" in page


def test_site_s_language_goes_before_english(client, db, settings, languages_of_site):
    settings.LANGUAGE_CODE = "es"
    languages_of_site("en", "es", "pl")

    page, header = read(client, "pl")

    assert ('<html lang="es"' in page, header) == (True, "es")
    assert "1\xa0semana" in page and "Revisa" in page


def test_catalogue_of_the_site_s_own_counts(client, db, languages_of_site, own_catalogue):
    languages_of_site("en", "pl")
    own_catalogue("pl")

    page, header = read(client, "pl")

    assert ('<html lang="pl"' in page, header) == (True, "pl")
    assert "⟦Check your inbox⟧" in page and "tydzień" in page


def test_catalogue_with_a_few_of_our_messages_does_not_count(client, db, languages_of_site, own_catalogue):
    languages_of_site("en", "pl")
    own_catalogue("pl", lambda message: "Hasło" if message == "New password" else "")

    assert read(client, "pl")[1] == "en"


def test_right_to_left_page_says_so(client, db, languages_of_site, own_catalogue):
    languages_of_site("en", "ar")
    own_catalogue("ar")

    assert '<html lang="ar" dir="rtl">' in read(client, "ar")[0]


@pytest.mark.parametrize(
    ("wanted", "site_has", "expected"),
    [
        ("pt-br", ["en", "pt-br", "pt"], "pt"),  # Django's Brazilian words would stand beside our Portuguese ones
        ("pt-br", ["en", "pt-br"], "pt-br"),  # the site's addresses have no other
        ("pt_BR", ["en", "pt-br", "pt"], "pt"),
        ("PT", ["en", "pt"], "pt"),
        ("de-at", ["en", "de"], "de"),
        ("de-at", ["en", "de-at"], "de-at"),  # all words are German, and dates are Austria's
        ("en-gb", ["en", "en-gb"], "en-gb"),
        ("pl", ["en", "pl"], "en"),
        ("pt", ["en"], "en"),  # no longer in LANGUAGES
        ("xx-broke", ["en"], "en"),
        ("x" * 600, ["en"], "en"),
        ("", ["en"], "en"),
        (None, ["en"], "en"),
    ],
)
def test_language_falls_back_to_one_that_is_there(wanted, site_has, expected, languages_of_site, own_catalogue):
    own_catalogue("pt")
    languages_of_site(*site_has)

    assert languages.spoken(wanted) == expected


def test_what_breaks_a_rule_is_said_in_the_language_of_the_page(client, member, sent, languages_of_site):
    languages_of_site("en", "pl")
    reset = sent()
    client.get(path_of(reset))

    page = choose(client, reset, "short", headers={"accept-language": "pl"}).content.decode()

    assert "This password is too short" in page
    assert "at least 8 characters" in page
    assert "hasło" not in page.lower()


@pytest.mark.skipif(django.VERSION[:3] == (5, 2, 0), reason="it fills in one of them before it looks for a translation")
@pytest.mark.parametrize("language", SHIPPED)
def test_each_rule_for_passwords_is_said_in_each_shipped_language(language, languages_of_site):
    said = []
    for each in ("en", language):
        with translation.override(each), pytest.raises(ValidationError) as error:
            validate_password("1")
        with translation.override(each):
            said.append([*error.value.messages, *password_validators_help_texts()])

    english, translated = said
    assert len(english) == len(translated) > 4
    assert [text for text in translated if text in english] == []


@pytest.mark.parametrize("language", ["pl", "xx-broke", "DE", ""])
def test_email_in_a_language_that_is_not_there_is_sent_all_in_one(language, member, mailoutbox, by_hand):
    reset = resets.send(member, by=None)
    PasswordReset.objects.update(language=language)
    reset.emails.update(language=language)

    outbox.drain()

    (mail,) = mailoutbox
    html = mail.alternatives[0][0]
    expected = "de" if language == "DE" else "en"
    assert f'<html lang="{expected}"' in html
    if expected == "en":
        assert re.search(r"until \w+day, \w+\.? \d", mail.body)


ADMIN = [("pl", 'lang="en" dir="ltr"'), ("ar", 'lang="en" dir="ltr"'), ("es", ""), ("en", "")]


@pytest.mark.parametrize(("language", "attributes"), ADMIN)
def test_our_part_of_the_admin_says_its_language_where_it_is_another(
    language, attributes, client, office, member, sent, languages_of_site
):
    sent()
    languages_of_site("en", "es", "pl", "ar")
    UserProfile.objects.create(user=office, preferred_language=language)
    client.force_login(office)

    page = client.get(reverse("wagtailusers_users:edit", args=[member.pk])).content.decode()

    assert re.search(r'<html\b[^>]*?\blang="([a-z]+)"', page)[1] == language
    [box] = re.findall(r'<div\s+id="member-reset"[^>]*?>', page)
    assert (attributes in box, "lang=" in box) == (True, bool(attributes))


def test_dates_of_our_part_are_in_its_language(languages_of_site, settings):
    languages_of_site("en", "es", "pl")
    moment = datetime(2026, 11, 30, 12, 0)  # noqa: DTZ001 - as with USE_TZ = False
    said = {}
    for language in ("pl", "es", "en"):
        with translation.override(language):
            said[language] = moments.date(moment)

    assert said == {"pl": "Nov. 30, 2026", "es": "30 de noviembre de 2026", "en": "Nov. 30, 2026"}


def test_names_stand_apart_in_an_email_from_right_to_left(
    member, mailoutbox, by_hand, languages_of_site, own_catalogue
):
    languages_of_site("en", "ar")
    own_catalogue("ar")
    UserProfile.objects.create(user=member, preferred_language="ar")

    resets.send(member, by=None)
    outbox.drain()

    (mail,) = mailoutbox
    link = resets.link(PasswordReset.objects.get())
    assert "\u2068Mia\u2069" in mail.body and "\u2068Example Club\u2069" in mail.subject
    assert f"\n{link}\n" in mail.body
    assert '<html lang="ar" dir="rtl">' in mail.alternatives[0][0]


def test_addresses_on_a_page_stay_those_of_the_reader_s_language(client, db, settings, languages_of_site):
    settings.ROOT_URLCONF = "tests.languages.prefixed_urls"
    languages_of_site("ja", "pl")
    settings.LANGUAGE_CODE = "ja"

    page = client.get("/pl/account/password-reset/sent/").content.decode()
    asked = client.post("/pl/account/password-reset/", {"email": "x@members.example"})

    assert '<html lang="en"' in page
    assert 'href="/pl/account/password-reset/"' in page
    assert asked["Location"] == "/pl/account/password-reset/sent/"


def test_whether_a_language_is_there_is_read_once(languages_of_site, own_catalogue, monkeypatch):
    languages_of_site("en", "pl")
    own_catalogue("pl")
    languages.spoken("pl")
    monkeypatch.setattr(languages, "_is_there", None)

    assert languages.spoken("pl") == "pl"


def test_link_with_a_language_that_is_not_the_site_s_has_the_site_s_path(settings, languages_of_site):
    settings.ROOT_URLCONF = "tests.languages.prefixed_urls"
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example"
    languages_of_site("en", "pt-br")

    paths = {code: links.page_url("password_reset", site=None, language=code) for code in ("pt_BR", "fr", "", "xx")}

    assert paths == {
        "pt_BR": "https://club.example/pt-br/account/password-reset/",
        **dict.fromkeys(("fr", "", "xx"), "https://club.example/en/account/password-reset/"),
    }


@pytest.mark.parametrize("language", ["de", "ar"])
def test_site_that_translates_nothing_is_english_throughout(language):
    # Django 6.1 without MAILERS: the older settings, which our suite runs with on purpose.
    strict = ["-W", "error", "-W", "ignore:The EMAIL_BACKEND setting is deprecated"]
    command = [sys.executable, *strict, "-m", "tests.languages.untranslated", language]
    done = subprocess.run(command, check=False, cwd=settings.ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr[-2000:]) == (0, "")

    said = json.loads(done.stdout)
    assert said["header"] == "en"
    for part in ("page", "html"):
        assert '<html lang="en" dir="ltr">' in said[part]
    # As Wagtail itself calls the page by the site's language, ours says that it is another.
    assert 'lang="en" dir="ltr"' in said["tab"]
    assert "Check your inbox" in said["page"]
    for part in ("text", "html"):
        assert re.search(r"\w+day, \w+\.? \d+, \d{4}, [\w:]+ (a\.m\.|p\.m\.)", said[part])
    assert re.search(r"\w+\.? \d+, \d{4}, [\w:]+ (a\.m\.|p\.m\.)", said["tab"])
