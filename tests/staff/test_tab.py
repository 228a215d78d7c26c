import pytest
from django.urls import reverse

from wagtail_member_reset import resets


@pytest.fixture
def office_client(client, office):
    client.force_login(office)
    return client


def edit_url(person):
    return reverse("wagtailusers_users:edit", args=[person.pk])


def test_tab_shows_the_address_and_offers_to_send(office_client, member):
    page = office_client.get(edit_url(member)).content.decode()

    assert 'id="tab-settings"' in page
    assert 'id="tab-label-settings"' in page
    assert "mia@members.example" in page
    assert "Send password reset" in page


def test_tab_shows_sentence_and_link_after_sending(office_client, member, sent):
    reset = sent()

    page = office_client.get(edit_url(member)).content.decode()

    assert "Reset password email sent." in page
    assert resets.link(reset) in page
    assert "Copy link" in page
