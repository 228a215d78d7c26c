"""What the timeline and Wagtail's History say of where an email came from."""

import re

import pytest
from django.urls import reverse

from tests.conftest import grant, make_person
from tests.staff.pages import panel_words, url, words
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, Origin, PasswordReset, Purpose, ResetEmail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]


def mailed(person, *, by=None, **details):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(person.pk,)), by=by, **details)
    mailings.start(mailing)
    outbox.drain()
    return mailing


def timeline(client, person):
    return client.get(url("history", person)).content.decode()


def link_to(mailing):
    return f'<a href="{reverse("wagtail_member_reset_admin:mailing", args=[mailing.pk])}">{mailing.name}</a>'


def test_timeline_names_the_mailing_and_who_started_it_with_a_link_for_who_may_see_it(enter, admin, office, member):
    mailing = mailed(member, by=office)

    pages = [timeline(enter(person), member) for person in (admin, office)]

    for said in pages:
        assert f"Sent with a mailing by Otto Sample {mailing.name}, started by Otto Sample" in words(said) or (
            "Sent with a mailing by otto" in words(said)
        )
    assert [link_to(mailing) in said for said in pages] == [True, False]


def test_timeline_names_the_mailing_that_sent_the_same_link_again(admin_client, office, member):
    resets.send(member, by=office)
    outbox.drain()

    mailing = mailed(member, by=office, again=True)

    said = timeline(admin_client, member)
    assert "Sent again with a mailing by" in words(said)
    assert link_to(mailing) in said


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        (Origin.IMPORT, "Sent again with a mailing from the command line"),
        (Origin.MAILING, "Sent again with a mailing"),
    ],
)
def test_what_nobody_asked_for_on_the_website_is_never_said_to_be(admin_client, office, member, origin, told):
    resets.send(member, by=office)
    outbox.drain()

    mailed(member, again=True, origin=origin)

    said = words(timeline(admin_client, member))
    assert told in said
    assert "on the website" not in said


def test_reminder_that_sends_the_same_link_again_is_said_to_be_one(admin_client, sent, member):
    sent()
    ResetEmail.objects.create(
        member=member, reset=PasswordReset.objects.get(), purpose=Purpose.REMINDER, origin=Origin.REMINDER
    )

    assert "Sent again as a reminder" in words(timeline(admin_client, member))


def test_what_was_asked_for_again_on_the_website_is_said_to_be(admin_client, office, member):
    resets.send(member, by=office)
    resets.send(member, by=None, origin=Origin.MEMBER)
    ResetEmail.objects.update(state=EmailState.HANDED_OVER)
    resets.send(member, by=None, origin=Origin.MEMBER)

    assert "Asked for again on the website" in words(timeline(admin_client, member))


def test_email_of_which_nobody_knows_where_it_came_from_is_just_sent_again(admin_client, office, member):
    resets.send(member, by=office)
    outbox.drain()
    resets.send(member, by=None)
    ResetEmail.objects.update(origin="")

    said = words(timeline(admin_client, member))
    assert "Sent again" in said
    assert "on the website" not in said


def test_who_only_mailed_a_welcome_did_not_create_the_account(admin_client, office, imported_member):
    resets.send(imported_member, by=office, purpose=Purpose.WELCOME)
    outbox.drain()

    said = words(timeline(admin_client, imported_member))
    assert "Created by" in said
    assert "Account created" not in said


def test_who_created_the_account_is_said_to_have(admin_client, office, imported_member):
    resets.send(imported_member, by=office, purpose=Purpose.WELCOME, origin=Origin.CREATED)
    outbox.drain()

    assert "Account created by" in words(timeline(admin_client, imported_member))


def test_link_of_a_mailing_that_is_forgotten_still_says_that_it_was_one(admin_client, office, member):
    mailed(member, by=office)
    Mailing.objects.all().delete()

    said = words(timeline(admin_client, member))
    assert "Sent with a mailing by" in said
    assert not re.search(r"Mailing \d", said)


def test_history_in_wagtail_names_the_mailing(admin_client, office, member):
    mailing = mailed(member, by=office)
    resets.send(make_person("Ole"), by=office)

    said = words(admin_client.get(reverse("wagtailusers_users:history", args=[member.pk])).content.decode())

    assert f"Reset password email sent with the mailing “{mailing.name}”" in said
    report = words(admin_client.get(reverse("wagtailadmin_reports:site_history")).content.decode())
    assert "Reset password email sent with the mailing" in report


def test_who_may_not_see_mailings_reads_their_name_without_a_link(enter, office, member):
    mailing = mailed(member, by=office)
    desk = grant(make_person("Desk"), "access_admin", "send_passwordreset")

    said = timeline(enter(desk), member)

    assert mailing.name in words(said)
    assert link_to(mailing) not in said


def test_welcome_that_a_mailing_sends_is_named_a_welcome_on_the_tab_and_in_the_timeline(
    admin_client, office, imported_member
):
    mailed(imported_member, by=office)
    resets.send(imported_member, by=office)
    outbox.drain()

    tab, said = panel_words(admin_client, imported_member), words(timeline(admin_client, imported_member))

    assert "Reset password email sent. It is the welcome email." in tab
    assert said.count("Welcome email sent to the mail service") == 2


def test_reset_is_not_named_a_welcome(admin_client, sent, member):
    sent()

    said = panel_words(admin_client, member) + words(timeline(admin_client, member))

    assert "Sent to the mail service" in said and "elcome" not in said
