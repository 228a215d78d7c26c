"""Which text an email gets: the site's in the member's language, else the one for all sites, else the default."""

import logging
from datetime import timedelta
from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from requests.adapters import HTTPAdapter
from wagtail.models import Revision, Site
from wagtail.users.models import UserProfile

from tests.conftest import make_person, use_backend
from tests.outbox.test_backends import KEYS
from tests.outbox.test_costs import drafted, statements
from tests.outbox.test_merge import Service
from tests.texts.conftest import PREFIX, words_of
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import EmailText, Mailing, MailingText, Purpose, ResetEmail
from wagtail_member_reset.outbox import letter, merge, sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

BODY = "Hi {first_name},\n\nour own words.\n\n{link}"
OWN, DEFAULT = "our own words", "An account has been made for you"


@pytest.fixture
def other_site(db):
    page = Site.objects.get().root_page
    return Site.objects.create(hostname="rowers.example", site_name="Rowers", root_page=page)


@pytest.fixture
def told(admin, mailoutbox):
    """`told(person)`: what the text part of a welcome says that is sent now."""

    def send(person, **details):
        resets.send(person, by=admin, purpose=Purpose.WELCOME, **details)
        outbox.drain()
        return mailoutbox[-1].body

    return send


def reader_of(language, name):
    person = make_person(name)
    UserProfile.objects.update_or_create(user=person, defaults={"preferred_language": language})
    return person


def mailing_to(*people, **details):
    return mailings.draft(Choice(kind=Kind.IDS, ids=tuple(each.pk for each in people)), by=None, **details)


def run(mailing):
    for _was_busy in mailings.work(mailing):
        pass


def through(service):
    """A function, as methods are."""

    def send(adapter, request, **kwargs):
        return service(adapter, request, **kwargs)

    return send


def test_published_text_is_mailed(written, told):
    written("welcome", body=BODY, subject="Come in, {first_name}")

    assert told(make_person("Mia")).startswith(f"Hi Mia,\n\n{OWN}.\n\nhttps://club.example/account/r/")


def test_both_parts_and_the_subject_come_from_the_text(written, told, mailoutbox):
    written("welcome", body="**Bold** and [a page](/page/).\n\n{link}", subject="Come in, {first_name}")

    told(make_person("Mia"))

    html = mailoutbox[0].alternatives[0][0]
    assert mailoutbox[0].subject == "Come in, Mia"
    assert "Bold and a page: https://club.example/page/." in mailoutbox[0].body
    assert '<strong>Bold</strong> and <a class="link" href="https://club.example/page/"' in html


def test_draft_is_not_mailed(written, told):
    written("welcome", body=BODY, live=False)

    assert DEFAULT in told(make_person("Mia"))


def test_language_is_the_members(written, told):
    written("welcome", "de", body=BODY)

    assert OWN in told(reader_of("de", "Greta"))
    assert DEFAULT in told(reader_of("en", "Emma"))


def test_text_of_a_language_serves_its_regions(written, told):
    written("welcome", "de", body=BODY)

    assert OWN in told(reader_of("de-at", "Resi"))


def test_text_of_a_site_goes_before_the_one_for_all(written, told, other_site):
    written("welcome", body="Everywhere.\n\n{link}")
    written("welcome", body="Row!\n\n{link}", site=other_site)

    assert "Everywhere." in told(make_person("Mia"))
    assert "Row!" in told(make_person("Ida"), site=other_site)


@pytest.mark.parametrize("purpose", ["password_changed", "address_changed"])
def test_notice_follows_its_text(written, purpose):
    written(purpose, body="It was us.\n\n{support_contact}")
    email = ResetEmail(member=make_person("Mia"), purpose=purpose, language="en", recipient="mia@members.example")

    content = letter.compose(email, "", letter.Shared())

    assert content.text.startswith("It was us.\n\noffice@club.example\n")


def test_notice_goes_also_where_no_address_of_the_site_is_known(written, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = settings.WAGTAILADMIN_BASE_URL = None
    written("password_changed", body="It was us.")
    email = ResetEmail(member=make_person("Mia"), purpose="password_changed", language="en", recipient="mia@m.example")

    assert letter.compose(email, "", letter.Shared()).text.startswith("It was us.")


@pytest.mark.parametrize(
    "unfit", [{"body": "No link"}, {"body": "{link} {oops}"}, {"body": "{link} https://evil.example"}, {"subject": ""}]
)
def test_unfit_text_that_a_script_published_is_never_mailed(written, told, caplog, unfit):
    text = written("welcome", live=False)
    for field, value in unfit.items():
        setattr(text, field, value)

    text.save_revision().publish()

    text.refresh_from_db()
    assert text.live
    with caplog.at_level(logging.ERROR):
        assert DEFAULT in told(make_person("Mia"))
    assert "text=welcome:en: is not fit to be mailed" in caplog.text


@pytest.mark.parametrize("word", ["mr\u017flot-", "mr**slot-**", "mr{first_name}slot-x", "evil.com/{link}"])
def test_text_that_could_not_be_compiled_or_leads_elsewhere_gives_way_to_the_default(written, told, caplog, word):
    written("welcome", body=f"{BODY}\n\n{word}")

    with caplog.at_level(logging.ERROR):
        assert DEFAULT in told(make_person("Mia"))
        assert DEFAULT in told(make_person(""))

    assert "is not fit to be mailed" in caplog.text
    assert set(ResetEmail.objects.values_list("state", flat=True)) == {"handed_over"}


@pytest.fixture
def broken_template(settings, tmp_path):
    """A site's own template for texts that fails, and its own words stay out of the log."""
    folder = tmp_path / "wagtail_member_reset" / "emails"
    folder.mkdir(parents=True)
    (folder / "text.html").write_text("{{ heading|upper }}{% include missing_one %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


@pytest.mark.usefixtures("broken_template")
def test_email_that_a_template_of_the_site_breaks_has_the_default_text(written, told, caplog, client, admin):
    written("welcome", body=BODY)

    with caplog.at_level(logging.ERROR):
        assert DEFAULT in told(make_person("Mia"))

    assert "text=welcome:en cannot be made an email" in caplog.text
    client.force_login(admin)
    assert "Not used: emails have the default text" in client.get(PREFIX).content.decode()


@pytest.mark.usefixtures("broken_template")
def test_text_that_cannot_be_made_an_email_is_not_published(written, client, admin):
    text = written("welcome", live=False)
    client.force_login(admin)

    answer = client.post(f"{PREFIX}edit/{text.pk}/", {**words_of(text), "action-publish": "1"})

    assert "The email cannot be made" in answer.content.decode()
    text.refresh_from_db()
    assert not text.live


@pytest.mark.parametrize("error", [ValueError, RecursionError])
def test_check_that_fails_holds_up_no_email(written, told, monkeypatch, error):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(import_module("wagtail_member_reset.texts.published"), "problems", fail)
    written("welcome", body=BODY)

    assert DEFAULT in told(make_person("Mia"))


def test_mailing_goes_on_whatever_its_text(written, mailoutbox):
    written("welcome", body=f"{BODY}\n\nmr\u017flot-")
    mailing = mailing_to(*map(make_person, ("Mia", "Ida", "Una")))
    mailings.start(mailing, wake=False)

    run(mailing)

    mailing.refresh_from_db()
    assert (len(mailoutbox), mailing.failed) == (3, 0)


def test_notice_with_a_path_goes_also_where_the_host_of_its_site_is_refused(written, member, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = settings.WAGTAILADMIN_BASE_URL = None
    settings.ALLOWED_HOSTS = ["testserver"]
    site = Site.objects.get()
    site.hostname, site.site_name = "refused.example", "Club"
    site.save()
    written("password_changed", body="It was us. Look at [help](/help/).")
    ResetEmail.objects.create(
        member=member, purpose="password_changed", recipient=member.email, language="en", site=site
    )

    outbox.drain()

    (mail,) = mailoutbox
    assert "A new password was set for your account at Club" in mail.body
    assert "refused.example" not in mail.body


def test_unfit_text_of_a_site_hides_none_that_is_for_all(written, told):
    written("welcome", body=BODY)
    written("welcome", body="No link {oops}", site=Site.objects.get())

    assert OWN in told(make_person("Mia"))


def test_unfit_text_of_a_region_hides_none_of_its_language(written, told):
    written("welcome", "de", body=BODY)
    written("welcome", "de-at", body="No link {oops}")

    assert OWN in told(reader_of("de-at", "Resi"))


def test_unfit_text_that_was_scheduled_is_never_mailed(written, told):
    text = written("welcome", live=False)
    text.body, text.go_live_at = "No link", timezone.now() - timedelta(minutes=1)
    revision = text.save_revision()
    revision.approved_go_live_at = text.go_live_at
    revision.save()

    call_command("publish_scheduled")

    text.refresh_from_db()
    assert text.live
    assert DEFAULT in told(make_person("Mia"))


def test_link_to_a_site_that_is_gone_makes_a_text_unfit(written, told, other_site, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example"
    written("welcome", body=f"{BODY} [row](https://rowers.example/x/)")
    assert OWN in told(make_person("Mia"))

    other_site.delete()

    assert DEFAULT in told(make_person("Ida"))


def test_own_host_that_is_not_allowed_is_elsewhere(written, told, other_site, settings):
    settings.ALLOWED_HOSTS = ["club.example"]
    written("welcome", body=f"{BODY} [row](https://rowers.example/x/)")

    assert DEFAULT in told(make_person("Mia"))


def test_text_of_a_site_goes_with_it_and_its_drafts_too(written, other_site):
    written("welcome", site=other_site).save_revision()

    other_site.delete()

    assert not EmailText.objects.exists()
    assert not Revision.objects.filter(content_type__model="emailtext").exists()


def test_mailing_keeps_the_texts_that_it_began_with(written, mailoutbox):
    text = written("welcome", body=BODY)
    mailing = mailing_to(make_person("Mia"), make_person("Ida"))
    mailings.start(mailing, wake=False)
    EmailText.objects.filter(pk=text.pk).update(body="Changed.\n\n{link}")

    run(mailing)

    assert [OWN in mail.body for mail in mailoutbox] == [True, True]


def test_mailing_that_began_without_texts_ends_without(written, mailoutbox):
    mailing = mailing_to(make_person("Mia"))
    mailings.start(mailing, wake=False)
    written("welcome", body=BODY)

    run(mailing)

    assert DEFAULT in mailoutbox[0].body


def test_draft_of_a_mailing_shows_what_is_published_now(written, db):
    mia = make_person("Mia")
    mailing = mailing_to(mia)
    assert DEFAULT in sample.sample_of(mailing, mia).text

    written("welcome", body=BODY)

    assert OWN in sample.sample_of(mailing, mia).text


def test_mailing_has_its_own_paragraph_within_the_text(written, mailoutbox):
    written("welcome", body=BODY)
    mailing = mailing_to(make_person("Mia"), paragraph="Bring your {link} <b>boat</b>.")
    mailings.start(mailing, wake=False)

    run(mailing)

    assert "Hi Mia,\n\nBring your {link} <b>boat</b>.\n\nour own words." in mailoutbox[0].body
    assert "Bring your {link} &lt;b&gt;boat&lt;/b&gt;." in mailoutbox[0].alternatives[0][0]


def test_texts_of_a_mailing_go_with_it(written):
    written("welcome")
    mailing = mailing_to(make_person("Mia"))
    mailings.start(mailing, wake=False)
    assert MailingText.objects.count() == 1

    Mailing.objects.all().delete()

    assert not MailingText.objects.exists()


def test_mailing_keeps_each_text_once(written):
    written("welcome")
    mailing = mailing_to(make_person("Mia"))
    mailings.start(mailing, wake=False)
    kept = MailingText.objects.get()
    kept.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        kept.save(force_insert=True)

    assert MailingText.objects.count() == 1


def test_notices_are_not_kept_for_a_mailing(written):
    written("password_changed")
    mailings.start(mailing_to(make_person("Mia")), wake=False)

    assert not MailingText.objects.exists()


def test_batch_call_of_a_mail_service_has_the_text(written, settings, monkeypatch):
    written("welcome", body=BODY)
    service = Service("mailgun")
    settings.ANYMAIL = KEYS
    use_backend(settings, "anymail.backends.mailgun.EmailBackend")
    monkeypatch.setattr(merge, "_taken", {})
    monkeypatch.setattr(HTTPAdapter, "send", through(service))
    mailing = mailing_to(make_person("Mia"), make_person("Ida"))
    mailings.start(mailing, wake=False)

    run(mailing)

    (body,) = service.bodies
    assert OWN.replace(" ", "+") in body


def statements_of(count):
    mailing = drafted(count)
    mailings.start(mailing, wake=False)
    return statements(lambda: run(mailing))


def test_text_costs_a_mailing_no_statement_more(written, one_connection, nothing_each_second):
    statements_of(3)  # what a process asks once
    default = [statements_of(3), statements_of(30)]
    written("welcome", body=f"{BODY} [page](/page/)")

    assert [statements_of(3), statements_of(30)] == default


def test_single_emails_ask_for_texts_once_for_all_that_wait(written, admin, mailoutbox):
    written("welcome", body=BODY)
    for name in ("Mia", "Ida", "Una"):
        resets.send(make_person(name), by=admin, purpose=Purpose.WELCOME)

    with CaptureQueriesContext(connection) as queries:
        outbox.drain()

    table = EmailText._meta.db_table
    assert len([query for query in queries if table in query["sql"]]) == 1
    assert len(mailoutbox) == 3


def test_text_is_compiled_once_for_all(written, monkeypatch, admin):
    written("welcome", body=BODY)
    counted = []
    compiled = letter.text.compile_written
    monkeypatch.setattr(letter.text, "compile_written", lambda *args: counted.append(args) or compiled(*args))
    for name in ("Mia", "Ida", "Una"):
        resets.send(make_person(name), by=admin, purpose=Purpose.WELCOME)

    outbox.drain()

    assert len(counted) == 1


def test_worker_that_works_on_mails_what_was_published_since(written, admin, mailoutbox):
    with outbox.at_work() as worker:
        resets.send(make_person("Mia"), by=admin, purpose=Purpose.WELCOME)
        worker.send_singles()
        written("welcome", body=BODY)
        resets.send(make_person("Ida"), by=admin, purpose=Purpose.WELCOME)
        worker.send_singles()

    assert [OWN in mail.body for mail in mailoutbox] == [False, True]


def test_paragraphs_of_the_footer_stand_apart(written, member, mailoutbox):
    written("reset", footer="One.\n\nTwo.")

    resets.send(member, by=None)
    outbox.drain()

    assert "One.<br><br>Two." in mailoutbox[0].alternatives[0][0]
