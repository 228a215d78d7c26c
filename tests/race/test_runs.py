"""Runs to many, with several workers and people at once. RACE_ROUNDS says how many rounds."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import batches, bulk, delivery, promises, resets
from wagtail_member_reset.choosing import Choice, Kind
from wagtail_member_reset.models import BatchState, EmailState, PasswordReset, ResetBatch, ResetEmail, State

from .test_races import ROUNDS, all_at_once, live, no_limits, won  # noqa: F401 - a fixture is among them

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MEMBERS = 9
WORKERS = 4


@pytest.fixture(autouse=True)
def small_chunks(settings, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    monkeypatch.setattr(batches, "CHUNK", 2)


def rounds():
    """A run that was started, its members, and the account of staff, for each round."""
    staff = make_person("Otto", is_superuser=True)
    for number in range(ROUNDS):
        mail.outbox.clear()
        members = [make_person(f"Mia{number}x{each}") for each in range(MEMBERS)]
        batch = bulk.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=staff)
        bulk.start(batch)
        yield batch, members, staff


def reckoned(batch):
    """The run as it stands, once nobody is at it any more."""
    delivery.drain()
    batch.refresh_from_db()
    assert not batch.chunks.exists()
    assert not batch.emails.unsent().exists()
    found = Counter(batch.emails.values_list("state", flat=True))
    assert (batch.handed_over, batch.failed) == (found[EmailState.HANDED_OVER], found[EmailState.FAILED])
    assert batch.handled == batch.chosen == MEMBERS
    return batch


def mailed():
    return Counter(message.to[0] for message in mail.outbox)


def test_four_workers_mail_each_member_once():
    for batch, members, _staff in rounds():
        all_at_once(*[delivery.drain] * WORKERS)

        assert reckoned(batch).state == BatchState.FINISHED
        assert mailed() == {member.email: 1 for member in members}
        assert [live(member).count() for member in members] == [1] * MEMBERS


def test_run_is_started_once_whoever_clicks():
    for batch, members, _staff in rounds():
        draft = bulk.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=None, again=True)
        copies = [ResetBatch.objects.get(pk=draft.pk) for _ in range(WORKERS)]

        answers = all_at_once(*[lambda copy=copy: bulk.start(copy) for copy in copies])

        assert sorted(answers) == [False] * (WORKERS - 1) + [True]
        bulk.stop(batch, by=None)
        assert reckoned(draft).handed_over == MEMBERS


def test_single_sends_beside_a_run_leave_one_link_each():
    for batch, members, staff in rounds():
        single = [lambda member=member: resets.send(member, by=staff) for member in members[::3]]

        all_at_once(*[delivery.drain] * WORKERS, *single)

        reckoned(batch)
        assert [live(member).count() for member in members] == [1] * MEMBERS
        assert set(mailed()) == {member.email for member in members}


def test_stopping_beside_the_workers_leaves_no_link_that_was_not_mailed():
    for batch, members, staff in rounds():
        copies = [ResetBatch.objects.get(pk=batch.pk) for _ in range(2)]
        stops = [lambda copy=copy: bulk.stop(copy, by=staff) for copy in copies]

        *_drained, one, other = all_at_once(*[delivery.drain] * WORKERS, *stops)

        assert not (one and other)
        if one or other:
            assert reckoned(batch).state == BatchState.STOPPED
        alive = PasswordReset.objects.filter(member__in=members, state=State.ACTIVE)
        sent = ResetEmail.objects.filter(batch=batch, state=EmailState.HANDED_OVER)
        assert set(alive.values_list("pk", flat=True)) == set(sent.values_list("reset", flat=True))
        assert set(mailed().values()) <= {1}


def test_pausing_and_going_on_beside_the_workers_loses_nobody():
    for batch, members, _staff in rounds():
        copies = [ResetBatch.objects.get(pk=batch.pk) for _ in range(4)]
        moves = [lambda copy=copy: bulk.pause(copy) or bulk.go_on(copy) for copy in copies]

        all_at_once(*[delivery.drain] * WORKERS, *moves)

        bulk.go_on(ResetBatch.objects.get(pk=batch.pk))
        assert reckoned(batch).state == BatchState.FINISHED
        assert mailed() == {member.email: 1 for member in members}


def test_retrying_the_failed_ones_at_once_mails_each_once_more():
    for batch, members, _staff in rounds():
        delivery.drain()
        batch.emails.update(state=EmailState.FAILED)
        ResetBatch.objects.filter(pk=batch.pk).update(failed=MEMBERS, handed_over=0)
        mail.outbox.clear()

        again = all_at_once(*[lambda: bulk.try_again(batch)] * WORKERS, *[delivery.drain] * 2)[:WORKERS]

        assert sum(won(again)) == MEMBERS
        assert reckoned(batch).state == BatchState.FINISHED
        assert mailed() == {member.email: 1 for member in members}


def test_members_whose_mails_are_being_written_are_not_counted_as_stopped(monkeypatch):
    for number in range(4):
        make_person(f"Member{number}")
    batch = bulk.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    bulk.start(batch)
    pk, is_taken, take = batches.next_chunk(), threading.Event(), batches.take

    def take_and_be_slow(chunk):
        taken = take(chunk)
        is_taken.set()
        threading.Event().wait(0.5)
        return taken

    def work():
        try:
            promises.write(pk, lease="one", lease_until=timezone.now() + timedelta(minutes=10))
        finally:
            connection.close()

    monkeypatch.setattr(batches, "take", take_and_be_slow)
    worker = threading.Thread(target=work)
    worker.start()
    is_taken.wait(10)
    bulk.stop(batch, by=None)
    worker.join(10)

    assert ResetEmail.objects.filter(batch=batch).count() == 2
    assert {each.reason: each.count for each in batch.skips.all()} == {"stopped": 2}
