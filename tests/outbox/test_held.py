"""One rule for links that nobody has: a mailing that is stopped ends them, a late email gets a new one."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from wagtail.models import Site

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import (
    EmailState,
    Mailing,
    MailingState,
    PasswordReset,
    ResetEmail,
    SkipReason,
    State,
)

pytestmark = pytest.mark.django_db

NIGHT = timedelta(hours=17)


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


@pytest.fixture
def waiting(settings, mailbox):
    """A mailing of one, whose link is written and whose email waits."""
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    member = make_person("Mia")
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk,)), by=None)
    mailings.start(mailing)
    return mailing


def issued(*, lease_for=timedelta(minutes=1)):
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + lease_for)
    return PasswordReset.objects.get()


def given_back():
    sending = ResetEmail.objects.filter(state=EmailState.SENDING)
    sending.update(state=EmailState.QUEUED, lease="", lease_until=None, attempts=0)


def untouched(mailbox, clock, office):
    issued()
    given_back()


def refused(code):
    def refuse(mailbox, clock, office):
        mailbox.answers["DATA"] = f"{code} 4.7.1 not now"
        outbox.drain()
        mailbox.answers.clear()

    return refuse


def dropped_after_data(mailbox, clock, office):
    mailbox.drop_after_data = True
    outbox.drain()
    mailbox.drop_after_data = False


def timed_out(mailbox, clock, office):
    mailbox.delay = 3
    outbox.drain()
    mailbox.delay = 0


def worker_died(mailbox, clock, office):
    issued()
    clock.shift(timedelta(minutes=2))


def in_a_workers_hands(mailbox, clock, office):
    issued(lease_for=timedelta(hours=20))


def seen(column):
    def see(mailbox, clock, office):
        issued()
        given_back()
        PasswordReset.objects.update(**{column: timezone.now()})

    return see


def mailed_before(mailbox, clock, office):
    by_staff(mailbox, office)


def refused_to_staff_too(mailbox, clock, office):
    by_staff(mailbox, office, answer="451 4.7.1 not now")


def by_staff(mailbox, office, answer=""):
    """Staff sends the link first, and the mailing then sends the same one."""
    Mailing.objects.update(state=MailingState.PAUSED, again=True)
    mailbox.answers["DATA"] = answer
    reset = resets.send(get_user_model().objects.get(first_name="Mia"), by=office)
    outbox.drain()
    mailbox.answers.clear()
    Mailing.objects.update(state=MailingState.RUNNING)
    assert issued() == reset
    given_back()


HELD = [
    seen("shown_at"),
    seen("copied_at"),
    seen("opened_at"),
    dropped_after_data,
    timed_out,
    worker_died,
    in_a_workers_hands,
    mailed_before,
]
HELD_NAMES = ["shown", "copied", "opened", "dropped", "timed_out", "worker_died", "in_hand", "mailed_before"]
FREE = [untouched, refused(421), refused(451)]
FREE_NAMES = ["untouched", "421", "451"]


@pytest.mark.parametrize("happens", HELD, ids=HELD_NAMES)
@pytest.mark.slow
def test_stop_leaves_a_link_that_somebody_may_have(waiting, mailbox, clock, office, happens):
    happens(mailbox, clock, office)

    mailings.stop(waiting, by=office)
    clock.shift(timedelta(minutes=20))
    outbox.drain()

    assert PasswordReset.objects.get().state == State.ACTIVE


@pytest.mark.parametrize("happens", FREE, ids=FREE_NAMES)
def test_stop_ends_a_link_that_nobody_has(waiting, mailbox, clock, office, happens):
    happens(mailbox, clock, office)

    mailings.stop(waiting, by=office)

    assert PasswordReset.objects.get().state == State.REVOKED


def test_stop_leaves_a_link_that_another_email_is_still_to_bring(waiting, mailbox, clock, office):
    refused_to_staff_too(mailbox, clock, office)

    mailings.stop(waiting, by=office)
    clock.shift(timedelta(minutes=20))
    outbox.drain()

    assert PasswordReset.objects.get().state == State.ACTIVE
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("happens", HELD, ids=HELD_NAMES)
@pytest.mark.slow
def test_late_email_leaves_a_link_that_somebody_may_have(waiting, mailbox, clock, office, happens):
    happens(mailbox, clock, office)
    mailbox.messages.clear()
    clock.shift(NIGHT + timedelta(hours=4))

    outbox.drain()

    email = waiting.emails.get()
    assert mailbox.messages == []
    assert (email.skip_reason, PasswordReset.objects.get().state) == (SkipReason.WINDOW_CLOSED, State.ACTIVE)


@pytest.mark.parametrize("happens", FREE, ids=FREE_NAMES)
def test_late_email_comes_with_a_new_link_where_nobody_has_the_old_one(waiting, mailbox, clock, office, happens):
    happens(mailbox, clock, office)
    clock.shift(NIGHT)

    outbox.drain()

    waiting.refresh_from_db()
    assert (len(mailbox.messages), waiting.handed_over) == (1, 1)
    assert sorted(PasswordReset.objects.values_list("state", flat=True)) == [State.ACTIVE, State.SUPERSEDED]


def test_two_late_emails_of_one_link_become_one_with_a_new_link(waiting, mailbox, clock, office):
    refused_to_staff_too(mailbox, clock, office)
    clock.shift(NIGHT)

    outbox.drain()

    assert len(mailbox.messages) == 1
    assert waiting.emails.get().skip_reason == SkipReason.LINK_CLOSED


@pytest.mark.parametrize("seconds", [30, 119, 180])
@pytest.mark.parametrize("is_paused", [False, True], ids=["under way", "paused"])
def test_who_asks_on_the_website_does_not_wait_for_an_email_of_a_mailing(mailbox, clock, waiting, is_paused, seconds):
    issued()
    given_back()
    ResetEmail.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    if is_paused:
        mailings.pause(waiting)
    clock.shift(timedelta(seconds=seconds))

    for _each in range(2):
        resets.request("mia@members.example", network="192.0.2.7", site=Site.objects.get(), language="en")
        outbox.drain()

    assert len(mailbox.messages) == 1
