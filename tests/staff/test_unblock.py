"""Unblocking an address at the mail service, and sending again: who may, when, and what is said."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone
from wagtail.admin.utils import get_user_display_name

from tests.conftest import use_backend
from tests.reports.played_lists import Played, Server, configure
from wagtail_member_reset import bad_addresses, do_not_email
from wagtail_member_reset.models import BadVerdict, DeliveryEvent, DoNotEmailReason, ResetEmail

from .pages import FETCH, history, panel_words, rows, url, words

OFFER = "Unblock the address and send again"


@pytest.fixture
def unblocker(office):
    office.groups.get().permissions.add(Permission.objects.get(codename="unblock_passwordreset"))


@pytest.fixture
def postmark(settings, sent, member, by_hand):
    """A Postmark that blocks Mia's address after a bounce."""
    sent()
    ResetEmail.objects.update(provider="Postmark")
    report("bounced")
    service = Played("Postmark")
    service.block(member.email, "bounce")
    with Server(service) as address:
        configure(settings, "Postmark", address)
        use_backend(settings, "anymail.backends.postmark.EmailBackend")
        yield service


def report(event_type):
    now, email = timezone.now(), ResetEmail.objects.first()
    answer = "550 5.1.1 user unknown" if event_type == "bounced" else ""
    details = {"provider": email.provider, "event_type": event_type, "mta_response": answer, "happened_at": now}
    DeliveryEvent.objects.create(email=email, key=event_type, **details)


def seen(client, member):
    """All rows, once the link in the panel was shown."""
    panel_words(client, member)
    return rows()


def unblock(client, member, email=None):
    data = {"email": email or ResetEmail.objects.order_by("pk").first().pk}
    return client.post(url("unblock", member), data, **FETCH)


def test_address_is_unblocked_and_the_link_sent_again(office_client, member, postmark, unblocker):
    assert OFFER in panel_words(office_client, member)
    asked = words(office_client.get(url("unblock", member), **FETCH).content.decode())
    assert "Postmark no longer sends to this address, since an email came back." in asked
    assert postmark.calls == []

    unblock(office_client, member)

    assert postmark.blocked == set()
    assert (history(member)[-2:], ResetEmail.objects.count()) == (["unblock", "resend"], 2)


def test_timeline_says_who_unblocked_the_address(office_client, office, member, postmark, unblocker):
    unblock(office_client, member)

    said = words(office_client.get(url("history", member)).content.decode())

    assert f"Address unblocked at the mail service by {get_user_display_name(office)}" in said


def test_timeline_says_who_asked_in_vain(office_client, office, member, postmark, unblocker):
    postmark.blocked.clear()
    unblock(office_client, member)

    said = words(office_client.get(url("history", member)).content.decode())

    assert f"Address not unblocked at the mail service, though {get_user_display_name(office)} asked for it" in said


def test_who_lacks_the_right_is_neither_offered_nor_obeyed(office_client, member, postmark):
    before = seen(office_client, member)
    assert OFFER not in panel_words(office_client, member)

    assert unblock(office_client, member).status_code == 403

    assert (rows(), postmark.calls, history(member)[-1]) == (before, [], "refuse")


def test_after_a_complaint_the_service_is_not_even_asked(office_client, member, postmark, unblocker):
    email = ResetEmail.objects.get()
    earlier = ResetEmail.objects.create(
        member=member, reset=None, purpose="reset", recipient=member.email, language="en", provider="Postmark"
    )
    happened = timezone.now()
    DeliveryEvent.objects.create(email=earlier, key="c", event_type="complained", happened_at=happened)
    before = seen(office_client, member)

    panel = words(unblock(office_client, member, email.pk).content.decode())

    assert "The address stays blocked, and nothing was sent: an email there was marked as spam." in panel
    assert (rows(), postmark.calls) == (before, [])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, {"Message": "no"}), "The mail service does not let this site change its list"),
        ((500, b""), "The mail service did not answer"),
        ((200, b"<p>"), "The mail service answered in a way that this site does not understand"),
    ],
)
def test_what_goes_wrong_there_is_said_and_nothing_is_sent(office_client, member, postmark, unblocker, answer, said):
    postmark.answer = answer
    before = seen(office_client, member)

    assert said in words(unblock(office_client, member).content.decode())

    assert rows() == before


def test_service_that_lies_gets_no_further_email(office_client, member, postmark, unblocker):
    postmark.forgets = False
    before = seen(office_client, member)

    assert "The mail service still blocks the address" in words(unblock(office_client, member).content.decode())

    assert (rows(), history(member)[-1]) == (before, "unblock")


def test_another_email_than_the_one_asked_about_asks_again(office_client, member, postmark, unblocker):
    before = seen(office_client, member)

    panel = words(unblock(office_client, member, 999_999).content.decode())

    assert "Something has changed since you were asked" in panel
    assert (rows(), postmark.calls) == (before, [])


def test_elsewhere_there_is_the_page_of_the_service(office_client, member, sent, unblocker):
    sent()
    ResetEmail.objects.update(provider="SparkPost")
    report("bounced")

    panel = panel_words(office_client, member)

    assert ("list of blocked addresses at SparkPost" in panel, OFFER in panel) == (True, False)
    assert unblock(office_client, member).status_code in (200, 302)


def test_after_a_bounce_of_an_earlier_address_neither_is_unblocked(office_client, member, postmark, unblocker):
    get_user_model().objects.filter(pk=member.pk).update(email="new@members.example")
    blocked, before = set(postmark.blocked), seen(office_client, member)
    assert OFFER not in panel_words(office_client, member)

    asked = words(office_client.get(url("unblock", member), **FETCH, follow=True).content.decode())
    unblock(office_client, member)

    assert "Unblock new@members.example" not in asked
    assert (postmark.blocked, postmark.calls, rows()) == (blocked, [], before)


def test_address_that_is_changed_after_the_question_is_not_unblocked(office_client, member, postmark, unblocker):
    blocked = set(postmark.blocked)
    assert "Unblock mia@members.example" in words(office_client.get(url("unblock", member), **FETCH).content.decode())
    get_user_model().objects.filter(pk=member.pk).update(email="new@members.example")

    unblock(office_client, member)

    assert (postmark.blocked, postmark.calls, ResetEmail.objects.count()) == (blocked, [], 1)


def test_who_is_not_to_be_emailed_is_unblocked_and_emailed_only_by_who_was_told(
    office, office_client, member, postmark, unblocker
):
    do_not_email.note(member, reason=DoNotEmailReason.ASKED_NOT_TO, by=office)

    asked = unblock(office_client, member).content.decode()  # noted since the question was read, say

    assert "Do not email is noted for Mia" in words(asked)
    assert (len(postmark.blocked), postmark.calls, ResetEmail.objects.count()) == (1, [], 1)
    [target] = re.findall(r'data-member-reset-url-param="([^"]*/unblock/[^"]*)"', asked)
    office_client.post(target, {"email": ResetEmail.objects.get().pk}, **FETCH)
    assert (postmark.blocked, ResetEmail.objects.count()) == (set(), 2)


def test_complaint_of_another_account_with_the_address_stands_too(office_client, member, postmark, unblocker):
    bad_addresses.remember(member.email, BadVerdict.COMPLAINT)
    before = seen(office_client, member)

    panel = words(unblock(office_client, member).content.decode())

    assert "The address stays blocked, and nothing was sent: an email there was marked as spam." in panel
    assert (rows(), postmark.calls) == (before, [])
