"""Whom a site's emails are from: chosen by staff, kept within the listed domains, and safe in a header."""

import io
from dataclasses import replace
from email import message_from_bytes, policy

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from requests import Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from wagtail.models import Site

from tests.conftest import make_person, use_backend
from tests.outbox.test_backends import KEYS
from tests.outbox.test_merge import Service
from wagtail_member_reset import mailings, outbox, resets, senders, tokens
from wagtail_member_reset.conf import conf
from wagtail_member_reset.exceptions import SettingError
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import ResetEmail, SiteSender
from wagtail_member_reset.outbox import merge, sample, transport

pytestmark = pytest.mark.django_db

NOT_FOUND = b'{"message": "Address not found in bounces table"}'
USUAL = "Example Club <office@club.example>"


@pytest.fixture(autouse=True)
def domains(settings):
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = ["club.example", "youth.example", "münchen.example"]


@pytest.fixture
def youth():
    root = Site.objects.get().root_page
    return Site.objects.create(hostname="youth.example", site_name="Youth", root_page=root)


@pytest.fixture
def chosen(youth):
    def choose(site=youth, **fields):
        return SiteSender.objects.create(site=site, **fields)

    return choose


def header(mail, name):
    """As a mail program reads it."""
    return message_from_bytes(mail.message().as_bytes(), policy=policy.default)[name]


# What may be chosen


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Club",
            "Köln e. V.",
            "Müller, Söhne & Co.",
            "St. Pauli: Members",
            "中文",
            "O’Neil",
            "Club+",
            "3 Rivers (West)",
        ),
        *(
            "Ruderclub Köln e.V.",
            "St. Gallen",
            "Nr. 5",
            "Nr.5",
            "1. FC Köln",
            "Version 2.0",
            "Treff 18:00",
            "z.B. S.p.A.",
        ),
        *(
            "Sportler:innen",
            "Schüler:innenrat",
            "Col·legi",
            "クラブ・日本",
            "ע״ר",
            "Club • Köln",
            "A/B, C",
            "Rock’n’Roll",
        ),
    ],
)
def test_plain_names_are_taken(name):
    assert senders.is_plain_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "Club\nBcc: eve@elsewhere.example",
        "Club\r",
        "\u202eebulC",
        "Club\u200f",
        "Cl\u200bub",
        "Club 🎉",
        "bank@bank.example",
        "bank＠bank.example",
        'Bank" <x>',
        "Bank <service>",
        "a\\b",
        "https://bank.example",
        "www.bank.example",
        "x" * 101,
        *("paypal.com", "Sparkasse.de Sicherheit", "PAYPAL.COM", "t.co", "Bank 163.com", "банк.рф", "Bank (bank.de)"),
        *("bank\u2024com", "bank\u3002com", "bank\uff0ecom", "bank\uff61com", "bank\ufe52com", "bank\u2022com"),
        *(
            "bank·com",
            "paypal·com",
            "bank\u2027com",
            "bank\u30fb.com",
            "bank\ua4f8com",
            "bank\u0660com",
            "bank\u06d4com",
        ),
        *("bánk.c\u0323om", "xn--bnk-5na.de", "127.0.0.1", "www\u2022x", "office(at)bank.de", "a.b.com"),
        *("mailto:a", "https:/x", "tel:110", "x\uff1aa", "x\u0589a", "//bank", "localhost:80"),
    ],
)
def test_names_that_hide_or_pretend_something_are_not(name):
    assert not senders.is_plain_name(name)


@pytest.mark.parametrize("address", ["office@club.example", "a.b+c@münchen.example"])
def test_one_plain_address_is_taken(address):
    assert senders.is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "club.example",
        "a@b.example, c@d.example",
        "Club <a@b.example>",
        "a@b.example\nBcc: c@d.example",
        '"a b"@b.example',
        "é@b.example",
        "a@b@c.example",
    ],
)
def test_anything_else_is_no_address(address):
    assert not senders.is_address(address)


@pytest.mark.parametrize(
    ("contact", "fits"),
    [
        ("help@club.example", True),
        ("https://club.example/help", True),
        ("javascript:alert(1)", False),
        ("https://club.example@evil.example/", False),
        ("https://club.example/\nhttps://evil.example", False),
        ("ask the office", False),
    ],
)
def test_contact_is_an_address_or_a_page(contact, fits):
    assert senders.is_contact(contact) is fits


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("a@club.example", True),
        ("a@CLUB.example", True),
        ("a@xn--mnchen-3ya.example", True),
        ("a@mail.club.example", False),
        ("a@notclub.example", False),
        ("a@elsewhere.example", False),
    ],
)
def test_domain_must_be_listed_as_it_is(address, listed):
    assert senders.is_listed(address) is listed


def test_without_a_list_the_domain_of_the_default_is_the_only_one(settings):
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = []

    assert senders.domains() == ("club.example",)
    assert [senders.is_listed(f"a@{domain}") for domain in ("club.example", "youth.example")] == [True, False]


# What it comes to


def test_site_without_a_sender_has_that_of_the_settings(youth):
    assert senders.of(youth) == senders.of(None) == senders.default()
    assert (senders.default().from_email, senders.default().support_contact) == (USUAL, "office@club.example")


def test_what_is_empty_is_as_the_settings_say(chosen, youth):
    chosen(from_name="Youth")

    assert senders.of(youth).from_email == '"Youth" <office@club.example>'
    assert senders.of(youth).support_contact == "office@club.example"


def test_sender_whose_domain_is_listed_no_longer_falls_back(chosen, youth, settings):
    row = chosen(
        from_name="Youth",
        from_address="hi@youth.example",
        reply_to="a@club.example",
        support_contact="c@club.example",
    )
    before = senders.sender_of(row)
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = ["club.example"]

    after = senders.sender_of(row)

    assert (before.from_email, before.is_refused) == ('"Youth" <hi@youth.example>', False)
    assert (before.reply_to, before.support_contact) == ("a@club.example", "c@club.example")
    # Not in part: where answers go would be of somebody whose From address may not be used.
    assert after == replace(senders.default(), is_refused=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"reply_to": "thief@evil.example"},
        {"reply_to": "thief@mail.club.example"},
        {"support_contact": "thief@evil.example"},
        {"support_contact": "https://evil.example/"},
        {"support_contact": "https://club.example.evil.example/"},
        {"support_contact": "https://youth.example:8443/"},
        {"support_contact": "https://other.example/"},  # another site's, which staff could have made
    ],
    ids=str,
)
def test_answers_and_questions_go_nowhere_else(member, youth, chosen, mailoutbox, fields, settings):
    Site.objects.create(hostname="other.example", root_page=youth.root_page)
    chosen(from_name="Youth", **fields)

    resets.send(member, by=None, site=youth)
    outbox.drain()

    [mail] = mailoutbox
    assert (mail.from_email, mail.reply_to) == (USUAL, [])
    assert "office@club.example" in mail.body
    assert not any(value in str(mail.message()) for value in fields.values())


@pytest.mark.parametrize(
    "contact",
    ["ask@club.example", "ask@youth.example", "https://youth.example/ask", "http://youth.example/", "help@gmx.example"],
)
def test_contact_may_be_of_a_listed_domain_the_very_site_or_the_settings(youth, chosen, contact, settings):
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = "help@gmx.example"
    chosen(support_contact=contact)

    assert (senders.of(youth).support_contact, senders.of(youth).is_refused) == (contact, False)


@pytest.mark.parametrize(("address", "fits"), [("help@gmx.example", True), ("thief@gmx.example", False)])
def test_address_of_the_settings_allows_itself_and_nobody_beside_it(settings, address, fits):
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = "help@gmx.example"

    assert senders.may_answer(address) is fits


def test_page_of_a_site_whose_host_is_not_allowed_is_no_contact(youth, chosen, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    chosen(support_contact="https://youth.example/ask")
    before = senders.of(Site.objects.get(pk=youth.pk))
    settings.ALLOWED_HOSTS = ["club.example"]

    after = senders.of(Site.objects.get(pk=youth.pk))

    assert (before.support_contact, before.is_refused) == ("https://youth.example/ask", False)
    assert (after.support_contact, after.is_refused) == ("office@club.example", True)


def test_page_that_the_settings_name_is_a_contact(youth, chosen, settings):
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = "https://help.example/club"
    chosen(from_name="Youth", support_contact="https://help.example/club")

    assert not senders.of(youth).is_refused
    assert not senders.may_help("https://help.example/other", youth)


@pytest.mark.parametrize(
    "fields",
    [
        {"from_name": "Bank\nBcc: eve@elsewhere.example"},
        {"from_name": "bank@bank.example", "from_address": "a@club.example"},
        {"from_address": "a@club.example, b@club.example"},
        {"from_address": "a@elsewhere.example"},
    ],
)
def test_row_that_no_form_would_write_is_not_believed(chosen, youth, fields):
    chosen(**fields, reply_to="a@b.example\nBcc: c@d.example", support_contact="javascript:x")

    found = senders.of(youth)

    assert (found.from_email, found.reply_to, found.support_contact) == (USUAL, "", "office@club.example")
    assert found.is_refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("support_contact", "https://youth.example/account/r/{}"),
        ("from_name", "Youth {}"),
        ("from_address", "{}@youth.example"),
        ("reply_to", "{}@youth.example"),
    ],
)
def test_row_with_a_personal_link_is_not_believed(chosen, youth, sent, field, value):
    chosen(**{field: value.format(tokens.mint(sent()))})

    found = senders.of(youth)

    assert (found.from_email, found.reply_to, found.support_contact) == (USUAL, "", "office@club.example")
    assert found.is_refused


# What leaves


def test_email_of_a_site_is_from_its_sender(member, youth, chosen, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    chosen(
        from_name="Jugend, Köln",
        from_address="hi@youth.example",
        reply_to="answers@youth.example",
        support_contact="help@youth.example",
    )

    resets.send(member, by=None, site=youth)
    outbox.drain()

    [mail] = mailoutbox
    [mailbox] = header(mail, "From").addresses
    assert (mailbox.display_name, mailbox.addr_spec) == ("Jugend, Köln", "hi@youth.example")
    assert header(mail, "Reply-To") == "answers@youth.example"
    assert mail.extra_headers["Message-ID"].endswith("@youth.example>")
    assert "help@youth.example" in mail.body
    assert "http://youth.example/account/r/" in mail.body


def test_email_falls_back_at_sending_and_is_sent_all_the_same(member, youth, chosen, mailoutbox, settings):
    chosen(from_address="hi@youth.example")
    resets.send(member, by=None, site=youth)
    settings.WAGTAIL_MEMBER_RESET_FROM_DOMAINS = []

    outbox.drain()

    assert [mail.from_email for mail in mailoutbox] == [USUAL]


def test_notice_after_a_change_has_the_sender_of_the_site(member, youth, chosen, mailoutbox):
    chosen(from_address="hi@youth.example")
    resets.send(member, by=None, site=youth)
    outbox.drain()
    ResetEmail.objects.create(
        member=member, purpose="address_changed", recipient="old@members.example", language="en", site=youth
    )

    outbox.drain()

    assert [mail.from_email for mail in mailoutbox[1:]] == ['"Example Club" <hi@youth.example>']


def test_test_email_of_a_mailing_has_the_sender_of_its_site(member, office, youth, chosen, mailoutbox):
    chosen(from_address="hi@youth.example")
    draft = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=office, site=youth)

    sample.send_test(draft, member, by=office)

    assert [mail.from_email for mail in mailoutbox] == ['"Example Club" <hi@youth.example>']


def test_sender_is_looked_up_once_for_each_site(youth, chosen, by_hand, mailoutbox):
    chosen(from_address="hi@youth.example")
    for number in range(6):
        resets.send(make_person(f"Mia{number}"), by=None, site=youth if number % 2 else None)
    with CaptureQueriesContext(connection) as asked:
        outbox.drain()

    looked = [query for query in asked if "sitesender" in query["sql"] and query["sql"].startswith("SELECT")]
    assert (len(mailoutbox), len(looked)) == (6, 2)
    assert len({mail.from_email for mail in mailoutbox}) == 2


def test_worker_that_works_on_sends_from_what_is_set_by_now(youth, chosen, by_hand, mailoutbox):
    row = chosen(from_address="hi@youth.example", support_contact="hi@youth.example")
    with outbox.at_work() as worker:
        for fields in ({}, {"from_address": "new@youth.example", "support_contact": "new@youth.example"}, None):
            if fields is None:
                row.delete()
            else:
                SiteSender.objects.update(**fields) if fields else None
            resets.send(make_person(f"Mia{len(mailoutbox)}"), by=None, site=youth)
            worker.send_singles()

    assert [senders.parseaddr(mail.from_email)[1] for mail in mailoutbox] == [
        "hi@youth.example",
        "new@youth.example",
        "office@club.example",
    ]
    assert [f"{who}@youth.example" in mail.body for who, mail in zip(("hi", "new"), mailoutbox, strict=False)] == [
        True,
        True,
    ]


def test_sender_that_is_withdrawn_is_so_from_the_next_part_of_a_mailing_on(youth, chosen, by_hand, mailoutbox):
    row = chosen(from_address="hi@youth.example")
    people = [make_person(f"Mia{number}") for number in range(2)]
    for person in people:
        ids = (str(person.pk),)
        mailings.start(mailings.draft(Choice(kind=Kind.IDS, ids=ids), by=None, site=youth), wake=False)

    with outbox.at_work() as worker:
        worker.send_next_chunk()
        row.delete()
        worker.send_next_chunk()

    assert ["youth.example" in mail.from_email for mail in mailoutbox] == [True, False]


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
def test_one_call_for_many_has_one_sender(youth, chosen, monkeypatch, settings, by_hand):
    service = Service("mailgun")
    settings.ANYMAIL = KEYS
    use_backend(settings, "anymail.backends.mailgun.EmailBackend")
    monkeypatch.setattr(merge, "_taken", {})

    def send(adapter, request, **kwargs):
        return service(adapter, request, **kwargs)

    monkeypatch.setattr(HTTPAdapter, "send", send)
    chosen(from_address="hi@youth.example", reply_to="answers@youth.example")
    people = [make_person(f"Mia{number}") for number in range(4)]
    for person in people[:2]:  # their links stay with their site, and are sent again
        resets.hand_out(person, by=make_person(f"Otto{person.pk}", is_superuser=True), site=youth)
    ids = tuple(str(person.pk) for person in people)
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=ids), by=None, again=True)

    mailings.start(mailing)
    outbox.drain()

    assert ResetEmail.objects.filter(state="handed_over").count() == 4
    calls = [("youth.example" in body and "hi%40youth.example" in body, body.count("to=")) for body in service.bodies]
    assert sorted(calls) == [(False, 2), (True, 2)]
    assert ["answers%40youth.example" in body for body in service.bodies].count(True) == 1


@pytest.mark.parametrize("own", [None, "mg.club.example"])
def test_address_is_unblocked_at_the_domain_of_the_sites_sender(
    member, admin, youth, chosen, sent, settings, monkeypatch, own
):
    asked = []

    def answer(adapter, request, **kwargs):
        asked.append(request.url)
        response = Response()
        response.status_code, response.raw = 404, HTTPResponse(io.BytesIO(NOT_FOUND), preload_content=False)
        response.request, response.url = request, request.url
        return response

    chosen(from_address="hi@youth.example")
    sent(site=youth)
    ResetEmail.objects.update(provider="Mailgun")
    settings.ANYMAIL = {**KEYS, "MAILGUN_SENDER_DOMAIN": own}
    use_backend(settings, "anymail.backends.mailgun.EmailBackend")
    monkeypatch.setattr(HTTPAdapter, "send", answer)

    resets.unblock(ResetEmail.objects.select_related("reset", "member").get(), by=admin)

    assert asked
    assert all(f"/{own or 'youth.example'}/" in address for address in asked)


# Pages


def test_members_pages_name_the_contact_and_the_sender_of_their_site(client, youth, chosen):
    chosen(from_address="hi@youth.example", support_contact="https://youth.example/help")

    there = client.get("/account/password-reset/sent/", headers={"host": "youth.example"}).content.decode()
    here = client.get("/account/password-reset/sent/").content.decode()

    assert ("hi@youth.example" in there, 'href="https://youth.example/help"' in there) == (True, True)
    # The email may come from either site's sender; the contact is this one's.
    assert ("office@club.example" in here, "youth.example/help" in here) == (True, False)


# Which mailer


@pytest.mark.skipif(django.VERSION >= (6, 1), reason="MAILERS is there")
def test_mailer_needs_mailers(settings):
    settings.WAGTAIL_MEMBER_RESET_MAILER = "members"

    with pytest.raises(SettingError, match="set MAILERS"):
        _ = conf.MAILER
    with pytest.raises(SettingError):
        transport.new_connection()


def test_emails_wait_for_a_mailer_that_is_not_there(settings, member, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_MAILER = "nowhere"
    resets.send(member, by=None)

    outbox.drain()

    assert mailoutbox == []
    assert ResetEmail.objects.get().state != "handed_over"


@pytest.mark.skipif(django.VERSION < (6, 1), reason="needs MAILERS")
def test_mailer_is_used_by_its_alias(settings, member, mailoutbox):
    backend = "anymail.backends.test.EmailBackend"
    settings.MAILERS = {
        "default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"},
        "members": {"BACKEND": backend},
    }
    settings.WAGTAIL_MEMBER_RESET_MAILER = "members"

    assert type(transport.new_connection()).__module__ == "anymail.backends.test"
    settings.WAGTAIL_MEMBER_RESET_MAILER = "unknown"
    with pytest.raises(SettingError, match='"default", "members"'):
        _ = conf.MAILER


def test_default_that_is_no_mailbox_sends_nothing(settings):
    settings.DEFAULT_FROM_EMAIL = "a@b.example, c@d.example"

    with pytest.raises(ImproperlyConfigured):
        senders.default().check()


def test_model_and_migrations_agree():
    call_command("makemigrations", "wagtail_member_reset", check=True, dry_run=True, verbosity=0)
