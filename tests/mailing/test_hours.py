"""Start time and hours of sending: on the clock of the site, by the command, by the thread, and by tasks."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import opens_at
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingState, ResetEmail
from wagtail_member_reset.outbox import queue, send_many

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]
BERLIN = ZoneInfo("Europe/Berlin")


def at(text, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).astimezone(ZoneInfo("UTC"))


def hours(start, end, **details):
    return Mailing(hours_from=time.fromisoformat(start), hours_to=time.fromisoformat(end), **details)


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(at("2026-11-23 12:00"), tick=False)
    return time_machine


def started(*names, **details):
    people = [make_person(name) for name in names]
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(each.pk for each in people)), by=None, **details)
    assert mailings.start(mailing)
    return mailing


DAY, NIGHT = ("09:00", "17:00"), ("20:00", "06:00")


@pytest.mark.parametrize(
    ("said", "now", "opening"),
    [
        (DAY, "2026-11-23 08:59:59", "2026-11-23 09:00"),
        (DAY, "2026-11-23 09:00", None),
        (DAY, "2026-11-23 16:59:59", None),
        (DAY, "2026-11-23 17:00", "2026-11-24 09:00"),
        (NIGHT, "2026-11-23 06:00", "2026-11-23 20:00"),
        (NIGHT, "2026-11-23 23:59", None),
        (NIGHT, "2026-11-24 05:59", None),
        (("09:00", "09:00"), "2026-11-24 03:00", None),
        # Summer time begins on March 28, 2027, and ends on October 31.
        (DAY, "2027-03-27 18:00", "2027-03-28 09:00"),
        (DAY, "2027-10-30 18:00", "2027-10-31 09:00"),
        (("02:30", "04:00"), "2027-03-28 01:59", "2027-03-28 03:30"),
        (("02:10", "02:50"), "2027-03-28 01:00", "2027-03-29 02:10"),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(said, now, opening):
    assert opens_at(hours(*said), now=at(now)) == (opening and at(opening))


def test_hour_that_comes_twice_is_open_both_times_and_no_moment_beside():
    mailing = hours("02:30", "02:45")

    assert opens_at(mailing, now=at("2027-10-31 02:00")) == at("2027-10-31 02:30")
    assert opens_at(mailing, now=at("2027-10-31 02:50")) == at("2027-10-31 02:30", fold=1)
    assert opens_at(mailing, now=at("2027-10-31 02:40", fold=1)) is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
def test_next_opening_is_always_within_the_hours_and_to_come(settings, zone):
    settings.TIME_ZONE = zone
    for said in (DAY, NIGHT, ("02:30", "04:30"), ("00:00", "00:01")):
        mailing = hours(*said)
        for each in range(0, 24 * 366, 7):
            now = at("2027-01-01 00:00") + timedelta(hours=each)
            opening = opens_at(mailing, now=now)
            assert opening is None or (opening > now and opens_at(mailing, now=opening) is None)


def test_start_time_outside_the_hours_waits_for_them():
    mailing = hours(*DAY, starts_at=at("2026-11-24 18:00"))

    assert opens_at(mailing, now=at("2026-11-23 12:00")) == at("2026-11-25 09:00")
    assert opens_at(mailing, now=at("2026-11-25 12:00")) is None


def test_nothing_leaves_before_the_start_time_and_then_it_does_by_itself(clock, mailoutbox):
    mailing = started("Mia", starts_at=at("2026-11-24 09:00"))

    for moment in ("2026-11-23 12:00", "2026-11-24 08:59:58"):
        clock.move_to(at(moment), tick=False)
        assert outbox.drain() == 0
    assert not ResetEmail.objects.exists()  # not even a link was made
    assert queue.next_due() == at("2026-11-24 09:00")  # what the thread waits for
    clock.move_to(at("2026-11-24 09:00:01"), tick=False)
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, len(mailoutbox)) == (MailingState.FINISHED, 1)


def test_nothing_leaves_outside_the_hours_be_it_a_first_attempt_or_another(clock, mailoutbox):
    clock.move_to(at("2026-11-23 16:00"), tick=False)
    started("Mia", hours_from=time(9), hours_to=time(17))
    outbox.drain()
    ResetEmail.objects.update(state=EmailState.QUEUED, lease="", handed_over_at=None, possible_copies=0)
    late = started("Ole", hours_from=time(9), hours_to=time(17))
    mailoutbox.clear()

    clock.move_to(at("2026-11-23 17:00"), tick=False)
    outbox.drain()
    outbox.drain()

    assert mailoutbox == []
    assert queue.next_due() == at("2026-11-24 09:00")
    clock.move_to(at("2026-11-24 09:00"), tick=False)
    outbox.drain()
    assert sorted(mail.to[0] for mail in mailoutbox) == ["mia@members.example", "ole@members.example"]
    late.refresh_from_db()
    assert late.state == MailingState.FINISHED


def test_hours_that_end_while_a_chunk_is_sent_keep_the_rest_for_the_next_day(clock, mailoutbox, monkeypatch):
    clock.move_to(at("2026-11-23 16:59:50"), tick=False)
    mailing = started(*(f"M{number}" for number in range(6)), hours_from=time(9), hours_to=time(17))
    compose = send_many.letter.compose

    def slowly(*args):
        clock.shift(timedelta(seconds=4))
        return compose(*args)

    monkeypatch.setattr(send_many.letter, "compose", slowly)
    outbox.drain()
    outbox.drain()

    assert len(mailoutbox) == 3
    assert queue.next_due() == at("2026-11-24 09:00")
    assert ResetEmail.objects.filter(state=EmailState.QUEUED, attempts=0).count() == 3
    clock.move_to(at("2026-11-24 09:00"), tick=False)
    outbox.drain()
    mailing.refresh_from_db()
    assert (mailing.state, len({mail.to[0] for mail in mailoutbox}), len(mailoutbox)) == (MailingState.FINISHED, 6, 6)


def test_single_send_to_whom_the_mailing_has_not_come_yet_leaves_at_once(clock, mailoutbox, admin):
    clock.move_to(at("2026-11-23 16:59"), tick=False)
    started("Mia", hours_from=time(9), hours_to=time(17))
    outbox.drain()
    ResetEmail.objects.update(state=EmailState.QUEUED, lease="", handed_over_at=None)
    mailoutbox.clear()
    clock.move_to(at("2026-11-23 23:00"), tick=False)

    resets.send(ResetEmail.objects.get().member, by=admin)
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]
    assert ResetEmail.objects.filter(state=EmailState.QUEUED).count() == 1  # that of the mailing


def test_mailing_with_a_limit_and_hours_keeps_both(clock, mailoutbox):
    clock.move_to(at("2026-11-23 16:30"), tick=False)
    started(*(f"M{number}" for number in range(90)), hours_from=time(9), hours_to=time(17), per_hour=60)

    sent = []
    for minute in range(0, 24 * 60, 10):
        clock.move_to(at("2026-11-23 16:30") + timedelta(minutes=minute), tick=False)
        before = len(mailoutbox)
        outbox.drain()
        if len(mailoutbox) > before:
            sent.append(timezone.localtime(timezone.now(), BERLIN))

    assert len(mailoutbox) == 90
    assert {each.hour for each in sent} == {16, 9, 10}


def test_pause_and_go_on_at_night_wait_for_the_morning(clock, mailoutbox):
    mailing = started("Mia", hours_from=time(9), hours_to=time(17), starts_at=at("2026-11-24 09:00"))
    clock.move_to(at("2026-11-24 20:00"), tick=False)
    mailings.pause(mailing)
    mailings.go_on(mailing)

    outbox.drain()

    assert (mailing.turn_at, mailoutbox) == (at("2026-11-25 09:00"), [])


def test_stopped_before_its_start_time_it_never_begins(clock, mailoutbox):
    mailing = started("Mia", starts_at=at("2026-11-24 09:00"))
    mailings.stop(mailing, by=None)

    clock.move_to(at("2026-11-25 09:00"), tick=False)
    outbox.drain()

    assert (mailing.state, mailoutbox) == (MailingState.STOPPED, [])


def test_no_time_left_is_told_that_the_night_would_belie(clock):
    mailing = started(*(f"M{number}" for number in range(10)), hours_from=time(9), hours_to=time(17), per_hour=1)
    assert mailings.progress(mailing).left is None

    short = started("Mia", hours_from=time(9), hours_to=time(17), per_hour=1)
    assert mailings.progress(short).left == timedelta(hours=1)
    clock.move_to(at("2026-11-23 20:00"), tick=False)
    assert mailings.progress(short).left is None


def test_hours_are_kept_on_a_site_without_time_zones(settings):
    settings.USE_TZ = False
    early = datetime(2026, 11, 23, 8, 0)  # noqa: DTZ001 - as with USE_TZ = False

    assert opens_at(hours(*DAY), now=early) == early.replace(hour=9)
    assert opens_at(hours(*NIGHT), now=early.replace(hour=22)) is None
