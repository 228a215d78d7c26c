"""Mailings, with several workers and people at once. RACE_ROUNDS says how many rounds."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingState, PasswordReset, ResetEmail, State

from .test_races import ROUNDS, all_at_once, live, no_limits, won  # noqa: F401 - a fixture is among them

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MEMBERS = 9
WORKERS = 4


@pytest.fixture(autouse=True)
def small_chunks(settings, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    monkeypatch.setattr(chunks, "CHUNK", 2)


def rounds():
    """A mailing that was started, its members, and the account of staff, for each round."""
    staff = make_person("Otto", is_superuser=True)
    for number in range(ROUNDS):
        mail.outbox.clear()
        members = [make_person(f"Mia{number}x{each}") for each in range(MEMBERS)]
        mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=staff)
        mailings.start(mailing)
        yield mailing, members, staff


def reckoned(mailing):
    """The mailing as it stands, once nobody is at it any more."""
    outbox.drain()
    mailing.refresh_from_db()
    # Those of a stopped one stay, for who wants to reach the rest.
    assert mailing.state == MailingState.STOPPED or not mailing.chunks.exists()
    assert not mailing.emails.unsent().exists()
    found = Counter(mailing.emails.filter(replaced_at=None).values_list("state", flat=True))
    assert (mailing.handed_over, mailing.failed) == (found[EmailState.HANDED_OVER], found[EmailState.FAILED])
    assert mailing.handled == mailing.chosen == MEMBERS
    return mailing


def mailed():
    return Counter(message.to[0] for message in mail.outbox)


@pytest.mark.slow
def test_four_workers_mail_each_member_once():
    for mailing, members, _staff in rounds():
        all_at_once(*[outbox.drain] * WORKERS)

        assert reckoned(mailing).state == MailingState.FINISHED
        assert mailed() == {member.email: 1 for member in members}
        assert [live(member).count() for member in members] == [1] * MEMBERS


def test_mailing_is_started_once_whoever_clicks():
    for mailing, members, _staff in rounds():
        draft = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=None, again=True)
        copies = [Mailing.objects.get(pk=draft.pk) for _ in range(WORKERS)]

        answers = all_at_once(*[lambda copy=copy: mailings.start(copy) for copy in copies])

        assert sorted(answers) == [False] * (WORKERS - 1) + [True]
        mailings.stop(mailing, by=None)
        assert reckoned(draft).handed_over == MEMBERS


@pytest.mark.slow
def test_single_sends_beside_a_mailing_leave_one_link_each():
    for mailing, members, staff in rounds():
        single = [lambda member=member: resets.send(member, by=staff) for member in members[::3]]

        all_at_once(*[outbox.drain] * WORKERS, *single)

        reckoned(mailing)
        assert [live(member).count() for member in members] == [1] * MEMBERS
        assert set(mailed()) == {member.email for member in members}


def test_stopping_beside_the_workers_leaves_no_link_that_was_not_mailed():
    for mailing, members, staff in rounds():
        copies = [Mailing.objects.get(pk=mailing.pk) for _ in range(2)]
        stops = [lambda copy=copy: mailings.stop(copy, by=staff) for copy in copies]

        *_drained, one, other = all_at_once(*[outbox.drain] * WORKERS, *stops)

        assert not (one and other)
        if one or other:
            assert reckoned(mailing).state == MailingState.STOPPED
        alive = PasswordReset.objects.filter(member__in=members, state=State.ACTIVE)
        sent = ResetEmail.objects.filter(mailing=mailing, state=EmailState.HANDED_OVER)
        assert set(alive.values_list("pk", flat=True)) == set(sent.values_list("reset", flat=True))
        assert set(mailed().values()) <= {1}


@pytest.mark.slow
def test_pausing_and_going_on_beside_the_workers_loses_nobody():
    for mailing, members, _staff in rounds():
        copies = [Mailing.objects.get(pk=mailing.pk) for _ in range(4)]
        moves = [lambda copy=copy: mailings.pause(copy) or mailings.go_on(copy) for copy in copies]

        all_at_once(*[outbox.drain] * WORKERS, *moves)

        mailings.go_on(Mailing.objects.get(pk=mailing.pk))
        assert reckoned(mailing).state == MailingState.FINISHED
        assert mailed() == {member.email: 1 for member in members}


def test_retrying_the_failed_ones_at_once_mails_each_once_more():
    for mailing, members, _staff in rounds():
        outbox.drain()
        mailing.emails.update(state=EmailState.FAILED)
        Mailing.objects.filter(pk=mailing.pk).update(failed=MEMBERS, handed_over=0)
        mail.outbox.clear()

        again = all_at_once(*[lambda: mailings.try_again(mailing)] * WORKERS, *[outbox.drain] * 2)[:WORKERS]

        assert sum(won(again)) == MEMBERS
        assert reckoned(mailing).state == MailingState.FINISHED
        assert mailed() == {member.email: 1 for member in members}


def test_members_whose_mails_are_being_written_are_not_counted_as_stopped(monkeypatch):
    for number in range(4):
        make_person(f"Member{number}")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(mailing)
    pk, is_taken, take = chunks.next_chunk(), threading.Event(), chunks.take

    def take_and_be_slow(chunk, number):
        taken = take(chunk, number)
        is_taken.set()
        threading.Event().wait(0.5)
        return taken

    def work():
        try:
            issue.issue_chunk(pk, lease="one", lease_until=timezone.now() + timedelta(minutes=10))
        finally:
            connection.close()

    monkeypatch.setattr(chunks, "take", take_and_be_slow)
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    is_taken.wait(10)
    mailings.stop(mailing, by=None)
    worker.join(10)

    assert ResetEmail.objects.filter(mailing=mailing).count() == 2
    assert {each.reason: each.count for each in mailing.skips.all()} == {"stopped": 2}
