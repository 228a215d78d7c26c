"""Whoever may send mailings can ask to be told of one, for themselves alone."""

import pytest

from tests.conftest import make_person
from tests.staff.pages import words
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import Choice, Kind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
MAILINGS = "/admin/member-reset/mailings/"


@pytest.fixture
def running(db):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(make_person("Mia").pk,)), by=None)
    mailings.start(mailing)
    return mailing


def test_who_asks_is_told_until_they_want_it_no_more(mailing_office, client, running):
    page = f"{MAILINGS}{running.pk}/"
    assert "Email me when it ends or pauses" in words(client.get(page).content.decode())

    said = words(client.post(f"{page}watch/", {"wants": "1", "person": "1"}, follow=True).content.decode())
    assert "You get an email when this mailing ends or is paused automatically." in said
    assert list(running.watchers.all()) == [mailing_office]

    client.post(f"{page}watch/", {"wants": "0"})
    assert list(running.watchers.all()) == []


@pytest.mark.parametrize("junk", [{}, {"wants": "\x00"}, {"wants": "2"}])
def test_junk_asks_for_nothing(mailing_office, client, running, junk):
    client.post(f"{MAILINGS}{running.pk}/watch/", junk)
    client.get(f"{MAILINGS}{running.pk}/watch/?wants=1")

    assert list(running.watchers.all()) == []


def test_who_may_not_send_mailings_is_told_of_none(office, client, running):
    client.force_login(office)

    client.post(f"{MAILINGS}{running.pk}/watch/", {"wants": "1"})

    assert list(running.watchers.all()) == []


def test_ended_mailing_offers_nothing(mailing_office, client, running):
    mailings.stop(running, by=None)

    assert "Email me when" not in words(client.get(f"{MAILINGS}{running.pk}/").content.decode())
