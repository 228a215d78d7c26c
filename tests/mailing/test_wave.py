"""A first wave: the first emails leave, and the others wait until somebody lets them go."""

import pytest
from django.contrib.auth import get_user_model

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import Choice, Kind, suggested_pace, wave
from wagtail_member_reset.models import EmailState, Mailing, MailingState, PauseReason, ResetEmail
from wagtail_member_reset.outbox import tasks, transport
from wagtail_member_reset.outbox.transport import Answer, Result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]
LATER = Result(answer=Answer.LATER, code="smtp_451", is_certain=True)


def draft_of(number, **fields):
    keys = [make_person(f"M{each}", **fields).pk for each in range(number)]
    return mailings.draft(Choice(kind=Kind.IDS, ids=tuple(keys)), by=None)


def started(number, *, places=3, per_hour=None, **fields):
    mailing = draft_of(number, **fields)
    mailing.wave_left, mailing.per_hour = places, per_hour
    assert mailings.start(mailing)
    return mailing


def now(mailing):
    mailing.refresh_from_db()
    return mailing.state, mailing.paused_because, mailing.handed_over


AFTER_WAVE = (MailingState.PAUSED, PauseReason.FIRST_WAVE, 3)


def test_mailing_pauses_after_its_first_wave_says_why_and_goes_on_once_told(mailoutbox):
    mailing = started(9)
    outbox.drain()
    outbox.drain()

    assert now(mailing) == AFTER_WAVE
    assert len(mailoutbox) == 3
    said = mailings.progress(mailing).why_paused
    assert "paused automatically after the first wave, as you wanted: 3 emails were sent." in said

    assert mailings.go_on(mailing)
    outbox.drain()
    assert now(mailing) == (MailingState.FINISHED, "", 9)
    assert (mailing.bounce_limit, len(mailoutbox)) == (0.05, 9)


def test_who_is_passed_over_takes_no_place_in_the_wave():
    mailing = draft_of(9)
    get_user_model().objects.filter(pk__in=mailing.choice["ids"][:5]).update(is_active=False)
    mailing.wave_left = 3
    mailings.start(mailing)

    outbox.drain()

    assert now(mailing) == AFTER_WAVE


def test_mailing_that_is_no_larger_than_its_wave_finishes():
    mailing = started(3)

    outbox.drain()

    assert now(mailing) == (MailingState.FINISHED, "", 3)


def test_wave_under_a_limit_is_no_larger(time_machine):
    time_machine.move_to("2026-11-23 12:00+00:00", tick=False)
    mailing = started(9, per_hour=60)

    for _minute in range(8):
        outbox.drain()
        time_machine.shift(60)

    assert now(mailing) == AFTER_WAVE


def test_email_that_is_to_come_later_holds_up_no_pause_and_takes_no_second_place(monkeypatch):
    answers = iter([LATER])
    send = transport.Mailer.send
    monkeypatch.setattr(transport.Mailer, "send", lambda *args, **kwargs: next(answers, None) or send(*args, **kwargs))
    mailing = started(9)
    outbox.drain()

    assert now(mailing) == (MailingState.PAUSED, PauseReason.FIRST_WAVE, 2)
    mailings.go_on(mailing)
    ResetEmail.objects.filter(state=EmailState.QUEUED).update(next_attempt_at=mailing.started_at)
    outbox.drain()
    assert now(mailing) == (MailingState.FINISHED, "", 9)


def test_pause_by_hand_within_the_wave_keeps_the_rest_of_it():
    mailing = started(9)
    Mailing.objects.update(wave_left=2)
    mailings.pause(mailing)
    mailings.go_on(mailing)

    outbox.drain()

    assert now(mailing) == (MailingState.PAUSED, PauseReason.FIRST_WAVE, 2)


def test_wave_whose_worker_died_before_it_paused_is_paused_by_the_next_pass():
    mailing = started(9)
    Mailing.objects.update(wave_left=0)

    outbox.drain()

    assert now(mailing) == (MailingState.PAUSED, PauseReason.FIRST_WAVE, 0)


def test_two_workers_together_take_no_more_than_the_wave(db):
    mailing = started(9)
    stale = Mailing.objects.get(pk=mailing.pk)

    taken = [wave.take_places(mailing, 2), wave.take_places(stale, 2), wave.take_places(stale, 2)]

    assert taken == [2, 1, 0]


def test_task_of_a_wave_is_one(monkeypatch):
    class Slow:
        supports_defer = True

    monkeypatch.setattr(tasks.deliver, "get_backend", lambda: Slow, raising=False)
    mailing = started(9)

    assert tasks._goes_slowly(mailing)


@pytest.mark.parametrize(("emails", "pace"), [(5000, 500), (20_000, 2000), (20_140, 2000), (1_000_000, 5000)])
def test_suggested_pace_spreads_a_mailing_over_a_day(emails, pace):
    assert suggested_pace(emails) == pace
