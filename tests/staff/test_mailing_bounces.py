"""Addresses that are known not to exist: left out of a mailing, unless staff include them; complaints never."""

import pytest

from tests.conftest import make_person
from tests.staff.pages import start, words
from wagtail_member_reset import bad_addresses, mailings, outbox, resets
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import BadVerdict, Mailing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
MAILINGS = "/admin/member-reset/mailings/"


@pytest.fixture
def people(db):
    """Two at one domain, with two reasons; one at another; one who complained; one who is well."""
    found = {
        "Bo": make_person("Bo", email="bo@corp.example"),
        "Bea": make_person("Bea", email="bea@CORP.example"),
        "Ben": make_person("Ben", email="ben@other.example"),
        "Cora": make_person("Cora", email="cora@corp.example"),
        "Fine": make_person("Fine"),
    }
    for name, cause in {"Bo": "no_such_mailbox", "Bea": "invalid", "Ben": "no_such_mailbox"}.items():
        bad_addresses.remember(found[name].email, BadVerdict.HARD_BOUNCE, cause=cause)
    bad_addresses.remember(found["Cora"].email, BadVerdict.COMPLAINT, cause="no_such_mailbox")
    return found


@pytest.fixture
def draft(people):
    return mailings.draft(Choice(kind=Kind.IDS, ids=tuple(each.pk for each in people.values())), by=None)


def sent(client, mailing, mailoutbox):
    start(client, mailing)
    outbox.drain()
    return {mail.to[0].split("@")[0] for mail in mailoutbox}


def include(client, mailing, query="", **ticked):
    return words(client.post(f"{MAILINGS}{mailing.pk}/bounces/{query}", ticked, follow=True).content.decode())


def test_nobody_whose_address_does_not_exist_is_mailed_unless_included(mailing_office, client, draft, mailoutbox):
    assert sent(client, draft, mailoutbox) == {"fine"}


@pytest.mark.parametrize(
    ("ticked", "mailed"),
    [
        ({"domains": ["corp.example"]}, {"bo", "bea", "fine"}),
        ({"causes": ["no_such_mailbox"]}, {"bo", "ben", "fine"}),
        ({"domains": ["other.example"], "causes": ["invalid"]}, {"ben", "bea", "fine"}),
        ({"domains": ["evil.example", ""], "causes": ["unwanted", "", "\x00"], "members": ["x", ""]}, {"fine"}),
        ({}, {"fine"}),
    ],
)
def test_included_are_mailed_by_domain_and_by_reason_and_the_preview_agrees(
    mailing_office, client, draft, mailoutbox, ticked, mailed
):
    page = include(client, draft, **ticked)

    number = len(mailed)
    assert f"{number} people will get an email" in page or (number == 1 and "1 person will get an email" in page)
    assert sent(client, draft, mailoutbox) == mailed
    draft.refresh_from_db()
    assert draft.handed_over == number


def test_included_are_mailed_one_by_one(mailing_office, client, draft, people, mailoutbox):
    page = include(client, draft, members=[str(people["Bo"].pk)])

    assert "Among those who get an email, 1 has an address that is known not to exist." in page
    assert sent(client, draft, mailoutbox) == {"bo", "fine"}


def test_who_marked_an_email_as_spam_is_offered_to_nobody_and_taken_from_nobody(
    mailing_office, client, draft, people, mailoutbox
):
    page = client.get(f"{MAILINGS}{draft.pk}/bounces/").content.decode()
    assert "cora@" not in page

    include(client, draft, members=[str(people["Cora"].pk)])
    everything = {
        "members": [str(each.pk) for each in people.values()],
        "domains": ["corp.example"],
        "causes": ["no_such_mailbox"],
    }
    Mailing.objects.filter(pk=draft.pk).update(included=everything)

    assert sent(client, draft, mailoutbox) == {"bo", "bea", "ben", "fine"}


def test_page_counts_by_domain_and_reason_and_finds_people(mailing_office, client, draft):
    page = words(client.get(f"{MAILINGS}{draft.pk}/bounces/").content.decode())

    assert "corp.example 2" in page and "other.example 1" in page
    assert "Their mail server knows no such mailbox 2" in page
    found = words(client.get(f"{MAILINGS}{draft.pk}/bounces/?mr_find=Ben").content.decode())
    assert "ben@other.example" in found and "bo@corp.example" not in found


def test_who_was_ticked_stays_when_others_are_looked_for(mailing_office, client, draft, people):
    include(client, draft, members=[str(people["Bo"].pk)])

    include(client, draft, query="?mr_find=Ben", members=[str(people["Ben"].pk)])

    draft.refresh_from_db()
    assert draft.included == {"members": sorted(str(people[name].pk) for name in ("Bo", "Ben"))}


def test_whom_the_reader_may_not_mail_is_neither_named_nor_counted(mailing_office, client, admin):
    bad_addresses.remember(admin.email, BadVerdict.HARD_BOUNCE)
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(admin.pk,)), by=None)

    page = client.get(f"{MAILINGS}{mailing.pk}/bounces/").content.decode()
    include(client, mailing, members=[str(admin.pk)], domains=["members.example"], causes=[""])

    assert admin.email not in page and "members.example" not in words(page)
    mailing.refresh_from_db()
    assert mailing.included == {}


def test_started_mailing_includes_nobody_any_more(mailing_office, client, draft):
    mailings.start(draft)

    include(client, draft, domains=["corp.example"])

    draft.refresh_from_db()
    assert draft.included == {}


def test_page_is_for_who_may_send_mailings(office, client, draft):
    client.force_login(office)

    include(client, draft, domains=["corp.example"])

    draft.refresh_from_db()
    assert draft.included == {}


def test_rest_of_a_stopped_mailing_includes_whom_it_included(mailing_office, client, draft):
    include(client, draft, domains=["corp.example"])
    draft.refresh_from_db()
    mailings.start(draft)
    mailings.stop(draft, by=mailing_office)

    assert mailings.draft_rest(draft, by=mailing_office).included == {"domains": ["corp.example"]}


def test_only_included_people_who_get_an_email_are_counted_as_included(mailing_office, client, draft, people):
    """Bo has a link that works, which keeps him out whatever is ticked."""
    bad_addresses.forget(people["Bo"].email)
    resets.send(people["Bo"], by=mailing_office)
    outbox.drain()
    bad_addresses.remember(people["Bo"].email, BadVerdict.HARD_BOUNCE, cause="no_such_mailbox")

    page = include(client, draft, domains=["corp.example"])

    assert "2 people will get an email" in page  # Bea and Fine
    assert "Among those who get an email, 1 has an address that is known not to exist." in page
