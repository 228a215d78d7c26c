"""What editors see and get before anything is published: the preview, and a test to themselves."""

import re
import subprocess
import sys
from datetime import timedelta
from functools import partial

import pytest
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry, Site
from wagtail.users.models import UserProfile

from tests.conftest import grant, make_person
from tests.texts.conftest import PREFIX, words_of
from wagtail_member_reset import audit, tokens
from wagtail_member_reset.models import EmailText, SiteSender
from wagtail_member_reset.outbox import sample
from wagtail_member_reset.staff.email_text_test import WANTED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

# A test is sent after the commit, and the page says what came of it.
COMMITS = pytest.mark.django_db(transaction=True, serialized_rollback=True)
BODY = "Hi {first_name} ({username}),\n\nour own words.\n\n{link}"


@pytest.fixture
def editor(admin, client):
    client.force_login(admin)
    return admin


@pytest.fixture
def preview(client, editor):
    """`preview(text, mode="dark", body="…")`: what the panel shows while somebody types."""

    def get(text, *, mode="html", **fields):
        url = f"{PREFIX}preview/{text.pk}/"
        answer = client.post(url, {**words_of(text), **fields})
        assert answer.json() == {"is_valid": True, "is_available": True}
        return client.get(url, {"mode": mode, "in_preview_panel": "true"})

    return get


def test_preview_shows_what_is_typed_for_a_sample_member(preview, written):
    answer = preview(written("welcome", live=False), body=BODY, subject="Come, {first_name}")

    page = answer.content.decode()
    assert "Come, Zoë" in page
    assert "Hi Zoë (<bdi>zoë.müller</bdi>)," in page
    assert answer["X-Frame-Options"].upper() == "SAMEORIGIN"
    assert not EmailText.objects.filter(live=True).exists()


def test_link_of_the_preview_opens_nothing(preview, written):
    page = preview(written("welcome")).content.decode()

    assert set(re.findall(r'href="([^"]+)"', page)) == {f"https://club.example/account/r/{tokens.NO_TOKEN}"}


def test_preview_has_the_text_part(preview, written):
    page = preview(written("welcome"), mode="text", body=BODY).content.decode()

    assert "<pre" in page
    assert "Hi Zoë (zoë.müller),\n\nour own words.\n\nhttps://club.example/account/r/example-only" in page


def test_preview_is_dark_in_the_dark_mode_and_light_in_the_other(preview, written):
    text = written("welcome")

    assert "@media all {" in preview(text, mode="dark").content.decode()
    assert "@media not all {" in preview(text).content.decode()


@pytest.mark.parametrize("mode", ["html", "dark", "text"])
@pytest.mark.parametrize(
    "fields",
    [
        {"body": ""},
        {"body": "{link", "subject": ""},
        {"body": "{% include 'x' %} {{ settings.SECRET_KEY }} {link.__class__}"},
        {"body": "<script>alert(1)</script>{link}{oops}"},
        {"body": "[x](https://evil.example/) {link}"},
        {"body": "\u202e{link}"},
        {"body": "\ue000mrslot-link\ue001 {link}"},
        {"subject": "mrslot-", "heading": "", "button": "", "footer": "}"},
    ],
)
def test_incomplete_draft_is_previewed_with_what_is_wrong(preview, written, mode, fields):
    answer = preview(written("welcome"), mode=mode, **fields)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Not fit to be published yet:" in page
    assert "<script" not in page
    assert 'evil.example/"' not in page


@pytest.mark.parametrize("purpose", ["reset", "reminder", "password_changed", "address_changed"])
def test_every_email_has_a_preview(preview, written, purpose):
    page = preview(written(purpose)).content.decode()

    assert "Not fit" not in page
    assert ("Zoë" in page) == (purpose != "address_changed")


def test_preview_shows_where_the_paragraph_of_a_mailing_stands(preview, written):
    page = preview(written("welcome"), body="A\n\n{paragraph}\n\n{link}").content.decode()

    assert "Here is the paragraph of a mailing." in page


@pytest.fixture
def ask_for_test(client, editor, django_capture_on_commit_callbacks):
    """`ask_for_test(text, body="…")`: what the button posts, which is the form with the wish for a test."""

    def post(text, **fields):
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(f"{PREFIX}edit/{text.pk}/", {**words_of(text), WANTED: "1", **fields})

    return post


def mail_test(client, text):
    answer = client.post(f"{PREFIX}edit/{text.pk}/", {**words_of(text), WANTED: "1"}, follow=True)
    return answer.content.decode().replace("&#x27;", "'")


def test_test_is_of_what_is_typed_and_saves_it_as_a_draft(ask_for_test, editor, written, mailoutbox):
    text = written("welcome", body="Published.\n\n{link}")
    typed = {"body": "Hi {first_name},\n\n{link}", "subject": "Come, {first_name}"}

    answer = ask_for_test(text, **typed, to="eve@evil.example")

    assert answer["Location"] == f"{PREFIX}edit/{text.pk}/"
    text.refresh_from_db()
    assert text.body == "Published.\n\n{link}"
    assert text.get_latest_revision_as_object().body == typed["body"]
    (mail,) = mailoutbox
    assert mail.recipients() == [editor.email]
    assert mail.subject == "Test: Come, Ana"
    assert mail.body.startswith("Hi Ana")
    assert f"/account/r/{tokens.NO_TOKEN}\n" in mail.body
    assert ModelLogEntry.objects.filter(action="wagtail_member_reset.test_text").count() == 1


@COMMITS
def test_page_says_what_became_of_the_test(client, editor, written):
    text = written("welcome")

    assert f"A test is on its way to {editor.email}." in mail_test(client, text)


def test_who_may_not_edit_gets_no_test(client, ask_for_test, written, mailoutbox):
    text = written("welcome")
    client.force_login(grant(make_person("Vera", password="x", is_staff=True), "access_admin", "view_emailtext"))

    ask_for_test(text)

    assert (text.revisions.count(), mailoutbox) == (0, [])


def test_tests_of_texts_and_of_mailings_have_one_limit(ask_for_test, written, mailoutbox, monkeypatch):
    monkeypatch.setattr(sample, "MOST_TESTS", 2)
    text = written("welcome")

    for _ in range(3):
        ask_for_test(text)

    assert len(mailoutbox) == 2


@pytest.fixture
def eddie(client):
    """An editor who may write drafts and publish nothing."""
    person = grant(make_person("Eddie", is_staff=True), "access_admin", "change_emailtext")
    client.force_login(person)
    return person


@COMMITS
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"body": "Confirm: https://evil.example/login"}, "is not a page of this site"),
        ({"body": "evil.com/{link}"}, "Leave a space before and after {link}"),
        ({"subject": "evil.com"}, "reads like an address"),
        ({"footer": "\u202ex"}, "U+202E"),
        ({"body": "{oops}"}, "is not a placeholder"),
    ],
)
def test_draft_that_leads_elsewhere_is_not_even_mailed_as_a_test(client, eddie, written, mailoutbox, fields, reason):
    text = written("reset", live=False, **fields)

    page = mail_test(client, text)

    assert "No test was sent, since this text must not be mailed." in page
    assert reason in page
    assert mailoutbox == []
    assert not ModelLogEntry.objects.filter(action="wagtail_member_reset.test_text").exists()


@COMMITS
def test_draft_with_missing_parts_is_mailed_as_a_test(client, eddie, written, mailoutbox):
    mail_test(client, written("reset", live=False, subject="", body="Hi", button=""))

    assert len(mailoutbox) == 1


def change_own_address(client, person, address):
    names = {"name_email-first_name": "Your", "name_email-last_name": "Bank", "name_email-email": address}
    locale = {"locale-preferred_language": "", "locale-current_time_zone": "UTC"}
    theme = {"theme-theme": "system", "theme-contrast": "system", "theme-density": "default"}
    client.post("/admin/account/", {**names, **locale, **theme})
    person.refresh_from_db()
    assert person.email == address


@COMMITS
@pytest.mark.parametrize("former", ["eddie@club.example", ""])
def test_no_test_goes_to_an_own_address_that_is_new(client, eddie, written, mailoutbox, former):
    type(eddie).objects.filter(pk=eddie.pk).update(email=former)
    text = written("reset")
    change_own_address(client, eddie, "victim@bank.example")
    mailoutbox.clear()

    page = mail_test(client, text)

    assert "your address was changed within the last 24 hours" in page
    assert mailoutbox == []


@COMMITS
def test_test_goes_to_a_changed_address_a_day_later(client, eddie, written, mailoutbox):
    change_own_address(client, eddie, "eddie@new.example")
    ModelLogEntry.objects.update(timestamp=timezone.now() - timedelta(hours=25))
    mailoutbox.clear()

    mail_test(client, written("reset"))

    assert [mail.to for mail in mailoutbox] == [["eddie@new.example"]]


def test_test_of_a_text_has_the_sender_of_its_site(ask_for_test, written, mailoutbox):
    SiteSender.objects.create(site=Site.objects.get(), from_name="Rowing", reply_to="office@club.example")

    ask_for_test(written("reset"))

    (mail,) = mailoutbox
    assert mail.from_email.startswith('"Rowing" <')
    assert mail.reply_to == ["office@club.example"]


def test_tests_at_once_never_exceed_the_limit(editor, written, monkeypatch):
    """As if a second click was answered while the first is being written down."""
    text, answers = written("welcome"), []
    ask = partial(audit.note_test, text, by=editor, period=timedelta(hours=1), most=1)
    write = audit.log

    def write_beside(**details):
        monkeypatch.setattr(audit, "log", write)
        entry = write(**details)
        answers.append(ask())
        return entry

    monkeypatch.setattr(audit, "log", write_beside)
    answers.append(ask())

    assert answers == [False, True]
    assert ModelLogEntry.objects.filter(action="wagtail_member_reset.test_text").count() == 1


def test_saving_a_draft_sends_no_test(client, editor, written, mailoutbox):
    text = written("welcome")

    client.post(f"{PREFIX}edit/{text.pk}/", words_of(text))

    assert (text.revisions.count(), mailoutbox) == (1, [])


def test_test_of_what_cannot_be_saved_is_refused_and_sends_nothing(ask_for_test, written, mailoutbox):
    text = written("welcome")

    answer = ask_for_test(text, body="x" * 20_001)

    assert "This text is too long" in answer.content.decode()
    assert (mailoutbox, text.revisions.count()) == ([], 0)


@pytest.mark.parametrize("name", ["Mia 👩‍💻", "Mia\r\nBcc: eve@evil.example", "Mia\u202e", "www.evil.example", "DE89"])
def test_test_in_any_name_is_one_mail_to_its_address(client, ask_for_test, written, mailoutbox, name):
    editor = make_person("Ned", first_name=name, password="x", is_superuser=True, is_staff=True)
    client.force_login(editor)

    ask_for_test(written("welcome", subject="Hi {first_name}!"))

    (mail,) = mailoutbox
    assert mail.recipients() == [editor.email]
    assert "\n" not in mail.subject
    assert "evil" not in mail.subject + mail.body


def test_colleague_sees_what_is_wrong_in_their_own_language(client, editor, written, settings):
    settings.LANGUAGES = [("en", "English"), ("ar", "Arabic")]
    UserProfile.objects.update_or_create(user=editor, defaults={"preferred_language": "ar"})
    text = written("welcome")

    client.post(f"{PREFIX}preview/{text.pk}/", {**words_of(text), "body": ""})
    page = client.get(f"{PREFIX}preview/{text.pk}/", {"mode": "text"}).content.decode()

    assert '<html lang="ar">' in page


def test_menu_has_the_texts_for_who_may_edit_them(client, editor):
    url = reverse("wagtailsnippets_wagtail_member_reset_emailtext:list")

    assert url in client.get("/admin/").content.decode()


def test_two_editors_lose_nothing(client, editor, written):
    text = written("welcome")

    for body in ("First.\n\n{link}", "Second.\n\n{link}"):
        client.post(f"{PREFIX}edit/{text.pk}/", {**words_of(text), "body": body})

    kept = [revision.as_object().body for revision in text.revisions.order_by("pk")]
    assert kept == ["First.\n\n{link}", "Second.\n\n{link}"]


def test_page_tells_who_else_is_editing(client, editor, written):
    assert "editing-sessions" in client.get(f"{PREFIX}edit/{written('welcome').pk}/").content.decode()


def test_site_without_snippets_works_without_texts():
    lines = [
        "import django; django.setup()",
        "from wagtail_member_reset.staff.menu import member_sign_in",
        "from django.core.management import call_command",
        "import wagtail_member_reset.wagtail_hooks",
        "call_command('check', fail_level='ERROR')",
        "print([item.name for item in member_sign_in().menu.initial_menu_items])",
    ]

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={"DJANGO_SETTINGS_MODULE": "tests.texts.without_snippets", "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "member-reset-mailings" in done.stdout
    assert "email-texts" not in done.stdout
