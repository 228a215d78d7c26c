"""Mailings beside single mails, and over a mail service that is overrun or away."""

import threading
import time

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from tests.conftest import make_person, use_backend
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, MailingState, ResetEmail
from wagtail_member_reset.outbox import send_many
from wagtail_member_reset.signals import delivery_changed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]


class OneAtATime(BaseEmailBackend):
    """As most connections are: who uses one from two threads at once breaks it."""

    overlaps = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.busy = threading.Lock()

    def open(self):
        return True

    def send_messages(self, messages):
        if not self.busy.acquire(blocking=False):
            self.overlaps.append(messages[0].to)
            return 1
        try:
            time.sleep(0.02)
        finally:
            self.busy.release()
        return 1


class Away(BaseEmailBackend):
    """A server that takes no connection until it is back."""

    is_back, tried = False, []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def open(self):
        return True

    def send_messages(self, messages):
        self.tried.append(messages[0].to[0])
        if not self.is_back:
            raise ConnectionRefusedError
        return 1


@pytest.fixture
def away(settings, monkeypatch):
    use_backend(settings, "tests.outbox.test_overrun.Away")
    monkeypatch.setattr(Away, "is_back", False)
    monkeypatch.setattr(Away, "tried", [])
    monkeypatch.setattr(send_many, "MOST_REFUSED", 3)
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    return Away


def started(count):
    for number in range(count):
        make_person(f"Member{number}")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(mailing)
    return mailing


@pytest.mark.slow
def test_single_mails_in_between_share_no_connection_with_those_of_the_mailing(settings, monkeypatch):
    use_backend(settings, "tests.outbox.test_overrun.OneAtATime")
    monkeypatch.setattr(send_many, "WRITTEN", 1)
    monkeypatch.setattr(send_many, "LOOKED", 3)
    monkeypatch.setattr(OneAtATime, "overlaps", [])
    mailing = started(24)
    people = iter([make_person(f"Single{number}", last_login=timezone.now()) for number in range(24)])

    def somebody_asks(sender, email, **kwargs):
        if email.mailing_id and (person := next(people, None)):
            resets.send(person, by=None)

    delivery_changed.connect(somebody_asks)
    try:
        outbox.drain()
    finally:
        delivery_changed.disconnect(somebody_asks)

    mailing.refresh_from_db()
    assert OneAtATime.overlaps == []
    assert (mailing.state, mailing.handed_over) == (MailingState.FINISHED, 24)


def test_server_that_is_away_is_left_alone_with_the_rest_of_the_mailing(away):
    mailing = started(10)

    outbox.drain()
    outbox.drain()

    mailing.refresh_from_db()
    assert len(away.tried) == 3
    assert mailing.held_until > timezone.now()
    assert ResetEmail.objects.filter(state=EmailState.QUEUED, attempts=0).count() == 7


def test_mailing_goes_on_when_the_server_is_back(away, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    mailing = started(10)
    outbox.drain()
    away.is_back = True
    time_machine.shift(31)

    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == (MailingState.FINISHED, 10)
    assert len(away.tried) == 13


def test_thread_wakes_when_the_hold_of_a_mailing_is_over(away):
    from wagtail_member_reset.outbox import queue

    mailing = started(4)

    outbox.drain()

    mailing.refresh_from_db()
    assert queue.next_due() == mailing.held_until
