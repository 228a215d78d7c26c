"""Correcting an address that is also the name to sign in with."""

import pytest
from django.contrib.auth import get_user_model

from tests.conftest import make_person
from wagtail_member_reset import outbox

from .pages import FETCH, rows, url, words

pytestmark = pytest.mark.skipif(
    get_user_model().USERNAME_FIELD == "email", reason="where the address is the username, there is one field"
)
OFFER = "Also sign in with the new address"
NEW = {"member-reset-email": "pia@new.example"}
ALSO = {**NEW, "member-reset-also_username": "on"}


@pytest.fixture
def pia(db):
    return make_person("Pia", username="Pia@old.example", email="pia@old.example")


def post(client, person, data):
    return words(client.post(url("correct", person), data, **FETCH).content.decode())


def test_name_follows_the_address_and_the_email_says_no_other(office_client, pia, mailoutbox):
    assert OFFER in words(office_client.get(url("correct", pia), **FETCH).content.decode())

    post(office_client, pia, ALSO)
    outbox.drain()

    pia.refresh_from_db()
    assert (pia.username, pia.email) == ("pia@new.example", "pia@new.example")
    assert "old.example" not in next(mail.body for mail in mailoutbox if mail.to == ["pia@new.example"])


def test_name_stays_without_the_tick_and_the_email_says_which(office_client, pia, mailoutbox):
    post(office_client, pia, NEW)
    outbox.drain()

    pia.refresh_from_db()
    assert (pia.username, pia.email) == ("Pia@old.example", "pia@new.example")
    body = next(mail.body for mail in mailoutbox if mail.to == ["pia@new.example"])
    assert "Your username: Pia@old.example" in body


@pytest.mark.parametrize("username", ["pia@new.example", "PIA@new.example"])
def test_name_of_somebody_else_is_refused_and_nothing_changes(office_client, pia, username):
    make_person("Pit", username=username, email="pit@members.example")
    before = rows()

    said = post(office_client, pia, ALSO)

    assert "Somebody else signs in with this address." in said
    assert rows() == before


def test_name_that_is_no_address_is_left_alone(office_client, member):
    assert OFFER not in words(office_client.get(url("correct", member), **FETCH).content.decode())
    name = member.username

    post(office_client, member, ALSO)

    member.refresh_from_db()
    assert (member.username, member.email) == (name, "pia@new.example")
