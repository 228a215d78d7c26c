"""A selection of who needs help becomes a mailing: for whom, and whom it leaves out."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.conftest import grant, make_person
from wagtail_member_reset import do_not_email, mailings, outbox
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import DoNotEmailReason, Mailing, MailingState, Need, NeedsHelp, Shelf
from wagtail_member_reset.staff import needs_help_mailing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
LIST, MAILING = "wagtail_member_reset_admin:needs_help", "wagtail_member_reset_admin:needs_help_mailing"


def listed(person, need=Need.FAILED, **fields):
    NeedsHelp.objects.create(member=person, reason=need, happened_at=timezone.now(), **fields)
    return person


def draft(client, *people, query="", **said):
    """Select these people: the draft that came of it, if any, and what was said beside it."""
    answer = client.post(reverse(MAILING) + query, {"id": [str(person.pk) for person in people], **said})
    assert answer.status_code == 302
    return Mailing.objects.last(), " ".join(map(str, get_messages(answer.wsgi_request)))


def keys(*people):
    return sorted(Choice(kind=Kind.IDS, ids=tuple(person.pk for person in people)).as_json()["ids"])


@pytest.mark.usefixtures("mailing_office")
def test_selection_becomes_a_draft_and_mails_nobody_yet(client, mailoutbox):
    ann, ben = listed(make_person("Ann")), listed(make_person("Ben"))
    listed(make_person("Cleo"))

    made, said = draft(client, ann, ben)
    outbox.drain()

    assert (made.state, made.again, sorted(made.choice["ids"])) == (MailingState.DRAFT, True, keys(ann, ben))
    assert (said, mailoutbox) == ("", [])


@pytest.mark.usefixtures("mailing_office")
def test_draft_leads_to_its_preview_and_mails_those_people(client, mailoutbox):
    ann = listed(make_person("Ann"))
    listed(make_person("Ben"))

    preview = client.post(reverse(MAILING), {"id": str(ann.pk)}, follow=True)
    start_url = re.findall(r'<form method="post" action="([^"]+/start/)"', preview.content.decode())[0]
    seen = re.findall(r'name="seen" value="([^"]+)"', preview.content.decode())[0]
    client.post(start_url, {"seen": seen})
    outbox.drain()

    assert "1 person will get an email" in preview.content.decode()
    assert [mail.to for mail in mailoutbox] == [["ann@members.example"]]


@pytest.mark.usefixtures("mailing_office")
def test_everybody_listed_means_the_filters_and_every_page(client):
    failed = [listed(make_person(f"P{number}"), domain="one.example") for number in range(60)]
    listed(make_person("Eve"), domain="two.example")
    listed(make_person("Fay"), Need.REFUSED, domain="one.example")
    listed(make_person("Lea"), shelf=Shelf.LATER, domain="one.example")

    made, _said = draft(client, query="?reason=50&domain=one.example", all="1")

    assert sorted(made.choice["ids"]) == keys(*failed)


@pytest.mark.usefixtures("mailing_office")
def test_page_has_a_named_checkbox_for_each_person_and_keeps_the_filters(client):
    ann = listed(make_person("Ann"))

    said = client.get(reverse(LIST), {"reason": Need.FAILED.value}).content.decode()

    assert re.search(rf'type="checkbox" name="id" value="{ann.pk}" aria-label="Select [^"]*ann', said, re.IGNORECASE)
    assert "Select everybody on this page" in said and f'action="{reverse(MAILING)}?reason=50"' in said


def test_selecting_is_for_nobody_without_the_right_to_mail_many(office_client, member):
    listed(member)

    answers = [office_client.post(reverse(MAILING), {"id": str(member.pk)}), office_client.get(reverse(MAILING))]

    assert [answer["Location"] for answer in answers] == [reverse("wagtailadmin_home")] * 2
    assert not Mailing.objects.exists()
    page = office_client.get(reverse(LIST)).content.decode()
    assert 'name="id"' not in page and reverse(MAILING) not in page


def test_who_may_not_be_emailed_is_left_out_with_a_sentence(client, mailing_office, admin):
    ann, ben, cleo, dan = (make_person(name) for name in ("Ann", "Ben", "Cleo", "Dan"))
    do_not_email.note(ben, reason=DoNotEmailReason.POST_ONLY, by=admin)
    for person in (ann, ben, admin):
        listed(person)
    listed(dan, shelf=Shelf.DONE)

    made, said = draft(client, ann, ben, cleo, dan, admin)
    everybody, said_again = draft(client, all="1")

    assert [each.choice["ids"] for each in (made, everybody)] == [keys(ann)] * 2
    assert said.startswith("4 people are left out") and "2 people are left out" in said_again


@pytest.mark.parametrize("chosen", [[], ["x"], ["9" * 30], ["-1"], ["\0"]])
@pytest.mark.usefixtures("mailing_office")
def test_nobody_and_nonsense_make_no_mailing(client, member, chosen):
    listed(member)

    answer = client.post(reverse(MAILING), {"id": chosen})

    assert (answer["Location"], Mailing.objects.count()) == (reverse(LIST), 0)
    assert list(get_messages(answer.wsgi_request))


def test_hidden_people_are_neither_mailed_nor_counted(enter, member, admin):
    rights = ("access_admin", "send_passwordreset", "bulk_send_passwordreset")
    client = enter(grant(make_person("Juno"), *rights))
    listed(member)
    listed(admin)

    made, said = draft(client, all="1")

    assert (made.choice["ids"], said) == (keys(member), "")
    assert mailings.preview(made).chosen == 1


@pytest.mark.usefixtures("mailing_office")
def test_one_draft_has_room_for_so_many_and_says_so(client, monkeypatch):
    monkeypatch.setattr(needs_help_mailing, "MOST", 3)
    for number in range(5):
        listed(make_person(f"P{number}"))

    made, said = draft(client, all="1")

    assert len(made.choice["ids"]) == 3
    assert said.startswith("There are more than 3 people")


@pytest.mark.usefixtures("mailing_office")
def test_drafting_costs_the_same_for_few_and_for_many(client):
    costs = []
    for number in (2, 40):
        for each in range(number):
            listed(make_person(f"P{number}x{each}"))
        with CaptureQueriesContext(connection) as queries:
            draft(client, all="1")
        costs.append(len(queries))

    assert costs[0] == costs[1]
    assert get_user_model().objects.count() > 40


@pytest.mark.usefixtures("mailing_office")
def test_who_had_to_sign_in_again_is_led_to_the_list(client):
    assert client.get(reverse(MAILING) + "?reason=50")["Location"] == reverse(LIST) + "?reason=50"
