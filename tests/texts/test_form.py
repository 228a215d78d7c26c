"""The form: drafts may be incomplete, and what is published is fit to be mailed."""

import re
from dataclasses import asdict

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Revision, Site

from tests.conftest import grant, make_person
from tests.texts.conftest import PREFIX, words_of
from wagtail_member_reset import resets
from wagtail_member_reset.models import EmailText
from wagtail_member_reset.staff.email_text_words import problem_of_published
from wagtail_member_reset.texts import FIELDS, default_words

pytestmark = pytest.mark.django_db

LINKED = ["welcome", "reset", "reminder"]
NOTICES = ["password_changed", "address_changed"]


@pytest.fixture
def editor(admin, client):
    client.force_login(admin)
    return admin


@pytest.fixture
def save(client, editor):
    """`save(text, body="…")` posts the form as an editor would; `action="publish"` publishes."""

    def post(text, *, action="", **fields):
        data = {**words_of(text), **fields}
        if action:
            data[f"action-{action}"] = "1"
        return client.post(f"{PREFIX}edit/{text.pk}/", data)

    return post


def latest(text):
    text.refresh_from_db()
    return text.get_latest_revision_as_object()


def test_new_text_begins_with_the_default(client, editor):
    answer = client.post(f"{PREFIX}add/", {"purpose": "welcome", "language": "de"})

    text = EmailText.objects.get()
    assert answer["Location"] == f"{PREFIX}edit/{text.pk}/"
    assert not text.live
    default = default_words("welcome", "de")
    assert words_of(latest(text)) == {field: getattr(default, field) for field in FIELDS}


def test_second_text_for_the_same_email_is_refused(client, editor, written):
    there = written("welcome", "de")

    answer = client.post(f"{PREFIX}add/", {"purpose": "welcome", "language": "de"})

    assert list(answer.context["form"].errors) == ["purpose"]
    assert "There is a text for this email already" in answer.content.decode()
    assert f'<a href="{PREFIX}edit/{there.pk}/">Edit that one</a>' in answer.content.decode()
    assert EmailText.objects.count() == 1


@pytest.mark.parametrize("missing", ["purpose", "language"])
def test_new_text_is_of_an_email_in_a_language(client, editor, missing):
    data = {"purpose": "welcome", "language": "de"}
    del data[missing]

    client.post(f"{PREFIX}add/", data)

    assert not EmailText.objects.exists()


def test_page_of_a_text_shows_the_default_and_offers_a_test(client, editor, written):
    page = client.get(f"{PREFIX}edit/{written('welcome').pk}/").content.decode()

    assert "An account has been made for you at {site_name}" in page
    assert "Send me a test" in page
    assert "{support_contact}" in page


@pytest.mark.parametrize("purpose", LINKED + NOTICES)
def test_default_text_may_be_published(save, written, purpose):
    text = written(purpose, live=False)

    save(text, action="publish")

    text.refresh_from_db()
    assert text.live


def test_draft_changes_nothing_that_is_mailed(save, written):
    text = written("welcome")

    save(text, body="Something new\n\n{link}")

    text.refresh_from_db()
    assert text.body == default_words("welcome", "en").body
    assert latest(text).body == "Something new\n\n{link}"


def test_draft_may_be_incomplete(save, written):
    text = written("welcome")

    save(text, body="{link.__class__", subject="")

    assert (latest(text).body, latest(text).subject) == ("{link.__class__", "")


@pytest.mark.parametrize("action", ["", "publish"])
@pytest.mark.parametrize("body", ["é" * 10_001, "{" * 1_000_000], ids=["20 kB", "1 MB"])
def test_no_text_may_be_long(save, written, action, body):
    text = written("welcome")

    answer = save(text, action=action, body=body)

    assert "may have 20 kB" in answer.content.decode()
    assert not Revision.objects.for_instance(text).exists()


@pytest.mark.parametrize("action", ["", "publish"])
@pytest.mark.parametrize("field", FIELDS)
def test_personal_link_of_somebody_is_kept_in_no_draft(save, written, member, admin, action, field):
    text = written("welcome")
    link = resets.link(resets.send(member, by=admin))

    answer = save(text, action=action, **{field: f"{getattr(text, field)} {link}"})

    assert "This is a personal link" in answer.content.decode()
    assert not Revision.objects.for_instance(text).exists()


REFUSED = [
    ("welcome", {"body": "No way in"}, "Put {link} where the personal link belongs"),
    ("welcome", {"body": "{link} {link.__class__}"}, "“{link.__class__}” is not a placeholder"),
    ("welcome", {"body": "{link} {0}"}, "“{0}” is not a placeholder"),
    ("welcome", {"body": "{link} {}"}, "“{}” is not a placeholder"),
    ("welcome", {"body": "{ link }"}, "“{ link }” is not a placeholder"),
    ("welcome", {"body": "{link} {{ settings.SECRET_KEY }}"}, "is not a placeholder"),
    ("welcome", {"body": "{link} {% include 'x' %}"}, "is not a placeholder"),
    ("welcome", {"body": "{link} }"}, "“}” is not a placeholder"),
    ("welcome", {"footer": "{link}"}, "{link} belongs in the body only"),
    ("welcome", {"subject": "{link}"}, "{link} belongs in the body only"),
    ("welcome", {"body": "{link} [free](https://evil.example/)"}, "is not a page of this site"),
    ("welcome", {"body": "{link} [free](//evil.example/)"}, "is not a page of this site"),
    ("welcome", {"body": "{link} [free](javascript:alert)"}, "is not a page of this site"),
    ("welcome", {"body": "{link} [free](javascript:alert(1))"}, "A link is broken"),
    ("welcome", {"body": "{link} visit https://evil.example/"}, "is not a page of this site"),
    ("welcome", {"body": "{link} visit www.evil.example"}, "is not a page of this site"),
    ("welcome", {"body": "{link} \u202eevil"}, "U+202E"),
    ("welcome", {"body": "{link} \x07"}, "U+0007"),
    ("welcome", {"body": "{link} \ue000"}, "U+E000"),
    ("welcome", {"subject": "Two\nlines"}, "Keep this on one line"),
    ("welcome", {"subject": ""}, "Write something here"),
    ("welcome", {"subject": "{first_name}"}, "some members have no name"),
    ("welcome", {"button": ""}, "Write something here"),
    ("password_changed", {"body": "Changed: {link}"}, "{link} cannot be used here"),
    ("password_changed", {"body": "Changed: {valid_until}"}, "{valid_until} cannot be used here"),
    ("address_changed", {"body": "{first_name}, it changed"}, "{first_name} cannot be used here"),
    ("address_changed", {"body": "{username}, it changed"}, "{username} cannot be used here"),
]


@pytest.mark.parametrize(("purpose", "fields", "reason"), REFUSED)
def test_publishing_what_is_not_fit_is_refused_with_the_reason_and_changes_nothing(
    client, save, written, purpose, fields, reason
):
    text = written(purpose)
    before = words_of(text)

    answer = save(text, action="publish", **fields)

    page = answer.content.decode().replace("&#x27;", "'")
    assert reason in page
    text.refresh_from_db()
    assert words_of(text) == before
    assert not Revision.objects.for_instance(text).exists()


def test_rights_are_those_of_wagtail(client, written):
    text = written("welcome")
    person = grant(make_person("Eva", password="x", is_staff=True), "access_admin")
    client.force_login(person)

    assert client.get(f"{PREFIX}edit/{text.pk}/").status_code == 302
    codes = Permission.objects.filter(content_type__model="emailtext").values_list("codename", flat=True)
    assert {"add_emailtext", "change_emailtext", "delete_emailtext", "publish_emailtext"} <= set(codes)
    grant(person, "change_emailtext")
    assert client.get(f"{PREFIX}edit/{text.pk}/").status_code == 200


def test_list_says_which_email_language_and_state(client, editor, written):
    written("welcome", "de")

    page = client.get(PREFIX).content.decode()

    for word in ("Welcome (German)", "German", "All sites", "live"):
        assert word in page


def test_pages_that_wagtail_has_for_snippets_work(client, editor, save, written):
    text = written("welcome")
    save(text, body="One\n\n{link}")
    save(text, body="Two\n\n{link}", action="publish")
    first, second = text.revisions.order_by("pk")

    for page in (
        f"history/{text.pk}/",
        f"history/{text.pk}/revisions/{first.pk}/revert/",
        f"history/{text.pk}/revisions/{first.pk}/view/",
        f"history/{text.pk}/revisions/compare/{first.pk}...{second.pk}/",
        f"unpublish/{text.pk}/",
        f"delete/{text.pk}/",
        "add/",
        "results/",
    ):
        assert client.get(PREFIX + page).status_code == 200, page


def test_text_that_is_withdrawn_leaves_the_default(client, editor, written):
    text = written("welcome")

    client.post(f"{PREFIX}unpublish/{text.pk}/")

    text.refresh_from_db()
    assert not text.live


def test_who_may_not_publish_writes_drafts(client, written):
    text = written("welcome")
    person = grant(make_person("Eva", password="x", is_staff=True), "access_admin", "change_emailtext")
    client.force_login(person)

    client.post(f"{PREFIX}edit/{text.pk}/", {**words_of(text), "heading": "New", "action-publish": "1"})

    assert latest(text).heading == "New"
    assert text.heading != "New"


def test_email_of_a_text_stays_what_it_is(save, written):
    text = written("welcome", "de")

    save(text, purpose="reset", language="en", site="1", key="x", action="publish")

    text.refresh_from_db()
    assert (text.purpose, text.language, text.site, text.key) == ("welcome", "de", None, "welcome:de:")


def test_site_is_asked_for_where_there_are_several(client, editor):
    assert 'name="site"' not in client.get(f"{PREFIX}add/").content.decode()
    other = Site.objects.create(hostname="rowers.example", root_page=Site.objects.get().root_page)

    for site in ("", other.pk):
        client.post(f"{PREFIX}add/", {"purpose": "welcome", "language": "de", "site": site})

    assert set(EmailText.objects.values_list("key", flat=True)) == {"welcome:de:", f"welcome:de:{other.pk}"}


def test_two_at_once_write_one_text(client, editor, written, monkeypatch):
    """As if a colleague had been faster than the form could see."""
    written("welcome", "de")
    monkeypatch.setattr(EmailText.objects, "filter", lambda **_query: EmailText.objects.none())

    answer = client.post(f"{PREFIX}add/", {"purpose": "welcome", "language": "de"})

    assert "There is a text for this email already" in answer.content.decode()
    assert EmailText.objects.count() == 1


def test_draft_that_is_incomplete_says_nothing_about_the_sound_text_that_is_published(save, client, written):
    text = written("welcome")
    save(text, body="No link yet")

    draft = client.get(f"{PREFIX}edit/{text.pk}/").content.decode()
    refused = save(text, body="No link", action="publish").content.decode()

    assert "Put {link} where" in refused
    assert not [page for page in (draft, refused) if "emails have the default text" in page]


def test_page_of_a_published_text_that_is_not_used_says_why(save, client, written):
    text = written("welcome", body="No link")
    save(text, body="A sound draft.\n\n{link}")

    page = client.get(f"{PREFIX}edit/{text.pk}/").content.decode()

    assert "What is published is not used: emails have the default text." in page
    assert "Body – Put {link} where the personal link belongs" in page
    assert "publish it again to see why" not in page


def test_page_of_a_published_text_says_that_its_language_is_gone(client, editor, written, settings):
    text = written("welcome", "de")
    settings.LANGUAGES = [("en", "English")]

    assert "This site no longer has the language." in client.get(f"{PREFIX}edit/{text.pk}/").content.decode()


def test_heading_says_that_the_plain_text_is_without(client, editor, written):
    page = client.get(f"{PREFIX}edit/{written('welcome').pk}/").content.decode()

    assert "The part in plain text has no heading." in page


def test_list_says_which_published_text_is_not_used(client, editor, written):
    written("welcome", body="No link")

    assert "Not used: emails have the default text" in client.get(PREFIX).content.decode()


def test_list_says_that_a_text_in_a_language_without_translation_is_not_used(
    client, editor, written, languages_of_site
):
    languages_of_site("en", "pl")
    EmailText.objects.create(purpose="reset", language="pl", live=True, **words_of(written("welcome")))

    assert "there is no translation of the emails into this language" in client.get(PREFIX).content.decode()


def test_only_languages_that_emails_may_be_in_are_offered(client, editor, languages_of_site):
    languages_of_site("en", "de", "de-at", "pl")

    page = client.get(f"{PREFIX}add/").content.decode()
    client.post(f"{PREFIX}add/", {"purpose": "reset", "language": "pl"})

    offered = [code for code in ("en", "de", "de-at", "pl") if f'<option value="{code}"' in page]
    assert offered == ["en", "de", "de-at"]
    assert not EmailText.objects.exists()


def test_english_is_offered_where_it_stands_in_for_a_language_of_the_site(client, editor, languages_of_site, settings):
    languages_of_site("pl")
    settings.LANGUAGE_CODE = "pl"

    client.post(f"{PREFIX}add/", {"purpose": "reset", "language": "en"})

    EmailText.objects.update(live=True, **asdict(default_words("reset", "en")))
    assert problem_of_published(EmailText.objects.get()) == ""


def test_long_list_asks_no_more_than_a_short_one(client, editor, written, settings):
    """But for what Wagtail asks of each row, for its last revision."""
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French"), ("es", "Spanish")]
    site = Site.objects.get()
    body = "Come in.\n\n{link}\n\n[Our rules](https://club.example/rules/)"

    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PREFIX).status_code == 200
        return len([query for query in queries if "wagtailcore_revision" not in query["sql"]])

    written("welcome", site=site, body=body)
    short = [asked(), asked()][1]
    for purpose in LINKED:
        for language in ("de", "fr", "es"):
            written(purpose, language, site=site, body=body)

    assert asked() == short


DEFAULT_IS_USED = "Emails have this text as long as none of yours is published."


def test_default_text_is_called_used_where_it_is(client, editor, written):
    text = written("welcome", "de", live=False)
    written("welcome", "de", site=Site.objects.get(), body="Not fit {oops}")
    written("reset", "de")

    assert DEFAULT_IS_USED in client.get(f"{PREFIX}edit/{text.pk}/").content.decode()


def test_draft_of_a_site_says_that_its_emails_have_the_text_for_all_sites(client, editor, written):
    everywhere = written("welcome")
    text = written("welcome", site=Site.objects.get(), live=False)

    page = client.get(f"{PREFIX}edit/{text.pk}/").content.decode()

    assert DEFAULT_IS_USED not in page
    assert f'<a href="{PREFIX}edit/{everywhere.pk}/">Welcome (English), All sites</a>' in page
    assert "An account has been made for you at {site_name}" in page


def test_page_keeps_the_fields_as_wagtail_has_them_and_offers_each_its_placeholders(client, editor, written):
    page = client.get(f"{PREFIX}edit/{written('welcome', 'de').pk}/").content.decode()

    [body] = re.findall(r'<textarea[^>]*name="body"[^>]*>', page)
    assert ('data-controller="w-autosize"' in body, 'lang="de"' in body, 'id="id_body"' in body) == (True,) * 3
    offered = {
        field: re.findall(r'text-param="([^"]+)"', buttons)
        for field, buttons in re.findall(r'text-field-value="id_(\w+)">(.*?)</div>', page, re.DOTALL)
    }
    assert {field: len(names) for field, names in offered.items()} == {
        "subject": 4,
        "heading": 4,
        "body": 7,
        "button": 2,
        "footer": 5,
    }


def test_unfit_text_of_a_site_names_the_text_that_its_emails_have(client, editor, written):
    everywhere = written("welcome")
    text = written("welcome", site=Site.objects.get(), body="No link")

    listed, page = (client.get(f"{PREFIX}{path}").content.decode() for path in ("", f"edit/{text.pk}/"))

    assert "Not used: emails have “Welcome (English), All sites” instead." in listed
    link = f'<a href="{PREFIX}edit/{everywhere.pk}/">Welcome (English), All sites</a>'
    assert f"What is published is not used: emails have {link} instead." in page
    assert "emails have the default text" not in listed + page
