"""Runs that meet bad luck: what they come to, and that they come to an end."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.users.models import UserProfile

from tests.conftest import make_person, use_backend
from wagtail_member_reset import batches, bulk, delivery, promises
from wagtail_member_reset.choosing import Choice, Kind
from wagtail_member_reset.conf import Conf
from wagtail_member_reset.delivery import many, worker
from wagtail_member_reset.models import BatchState, EmailState, PasswordReset, ResetEmail, State

pytestmark = pytest.mark.django_db

NEVER = Choice(kind=Kind.NEVER_SIGNED_IN)


@pytest.fixture(autouse=True)
def by_hand(settings):
    """Nothing is sent but by who asks for it."""
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


def people(count, **fields):
    return [make_person(f"Member{number}", **fields) for number in range(count)]


def started(choice=NEVER, **details):
    batch = bulk.draft(choice, by=None, **details)
    assert bulk.start(batch)
    return batch


def in_hand(lease="one"):
    """A chunk whose mails a worker holds, and has not sent."""
    return promises.write(batches.next_chunk(), lease=lease, lease_until=timezone.now() + timedelta(minutes=10))[1]


def drained(batch):
    delivery.drain()
    batch.refresh_from_db()
    return batch


def test_members_of_a_run_are_written_to_in_their_own_language():
    german, plain, without = people(3)
    UserProfile.objects.create(user=german, preferred_language="de")
    UserProfile.objects.create(user=plain)

    started(language="fr")
    in_hand()

    found = dict(ResetEmail.objects.values_list("member", "language"))
    assert found == {german.pk: "de", plain.pk: "fr", without.pk: "fr"}


def test_run_without_members_is_finished(mailoutbox):
    batch = started()

    assert batch.state == BatchState.FINISHED


def test_run_whose_worker_died_before_closing_it_is_finished_by_the_next_pass(mailoutbox):
    people(1)
    batch = started()
    in_hand()
    ResetEmail.objects.update(state=EmailState.HANDED_OVER, lease="", lease_until=None)

    assert drained(batch).state == BatchState.FINISHED
    assert batch.handed_over == 1


def test_run_whose_last_members_were_deleted_is_finished(mailoutbox):
    [member] = people(1)
    batch = started()
    in_hand()
    member.delete()

    assert drained(batch).state == BatchState.FINISHED
    assert (batch.chosen, batch.handled) == (1, 1)


def test_run_that_was_paused_over_its_last_mails_is_finished_when_it_goes_on(mailoutbox):
    people(1)
    batch = started()
    in_hand()
    bulk.pause(batch)
    ResetEmail.objects.update(state=EmailState.HANDED_OVER, lease="", lease_until=None)

    bulk.go_on(batch)

    assert batch.state == BatchState.FINISHED


def test_members_deleted_after_their_mail_leave_nothing_waiting(mailoutbox):
    members = people(3)
    batch = started(per_hour=60)
    delivery.drain()
    members[0].delete()
    batch.chunks.update(due_at=timezone.now())

    drained(batch)

    assert batch.state == BatchState.FINISHED
    assert (batch.handed_over, batch.waiting) == (2, 0)
    assert {each.reason: each.count for each in batch.skips.all()} == {"gone": 1}


def test_mails_of_a_stopped_run_are_not_tried_again(mailoutbox, clock):
    people(2)
    batch = started()
    in_hand("its worker dies")
    bulk.stop(batch, by=None)
    clock.shift(timedelta(minutes=11))

    drained(batch)

    assert not mailoutbox
    assert (batch.skipped, batch.handled) == (2, 2)
    # It may have sent them before it died, so the links stay.
    assert PasswordReset.objects.filter(state=State.ACTIVE).count() == 2


def test_stop_in_the_middle_of_a_chunk_leaves_no_link_that_nobody_has(mailoutbox, monkeypatch):
    monkeypatch.setattr(many, "LOOKED", 2)
    people(5)
    batch = started()
    sent = EmailBackend.send_messages

    def stop(backend, messages):
        bulk.stop(batch, by=None)
        return sent(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", stop)
    monkeypatch.setattr(Conf, "BULK_CONNECTIONS", 1)
    drained(batch)

    assert (batch.handed_over, batch.skipped, batch.waiting) == (2, 3, 0)
    assert PasswordReset.objects.filter(state=State.ACTIVE).count() == 2


def test_failed_mails_of_a_stopped_run_stay_failed(mailoutbox):
    people(1)
    batch = started()
    in_hand()
    ResetEmail.objects.update(state=EmailState.FAILED, lease="", lease_until=None)
    bulk.stop(batch, by=None)

    assert bulk.try_again(batch) == 0
    delivery.drain()
    assert not mailoutbox


def test_look_in_between_does_not_read_the_choice(mailoutbox, monkeypatch):
    monkeypatch.setattr(many, "LOOKED", 2)
    members = people(5)
    started(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)))

    with CaptureQueriesContext(connection) as said:
        delivery.drain()

    looks = [q["sql"] for q in said if "resetemail" in q["sql"] and "choice" in q["sql"]]
    assert looks == []


def test_same_links_are_mailed_without_a_query_for_each(mailoutbox):
    counts = []
    for number in (2, 10):
        people(number)
        started()
        delivery.drain()
        started(again=True)
        with CaptureQueriesContext(connection) as said:
            delivery.drain()
        counts.append(len([q for q in said if "wagtailcore_site" in q["sql"]]))
        get_user_model().objects.all().delete()
    assert counts[0] == counts[1]


def test_chunk_is_not_taken_while_its_run_is_held(mailoutbox):
    people(1)
    batch = started()
    pk = batches.next_chunk()
    batches.hold(batch.pk, timezone.now() + timedelta(hours=1))

    assert delivery.send_chunk(pk) == 0
    assert not mailoutbox


def test_chunk_is_not_taken_before_its_turn(mailoutbox):
    people(2)
    batch = started(per_hour=60)
    late = batch.chunks.order_by("due_at").last()

    assert delivery.send_chunk(late.pk) == 0
    assert not mailoutbox


def test_hours_without_a_worker_are_not_made_up_for(mailoutbox, clock):
    people(6)
    started(per_hour=120)
    clock.shift(timedelta(hours=1))

    sent = []
    for _minute in range(4):
        delivery.drain()
        sent.append(len(mailoutbox))
        clock.shift(timedelta(minutes=1))

    assert sent == [2, 4, 6, 6]


def test_failed_mails_are_tried_again_at_the_rate_of_their_run(mailoutbox, clock):
    people(6)
    batch = started(per_hour=120)
    for _minute in range(3):
        in_hand()
        clock.shift(timedelta(minutes=1))
    ResetEmail.objects.update(state=EmailState.FAILED, lease="", lease_until=None)

    assert bulk.try_again(batch) == 6

    sent = []
    for _minute in range(4):
        delivery.drain()
        sent.append(len(mailoutbox))
        clock.shift(timedelta(minutes=1))
    assert sent == [2, 4, 6, 6]


def test_worker_that_lost_a_chunk_goes_on_with_the_next(mailoutbox, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 1)
    people(3)
    started()
    take = batches.take
    lost = []

    def lose(chunk):
        if not lost:
            lost.append(chunk.pk)
            take(chunk)
            return False
        return take(chunk)

    monkeypatch.setattr(batches, "take", lose)
    delivery.drain()

    assert len(mailoutbox) == 2


def test_mails_of_a_paused_run_wake_nobody(mailoutbox):
    people(1)
    batch = started()
    in_hand()
    ResetEmail.objects.update(state=EmailState.QUEUED, lease="", lease_until=None)
    bulk.pause(batch)

    assert worker.next_due() is None


def test_run_that_is_held_does_not_hold_another():
    people(2)
    held = started()
    other = started()
    batches.hold(held.pk, timezone.now() + timedelta(hours=1))

    assert batches.next_due() <= timezone.now()
    assert other.state == BatchState.RUNNING


def test_setting_that_cannot_be_used_fails_each_mail_and_holds_up_nobody(settings, monkeypatch):
    use_backend(settings, "anymail.backends.mailgun.EmailBackend")
    settings.ANYMAIL = {"MAILGUN_API_KEY": "key", "MAILGUN_SENDER_DOMAIN": "club.example"}
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = 5
    people(3)

    batch = drained(started())

    assert (batch.state, batch.failed) == (BatchState.FINISHED, 3)
    assert set(ResetEmail.objects.values_list("result_code", flat=True)) == {"configuration"}


def test_preview_knows_that_passwords_are_disabled(settings):
    settings.WAGTAILUSERS_PASSWORD_ENABLED = False
    people(2)

    assert bulk.preview(bulk.drafted(NEVER, by=None)).emails == 0
