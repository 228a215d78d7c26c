"""What staff copy for the people who run the member's mail server."""

import html

import pytest
from django.utils import timezone

from wagtail_member_reset import resets
from wagtail_member_reset.models import DeliveryEvent, PasswordReset, ResetEmail

from .pages import LINK, panel_html

BUTTON = "Copy details for their IT"


@pytest.fixture
def told(sent, member):
    def say(event_type, answer=""):
        sent()
        email = ResetEmail.objects.get()
        DeliveryEvent.objects.create(
            email=email,
            key=event_type,
            provider="Postmark",
            event_type=event_type,
            mta_response=answer,
            happened_at=timezone.now(),
        )
        return email

    return say


def copied(client, member):
    panel = panel_html(client, member)
    assert BUTTON in panel
    details = panel.partition("Details for their IT")[2].partition(">")[2].partition("</textarea>")[0]
    return html.unescape(details)


def test_details_name_what_their_it_looks_for_and_no_link(office_client, member, told, settings, mailoutbox):
    email = told("bounced", "550 5.7.1 Message rejected due to local policy")
    ResetEmail.objects.update(message_id="abc-123")

    text = copied(office_client, member)

    assert f"From: {settings.DEFAULT_FROM_EMAIL}" in text
    assert f"To: {email.recipient}" in text
    assert f"Subject: {mailoutbox[0].subject}" in text
    assert "Message id: abc-123" in text
    assert "Your server’s answer: 550 5.7.1 Message rejected due to local policy" in text
    assert "Other emails from us are likely to fail in the same way." in text
    assert LINK.search(text) is None


def test_a_link_that_their_server_quotes_is_not_copied(office_client, sent, member, told):
    told("bounced")
    link = resets.link(PasswordReset.objects.get())
    DeliveryEvent.objects.update(mta_response=f"550 5.7.1 rejected: {link}")

    text = copied(office_client, member)

    assert ("550 5.7.1 rejected" in text, LINK.search(text)) == (True, None)


@pytest.mark.parametrize("event_type", ["delivered", "sent"])
def test_nothing_is_offered_where_their_it_has_nothing_to_mend(office_client, member, told, event_type):
    told(event_type)

    assert BUTTON not in panel_html(office_client, member)
