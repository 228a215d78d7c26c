"""What staff may send by hand, and what does not count for it."""

from datetime import timedelta

import pytest

from tests.conftest import grant, make_person
from tests.staff.pages import FETCH, history, panel_html, rows, url, words
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.exceptions import Refusal, SendRefused
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Origin, PasswordReset, Purpose, ResetEmail

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def few(settings):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "3/d", "person": "5/d"}


def send_times(number, member, **details):
    for _ in range(number):
        resets.send(member, **details)
        outbox.drain()


def refusal_of(operation):
    with pytest.raises(SendRefused) as caught:
        operation()
    return caught.value.refusal


def test_account_is_sent_no_more_than_its_limit_by_all_of_the_staff_together(member, office, admin, mailoutbox):
    send_times(2, member, by=office)
    send_times(1, member, by=admin)
    before = rows()

    operations = [
        lambda: resets.send(member, by=office),
        lambda: resets.send(member, by=admin),
        lambda: resets.rotate(member, by=office),
    ]
    refusals = set(map(refusal_of, operations))

    assert refusals == {Refusal.ACCOUNT_LIMIT}
    assert rows() == before


def test_person_sends_no_more_than_the_limit_and_a_colleague_goes_on(member, office, admin, mailoutbox):
    people = [make_person(f"Person{number}") for number in range(5)]
    for person in people:
        resets.send(person, by=office)

    assert refusal_of(lambda: resets.send(member, by=office)) == Refusal.PERSON_LIMIT
    assert resets.send(member, by=admin).is_live


def test_limits_pass_with_time(member, office, mailoutbox, time_machine):
    send_times(3, member, by=office)
    time_machine.shift(DAY + timedelta(seconds=1))

    assert resets.send(member, by=office).is_live


@pytest.fixture
def time_machine():
    import time_machine

    with time_machine.travel("2027-03-01T12:00:00+00:00", tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize(
    "others", [{"by": None, "origin": Origin.MEMBER}, {"by": None}, {"by": "office", "origin": Origin.MAILING}], ids=str
)
def test_what_was_not_sent_by_hand_uses_up_nothing(member, office, others, mailoutbox):
    send_times(6, member, **{**others, "by": office if others["by"] else None})
    fresh = make_person("Fresh")

    assert resets.send(fresh, by=office).is_live
    assert resets.rotate(member, by=office).is_live


def runs(number, *members, by, again):
    for _ in range(number):
        mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=by, again=again)
        mailings.start(mailing)
        outbox.drain()


def test_mailings_use_up_nothing_of_what_staff_send_by_hand(member, office, mailoutbox):
    resets.send(member, by=office)
    outbox.drain()

    runs(3, member, by=office, again=True)

    assert len(mailoutbox) == 4
    assert resets.send(member, by=office).is_live
    assert resets.send(make_person("Fresh"), by=office).is_live


@pytest.mark.parametrize("again", [True, False], ids=["mailed", "passed over"])
@pytest.mark.slow
def test_mailings_of_the_command_use_up_nothing_of_what_a_member_may_ask_for(member, again, mailoutbox, time_machine):
    """As where a cron job welcomes whom an import has brought, each hour."""
    resets.send(member, by=None)
    runs(12, member, by=None, again=again)
    time_machine.shift(timedelta(minutes=2, seconds=1))
    mailoutbox.clear()

    resets.request(member.email, network="192.0.2.7", site=None, language="en")
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [[member.email]]


def ask_for(member):
    resets.request(member.email, network="192.0.2.7", site=None, language="en")
    outbox.drain()


def test_second_email_within_two_minutes_is_not_sent(member, mailoutbox, time_machine):
    ask_for(member)
    time_machine.shift(timedelta(minutes=1))

    ask_for(member)

    assert len(mailoutbox) == 1


def test_nobody_waits_two_minutes_for_an_email_that_failed(member, mailoutbox, time_machine):
    ask_for(member)
    ResetEmail.objects.update(state=EmailState.FAILED)
    time_machine.shift(timedelta(seconds=5))

    ask_for(member)

    assert len(mailoutbox) == 2


def test_nobody_waits_two_minutes_after_using_a_link(member, mailoutbox, time_machine):
    """Who mistyped the new password, say."""
    ask_for(member)
    reset = PasswordReset.objects.get()
    resets.redeem(resets.open(resets.link(reset)), password="a quiet harbour 7")
    outbox.drain()
    time_machine.shift(timedelta(seconds=5))

    ask_for(member)

    assert ["Choose a new password" in mail.subject for mail in mailoutbox] == [True, False, True]


@pytest.mark.slow
def test_emails_that_failed_count_for_the_day(member, mailoutbox, time_machine):
    for _ in range(12):
        ask_for(member)
        ResetEmail.objects.update(state=EmailState.FAILED)
        time_machine.shift(timedelta(minutes=30))

    assert len(mailoutbox) == 10


@pytest.mark.slow
def test_day_of_a_member_begins_anew_when_a_link_is_used(member, mailoutbox, time_machine, settings):
    """What a stranger had asked for until then does not count against the member."""
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "99/h", "address": "99/h"}
    for _ in range(12):
        ask_for(member)
        time_machine.shift(timedelta(minutes=3))
    spent = len(mailoutbox)
    reset = PasswordReset.objects.get(active_for=member)
    resets.redeem(resets.open(resets.link(reset)), password="a quiet harbour 7")
    outbox.drain()
    mailoutbox.clear()

    for _ in range(12):
        time_machine.shift(timedelta(minutes=3))
        ask_for(member)

    assert (spent, len(mailoutbox)) == (10, 10)


def test_two_clicks_before_the_mail_leaves_count_once(member, office):
    for _ in range(10):
        resets.send(member, by=office)

    assert ResetEmail.objects.count() == 1


def test_account_that_was_just_created_gets_its_welcome_in_any_case(office):
    for number in range(7):
        resets.send(make_person(f"New{number}"), by=office, purpose=Purpose.WELCOME)

    assert ResetEmail.objects.count() == 7


def test_mailing_without_a_person_behind_it_has_no_limit(member, mailoutbox):
    send_times(8, member, by=None)

    assert len(mailoutbox) == 8


@pytest.mark.parametrize("way", [FETCH, {}], ids=["fetch", "page"])
@pytest.mark.parametrize("question", ["send", "correct"])
def test_spent_limit_is_said_logged_and_changes_nothing(client, member, office, mailoutbox, way, question):
    send_times(3, member, by=office)
    client.force_login(office)
    panel_html(client, member)  # a look at the link is noted by itself
    before, logged = rows(), history(member)
    typed = {"effect": "same_link", f"member-reset-{member.get_email_field_name()}": "new@members.example"}

    answer = client.post(url(question, member), typed, follow=True, **way)

    assert "Mia was sent as many of these emails as staff may send to one account" in words(answer.content.decode())
    assert rows() == before
    assert history(member) == [*logged, "refuse"]


def test_help_desk_is_told_of_its_own_limit(client, member, mailoutbox):
    junior = grant(make_person("Jo"), "access_admin", "send_passwordreset")
    for number in range(5):
        resets.send(make_person(f"Person{number}"), by=junior)
    client.force_login(junior)

    answer = client.post(url("send", member), {"effect": "new_link"}, **FETCH)

    assert "you have sent as many of these emails as one person may" in words(answer.content.decode())
    assert ResetEmail.objects.filter(member=member).count() == 0
