"""The time that a mailing will still take: at the pace at which it was worked on, not by days gone by."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import chunks, state
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import Mailing
from wagtail_member_reset.outbox import send_many, transport
from wagtail_member_reset.outbox.transport import Answer, Result

pytestmark = pytest.mark.django_db

MEMBERS = 60
# What is left is told from what was written, which is some seconds old, and by a pace of few emails.
SOON = timedelta(seconds=2 * MEMBERS)
DAY = timedelta(days=1)


class WorkerDied(BaseException):
    """Nothing was said to anybody."""


class Server:
    """Takes a second for each mail, until its patience is at an end."""

    def __init__(self, clock):
        self.clock, self.said, self.until, self.dies = clock, 0, 0, False

    def send(self, *_args, **_details):
        if self.dies and self.said >= self.until:
            raise WorkerDied
        self.said += 1
        self.clock.shift(timedelta(seconds=1))
        return Result(answer=Answer.ACCEPTED, code="accepted", is_certain=True)

    def work(self, emails):
        """One worker's pass, which is told to end after so many emails."""
        self.until = self.said + emails
        outbox.drain(is_stopping=lambda: self.said >= self.until)

    def work_and_die(self, emails):
        self.until, self.dies = self.said + emails, True
        with pytest.raises(WorkerDied):
            outbox.drain()
        self.dies = False


@pytest.fixture
def server(settings, monkeypatch, time_machine):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    time_machine.move_to("2026-11-23 12:00:00+00:00", tick=False)
    monkeypatch.setattr(send_many, "time", SimpleNamespace(monotonic=lambda: timezone.now().timestamp()))
    monkeypatch.setattr(chunks, "CHUNK", 20)
    played = Server(time_machine)
    monkeypatch.setattr(transport.Mailer, "send", played.send)
    return played


@pytest.fixture
def mailing(server):
    for number in range(MEMBERS):
        make_person(f"Member{number}")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(mailing)
    return mailing


def left(mailing):
    found = mailings.progress(Mailing.objects.get(pk=mailing.pk)).left
    return found if found is None else found.total_seconds()


def told_soon(seconds):
    return seconds is not None and 0 < seconds <= SOON.total_seconds()


def test_time_left_is_told_while_somebody_is_at_it(server, mailing):
    server.work(10)

    assert told_soon(left(mailing))


def test_time_left_counts_no_day_before_the_first_worker_came(server, mailing):
    server.clock.shift(DAY)
    server.work(10)

    assert told_soon(left(mailing))


def test_time_left_counts_no_pause(server, mailing):
    server.work(10)
    mailings.pause(mailing)
    paused = left(mailing)
    server.clock.shift(DAY)
    mailings.go_on(mailing)
    server.work(10)

    assert paused is None
    assert told_soon(left(mailing))


def test_time_left_counts_no_day_between_going_on_and_the_next_worker(server, mailing):
    server.work(10)
    mailings.pause(mailing)
    server.clock.shift(DAY)
    mailings.go_on(mailing)
    server.clock.shift(DAY)
    server.work(10)

    assert told_soon(left(mailing))


@pytest.mark.parametrize("late", [timedelta(0), DAY])
def test_time_left_counts_no_hold(server, mailing, late):
    server.work(10)
    state.hold_mailing(mailing.pk, timezone.now() + timedelta(hours=1))
    held = left(mailing)
    server.clock.shift(timedelta(hours=1) + late)
    server.work(10)

    assert not held or held >= 3600 or told_soon(held)
    assert told_soon(left(mailing))


@pytest.mark.parametrize("emails", [10, 20, 30])
def test_time_left_counts_no_days_in_which_its_process_was_dead(server, mailing, emails):
    """What the dead one had in hand is taken up as a retry, before any chunk is."""
    server.work_and_die(emails)
    server.clock.shift(3 * DAY)
    forgotten = left(mailing)
    server.work(10)

    assert forgotten is None
    assert told_soon(left(mailing))


def test_time_left_of_a_mailing_with_a_limit_is_that_of_its_limit(server, mailing):
    Mailing.objects.filter(pk=mailing.pk).update(per_hour=120)
    server.clock.shift(DAY)
    server.work(10)

    assert left(mailing) == (MEMBERS - 2) * 30 or left(mailing) == (MEMBERS - 10) * 30
