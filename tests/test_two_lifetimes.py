"""A welcome lives as long as WELCOME_LIFETIME says, any other link as long as LINK_LIFETIME."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.conftest import make_person
from tests.staff.pages import FETCH, url, words
from wagtail_member_reset import mailings, needs_help, outbox, resets
from wagtail_member_reset.mailing import Choice, Kind, reminders
from wagtail_member_reset.models import Need, NeedsHelp, PasswordReset, Purpose
from wagtail_member_reset.outbox import sample

pytestmark = pytest.mark.django_db

MONTH, DAY = timedelta(days=30), timedelta(days=1)
START = "2027-03-01T12:00:00+00:00"


@pytest.fixture(autouse=True)
def two_lifetimes(settings):
    settings.WAGTAIL_MEMBER_RESET_WELCOME_LIFETIME = MONTH
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = DAY


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def lifetimes():
    return {reset.member_id: (reset.purpose, reset.lifetime) for reset in PasswordReset.objects.live()}


@pytest.fixture
def newcomer():
    return make_person("Nina")


def test_a_welcome_and_a_reset_live_apart(member, newcomer, sent):
    sent(newcomer, purpose=Purpose.WELCOME)
    sent()

    assert lifetimes() == {newcomer.pk: ("welcome", MONTH), member.pk: ("reset", DAY)}


def test_the_email_says_until_when_its_own_link_works(newcomer, sent, clock, mailoutbox):
    sent(newcomer, purpose=Purpose.WELCOME)

    assert "March 31, 2027" in mailoutbox[0].body


def test_one_mailing_gives_each_what_is_theirs(office, newcomer, by_hand, clock):
    old_hand = make_person("Otis", last_login=timezone.now())
    keys = tuple(str(person.pk) for person in (newcomer, old_hand))
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=keys), by=office)

    mailings.start(mailing)
    outbox.drain()

    assert lifetimes() == {newcomer.pk: ("welcome", MONTH), old_hand.pk: ("reset", DAY)}


def test_forgot_password_while_a_welcome_is_pending_renews_the_welcome(newcomer, sent, clock):
    sent(newcomer, purpose=Purpose.WELCOME)
    clock.shift(timedelta(days=20))

    resets.request(newcomer.email, network="192.0.2.7", site=None, language="en")
    clock.shift(timedelta(seconds=30))
    outbox.drain()

    assert lifetimes() == {newcomer.pk: ("welcome", MONTH)}
    assert PasswordReset.objects.live().get().issued_at > timezone.now() - DAY


def test_a_reset_after_a_welcome_ran_out_is_a_reset(newcomer, sent, clock):
    sent(newcomer, purpose=Purpose.WELCOME)
    clock.shift(MONTH)

    sent(newcomer)

    assert lifetimes() == {newcomer.pk: ("reset", DAY)}


def test_reminder_counts_back_from_the_end_of_the_welcome(newcomer, sent, clock):
    sent(newcomer, purpose=Purpose.WELCOME)
    clock.shift(timedelta(days=27))
    early = reminders.start_due(timedelta(days=2))
    clock.shift(timedelta(days=1, minutes=1))

    reminders.start_due(timedelta(days=2))
    outbox.drain()

    assert early is None
    assert lifetimes() == {newcomer.pk: ("welcome", MONTH)}


@pytest.mark.parametrize(("verb", "said"), [("send", "works for"), ("hand_out", "which works for")])
def test_the_question_names_the_lifetime_of_the_link_that_would_be_made(
    client, office, member, newcomer, sent, clock, verb, said
):
    sent(newcomer, purpose=Purpose.WELCOME)
    clock.shift(timedelta(hours=17))
    client.force_login(office)

    of_member, of_newcomer = (
        words(client.get(url(verb, person), **FETCH).content.decode()) for person in (member, newcomer)
    )

    assert f"{said} 1 day" in of_member
    # Sending does not say it of a link that takes another's place.
    assert verb == "send" or f"{said} 1 month" in of_newcomer
    assert "1 day" not in of_newcomer


def test_question_before_handing_out_keeps_its_word(client, office, newcomer, sent, clock):
    sent(newcomer, purpose=Purpose.WELCOME)
    clock.shift(timedelta(hours=17))

    reset = resets.hand_out(newcomer, by=office)

    assert (reset.purpose, reset.lifetime) == ("welcome", MONTH)


def test_members_are_told_no_lifetime_that_is_not_everybodys(client, settings):
    page = words(client.get("/account/password-reset/sent/").content.decode())
    settings.WAGTAIL_MEMBER_RESET_WELCOME_LIFETIME = DAY
    alike = words(client.get("/account/password-reset/sent/").content.decode())

    assert "The email says until when its link works." in page
    assert "Each link works for" not in page
    assert "Each link works for 1 day" in alike


def test_preview_of_a_mailing_says_until_when(office, newcomer, clock):
    mailing = mailings.drafted(Choice(kind=Kind.NEVER_SIGNED_IN), by=office)

    assert "March 31, 2027" in sample.sample_of(mailing, newcomer).text


@pytest.mark.parametrize(("purpose", "lifetime"), [(Purpose.WELCOME, MONTH), (Purpose.RESET, timedelta(days=14))])
def test_who_sets_no_password_needs_help_as_soon_with_either_link(newcomer, sent, clock, settings, purpose, lifetime):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(days=14)
    needs_help.sweep()
    sent(newcomer, purpose=purpose)
    needs_help.sweep()
    before = NeedsHelp.objects.filter(member=newcomer.pk).exclude(reason=None).count()

    clock.shift(needs_help.reasons.PATIENCE + timedelta(minutes=1))
    needs_help.sweep()

    found = NeedsHelp.objects.filter(member=newcomer.pk).values_list("reason", flat=True)
    assert (before, list(found)) == (0, [Need.NO_PASSWORD])
    assert PasswordReset.objects.get().lifetime == lifetime
