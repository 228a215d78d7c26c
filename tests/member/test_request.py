"""The page that asks for the address, and the one that follows it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client
from wagtail.models import Site

from tests.conftest import make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import PasswordReset, ResetRequest, SiteSender

from .conftest import url

USERS = get_user_model()._meta.db_table
JUNK = {
    "blank": {"email": ""},
    "nothing": {},
    "another name": {"email[]": "mia@members.example"},
    "64 KB": {"email": "a" * 65_536 + "@members.example"},
    "no address": {"email": "mia"},
    "nul": {"email": "mia\x00@members.example"},
    "two lines": {"email": "mia@members.example\r\nBcc: eve@evil.example"},
    "a list": {"email": "mia@members.example,eve@evil.example"},
    "JSON": {"email": '["mia@members.example", "eve@evil.example"]'},
    "a personal link": {"email": "mia@members.example/account/r/7fd0yq2m9kkd4wz1r8tbn5c3hg6pvxs0ea2j4m1q"},
    "other fields": {"email": "eve@evil.example", "to": "mia@members.example", "next": "https://evil.example/"},
}


def answer_of(response):
    return response.status_code, response.headers, response.content, response.cookies


@pytest.fixture
def everybody(member, imported_member):
    make_person("Ina", is_active=False)
    make_person("Nora", email="")
    return ["mia@members.example", "MIA@members.example", "ida@members.example", "ina@members.example"]


def test_site_without_passwords_says_so_and_offers_no_form(client, settings, sent, member):
    link = resets.link(sent())
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False
    before = ResetRequest.objects.count(), member.password

    asked = [client.get(url("password_reset")), client.post(url("password_reset"), {"email": "mia@members.example"})]
    followed = client.get(client.get(link).url)
    chosen = client.post(url("password_reset_set"), {"link": "x", "new_password1": "a quiet harbour 7"})

    member.refresh_from_db()
    for page in (*asked, followed, chosen):
        assert page.status_code == 200
        assert "This site has no passwords" in page.content.decode()
        assert "<form" not in page.content.decode()
    assert (ResetRequest.objects.count(), member.password) == before


def test_form_asks_for_an_address(client, db):
    page = client.get(url("password_reset")).content.decode()

    assert 'inputmode="email"' in page
    assert 'type="email"' not in page  # browsers refuse jörg@club.example there
    assert 'autocomplete="email"' in page
    assert "required" in page


@pytest.mark.usefixtures("clock_stands_still")
def test_members_and_strangers_get_the_same_answer(client, everybody):
    unknown = client.post(url("password_reset"), {"email": "nobody@members.example"})

    answers = [answer_of(client.post(url("password_reset"), {"email": address})) for address in everybody]

    assert unknown.status_code == 302
    assert unknown.url == url("password_reset_done")
    assert answers == [answer_of(unknown)] * 4


def test_members_and_strangers_cost_the_same_statements(client, everybody, statements):
    with statements as first:
        client.post(url("password_reset"), {"email": "nobody@members.example"})
    unknown = list(first)

    for address in everybody:
        with statements as known:
            client.post(url("password_reset"), {"email": address})

        assert known == unknown
    assert 0 < len(unknown) <= 8
    assert not [sql for sql in unknown if USERS in sql]


@pytest.mark.usefixtures("clock_stands_still")
def test_exceeded_limit_looks_like_any_answer(client, member, settings):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"address": "1/h"}
    first = client.post(url("password_reset"), {"email": "mia@members.example"})

    second = client.post(url("password_reset"), {"email": "mia@members.example"})

    assert answer_of(second) == answer_of(first)
    assert ResetRequest.objects.count() == 1


@pytest.fixture
def full_disk():
    """The database takes no request, and says so with the row, as PostgreSQL does."""

    def refuse(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "resetrequest" in sql:
            raise OperationalError(f"disk full: {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("clock_stands_still", "full_disk")
def test_request_that_cannot_be_written_is_told_to_members_and_strangers_alike(client, everybody, caplog):
    def answer(address):
        response = client.post(url("password_reset"), {"email": address})
        page = re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', r"\1", response.content.decode())
        return response.status_code, page.replace(address, "(address)"), response.headers["Retry-After"]

    unknown = answer("nobody@members.example")

    assert unknown[0] == 503
    assert "Your request was not saved" in unknown[1]
    assert 'value="(address)"' in unknown[1]
    assert [answer(address) for address in everybody] == [unknown] * 4
    assert {record.getMessage() for record in caplog.records if record.name == "wagtail_member_reset"} == {
        "request not written: OperationalError"
    }
    assert not any(address in caplog.text for address in everybody)


@pytest.mark.parametrize("data", JUNK.values(), ids=JUNK)
def test_junk_gets_the_same_answer_and_no_mail(client, member, data, mailoutbox):
    response = client.post(url("password_reset"), data)
    outbox.drain()

    assert (response.status_code, response.url) == (302, url("password_reset_done"))
    assert [mail.to for mail in mailoutbox] == []
    assert not PasswordReset.objects.exists()


def test_of_two_addresses_only_the_last_counts(client, member, mailoutbox):
    client.post(url("password_reset"), {"email": ["eve@evil.example", "mia@members.example"]})
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


def test_mail_goes_to_the_stored_address_not_to_the_one_typed(client, member, mailoutbox):
    client.post(url("password_reset"), {"email": "MiA@Members.Example"})
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


@pytest.mark.parametrize("address", ["mıa@members.example", "mia@memberſ.example"])
def test_look_alike_of_another_alphabet_reaches_nobody_but_the_owner(client, member, mailoutbox, address):
    client.post(url("password_reset"), {"email": address})
    outbox.drain()

    assert {mail.to[0] for mail in mailoutbox} <= {"mia@members.example"}


def test_headers_of_the_request_do_not_change_the_link(member, mailoutbox):
    poisoned = Client(
        headers={"host": "evil.example:8443", "x-forwarded-host": "evil.example", "x-forwarded-proto": "http"}
    )

    poisoned.post(url("password_reset"), {"email": "mia@members.example"})
    outbox.drain()

    mail = mailoutbox[0]
    assert resets.link(PasswordReset.objects.get()) in mail.body
    assert "https://club.example/account/r/" in mail.body
    assert "evil.example" not in mail.body + mail.subject + str(mail.alternatives)


def test_mail_is_written_in_the_language_of_the_page(client, member, mailoutbox):
    client.post(url("password_reset"), {"email": "mia@members.example"}, headers={"accept-language": "de"})
    outbox.drain()

    assert ResetRequest.objects.get().language == "de"
    assert PasswordReset.objects.get().language == "de"


def test_pending_welcome_is_sent_again(client, member, sent):
    welcome = sent(purpose="welcome")

    client.post(url("password_reset"), {"email": "mia@members.example"})
    outbox.drain()

    assert list(PasswordReset.objects.values_list("pk", "purpose")) == [(welcome.pk, "welcome")]


def test_done_page_names_the_lifetime_that_is_set(client, db, settings):
    week = client.get(url("password_reset_done")).content.decode()
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=24)
    day = client.get(url("password_reset_done")).content.decode()

    assert "<strong>1\xa0week</strong>" in week
    assert "<strong>1\xa0day</strong>" in day


def test_done_page_says_what_to_do_when_no_mail_comes(client, db):
    page = client.get(url("password_reset_done")).content.decode()

    assert "If there is an account for that address" in page
    assert "<strong>office@club.example</strong>" in page
    assert '<a href="mailto:office@club.example">office@club.example</a>' in page
    assert f'href="{url("password_reset")}"' in page


@pytest.fixture
def sites_with_senders(db, settings):
    """`sites_with_senders("a@club.example", …)`: a usable site each, with its own sender; the first is the default."""
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = ["club.example"]
    settings.ALLOWED_HOSTS = [".example", "testserver"]
    default = Site.objects.get()

    def have(*addresses):
        for number, address in enumerate(addresses):
            fields = {"hostname": f"site{number}.example", "root_page": default.root_page}
            site, _new = Site.objects.update_or_create(pk=None if number else default.pk, defaults=fields)
            SiteSender.objects.create(site=site, from_address=address)

    return have


@pytest.mark.parametrize(
    ("addresses", "named"),
    [
        (["a@club.example", "a@club.example"], "a@club.example"),
        # A link that still works is sent again for its own site, and nobody is told whether there is one.
        (["a@club.example", "b@club.example"], "b@club.example, a@club.example"),
        (["a@club.example", "b@club.example", "c@club.example", "d@club.example"], None),
    ],
)
def test_done_page_names_every_sender_that_the_email_may_have(client, sites_with_senders, addresses, named):
    sites_with_senders(*addresses)

    page = client.get(url("password_reset_done"), headers={"host": "site1.example"}).content.decode()

    assert (f"for mail from <strong>{named}</strong>" in page) is bool(named)
    assert ("for mail from" in page) is bool(named)


def test_done_page_is_the_same_whoever_has_a_link_of_another_site(client, sites_with_senders, member):
    sites_with_senders("a@club.example", "b@club.example")
    headers = {"host": "site1.example"}
    before = client.get(url("password_reset_done"), headers=headers).content
    resets.send(member, by=None, site=Site.objects.get(hostname="site0.example"))

    assert client.get(url("password_reset_done"), headers=headers).content == before


def test_done_page_links_a_contact_page(client, db, settings):
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = "https://club.example/help/"

    page = client.get(url("password_reset_done")).content.decode()

    assert '<a href="https://club.example/help/">Contact us</a>' in page
    assert "mailto:" not in page


@pytest.mark.parametrize("name", ["password_reset", "password_reset_done", "password_reset_complete"])
def test_visitor_is_not_looked_up(client, member, name, statements):
    client.force_login(member)

    with statements as seen:
        client.get(url(name))

    assert not [sql for sql in seen if USERS in sql or Session._meta.db_table in sql]


def test_page_speaks_the_language_of_the_reader(client, db):
    page = client.get(url("password_reset"), headers={"accept-language": "de"}).content.decode()

    assert '<html lang="de" dir="ltr">' in page


@pytest.mark.parametrize("address", ["mia@members.example", "nobody@members.example"])
def test_form_refuses_a_forged_post(member, address):
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(url("password_reset"), {"email": address})

    assert response.status_code == 403
    assert not ResetRequest.objects.exists()
