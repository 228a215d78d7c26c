"""Mailings that meet bad luck: what they come to, and that they come to an end."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.users.models import UserProfile

from tests.conftest import make_person, use_backend
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.conf import Conf
from wagtail_member_reset.mailing import chunks, issue, state
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingState, PasswordReset, ResetEmail, State
from wagtail_member_reset.outbox import queue, send_many

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

NEVER = Choice(kind=Kind.NEVER_SIGNED_IN)


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


def people(count, **fields):
    return [make_person(f"Member{number}", **fields) for number in range(count)]


def started(choice=NEVER, **details):
    mailing = mailings.draft(choice, by=None, **details)
    assert mailings.start(mailing)
    return mailing


def in_hand(lease="one"):
    """A chunk whose mails a worker holds, and has not sent."""
    return issue.issue_chunk(
        chunks.next_chunk(), lease=lease, lease_until=timezone.now() + timedelta(minutes=10)
    ).emails


def drained(mailing):
    outbox.drain()
    mailing.refresh_from_db()
    return mailing


def test_members_of_a_mailing_are_written_to_in_their_own_language(settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("fr", "French")]
    german, plain, without = people(3)
    UserProfile.objects.create(user=german, preferred_language="de")
    UserProfile.objects.create(user=plain)

    started(language="fr")
    in_hand()

    found = dict(ResetEmail.objects.values_list("member", "language"))
    assert found == {german.pk: "de", plain.pk: "fr", without.pk: "fr"}


def test_mailing_without_members_is_finished(mailoutbox):
    mailing = started()

    assert mailing.state == MailingState.FINISHED


def test_mailing_whose_worker_died_before_closing_it_is_finished_by_the_next_pass(mailoutbox):
    people(1)
    mailing = started()
    in_hand()
    ResetEmail.objects.update(state=EmailState.HANDED_OVER, lease="", lease_until=None)
    Mailing.objects.update(handed_over=1)

    assert drained(mailing).state == MailingState.FINISHED
    assert mailing.handed_over == 1


def test_mailing_whose_last_members_were_deleted_is_finished(mailoutbox):
    [member] = people(1)
    mailing = started()
    in_hand()
    member.delete()

    assert drained(mailing).state == MailingState.FINISHED
    assert (mailing.chosen, mailing.handled) == (1, 1)


def test_mailing_that_was_paused_over_its_last_mails_is_finished_when_it_goes_on(mailoutbox):
    people(1)
    mailing = started()
    in_hand()
    mailings.pause(mailing)
    ResetEmail.objects.update(state=EmailState.HANDED_OVER, lease="", lease_until=None)

    mailings.go_on(mailing)

    assert mailing.state == MailingState.FINISHED


def test_members_deleted_after_their_mail_leave_nothing_waiting(mailoutbox):
    people(3)
    mailing = started(per_hour=60)
    outbox.drain()
    mailing.emails.get().member.delete()
    mailing.per_hour = None
    mailing.save(update_fields=["per_hour"])
    Mailing.objects.update(turn_at=None)

    drained(mailing)

    assert mailing.state == MailingState.FINISHED
    assert (mailing.handed_over, mailing.waiting) == (3, 0)
    assert not mailing.skips.exists()


def test_mails_of_a_stopped_mailing_are_not_tried_again(mailoutbox, clock):
    people(2)
    mailing = started()
    in_hand("its worker dies")
    mailings.stop(mailing, by=None)
    clock.shift(timedelta(minutes=11))

    drained(mailing)

    assert not mailoutbox
    assert (mailing.skipped, mailing.handled) == (2, 2)
    # It may have sent them before it died, so the links stay.
    assert PasswordReset.objects.filter(state=State.ACTIVE).count() == 2


def test_stop_in_the_middle_of_a_chunk_leaves_no_link_that_nobody_has(mailoutbox, monkeypatch):
    monkeypatch.setattr(send_many, "LOOKED", 2)
    people(5)
    mailing = started()
    sent = EmailBackend.send_messages

    def stop(backend, messages):
        mailings.stop(mailing, by=None)
        return sent(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", stop)
    monkeypatch.setattr(Conf, "MAILING_CONNECTIONS", 1)
    drained(mailing)

    assert (mailing.handed_over, mailing.skipped, mailing.waiting) == (2, 3, 0)
    assert PasswordReset.objects.filter(state=State.ACTIVE).count() == 2


def test_failed_mails_of_a_stopped_mailing_stay_failed(mailoutbox):
    people(1)
    mailing = started()
    in_hand()
    ResetEmail.objects.update(state=EmailState.FAILED, lease="", lease_until=None)
    mailings.stop(mailing, by=None)

    assert mailings.try_again(mailing) == 0
    outbox.drain()
    assert not mailoutbox


def test_look_in_between_does_not_read_the_choice(mailoutbox, monkeypatch):
    monkeypatch.setattr(send_many, "LOOKED", 2)
    members = people(5)
    started(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)))

    with CaptureQueriesContext(connection) as said:
        outbox.drain()

    looks = [q["sql"] for q in said if "resetemail" in q["sql"] and "choice" in q["sql"]]
    assert looks == []


def test_same_links_are_mailed_without_a_query_for_each(mailoutbox, nothing_each_second):
    counts = []
    for number in (2, 10):
        people(number)
        started()
        outbox.drain()
        started(again=True)
        with CaptureQueriesContext(connection) as said:
            outbox.drain()
        counts.append(len([q for q in said if "wagtailcore_site" in q["sql"]]))
        get_user_model().objects.all().delete()
    assert counts[0] == counts[1]


def test_chunk_is_not_taken_while_its_mailing_is_held(mailoutbox):
    people(1)
    mailing = started()
    pk = chunks.next_chunk()
    state.hold_mailing(mailing.pk, timezone.now() + timedelta(hours=1))

    assert outbox.send_chunk(pk) == 0
    assert not mailoutbox


def test_chunk_is_not_taken_before_its_turn(mailoutbox):
    people(2)
    mailing = started()
    mailing.chunks.update(due_at=timezone.now() + timedelta(minutes=1))

    assert outbox.send_chunk(mailing.chunks.get().pk) == 0
    assert not mailoutbox


def test_hours_without_a_worker_are_not_made_up_for(mailoutbox, clock):
    people(30)
    started(per_hour=120)
    clock.shift(timedelta(hours=1))

    sent = []
    for _minute in range(4):
        outbox.drain()
        sent.append(len(mailoutbox))
        clock.shift(timedelta(minutes=1))

    assert sent == [21, 23, 25, 27]  # ten minutes of them are


def test_failed_mails_are_tried_again_at_the_rate_of_their_mailing(mailoutbox, clock):
    people(6)
    mailing = started(per_hour=120)
    for _minute in range(3):
        in_hand()
        clock.shift(timedelta(minutes=1))
    ResetEmail.objects.update(state=EmailState.FAILED, lease="", lease_until=None)
    Mailing.objects.update(failed=6)

    assert mailings.try_again(mailing) == 6

    sent = []
    for _minute in range(4):
        outbox.drain()
        sent.append(len(mailoutbox))
        clock.shift(timedelta(minutes=1))
    assert sent == [2, 4, 6, 6]
    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, mailing.failed) == (MailingState.FINISHED, 6, 0)


def test_worker_that_lost_a_chunk_goes_on_with_the_next(mailoutbox, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 1)
    people(3)
    started()
    take = chunks.take
    lost = []

    def lose(chunk, number):
        if not lost:
            lost.append(chunk.pk)
            take(chunk, number)
            return []
        return take(chunk, number)

    monkeypatch.setattr(chunks, "take", lose)
    outbox.drain()

    assert len(mailoutbox) == 2


def test_mails_of_a_paused_mailing_wake_nobody(mailoutbox):
    people(1)
    mailing = started()
    in_hand()
    ResetEmail.objects.update(state=EmailState.QUEUED, lease="", lease_until=None)
    mailings.pause(mailing)

    assert queue.next_due() is None


def test_mailing_that_is_held_does_not_hold_another():
    people(2)
    held = started()
    other = started()
    state.hold_mailing(held.pk, timezone.now() + timedelta(hours=1))

    assert chunks.next_turn() <= timezone.now()
    assert other.state == MailingState.RUNNING


def test_setting_that_cannot_be_used_pauses_and_fails_nobody(settings, monkeypatch):
    use_backend(settings, "anymail.backends.mailgun.EmailBackend")
    settings.ANYMAIL = {"MAILGUN_API_KEY": "key", "MAILGUN_SENDER_DOMAIN": "club.example"}
    settings.WAGTAIL_MEMBER_RESET_SUPPORT_CONTACT = 5
    people(3)

    mailing = drained(started())

    assert (mailing.state, mailing.failed) == (MailingState.PAUSED, 0)
    assert mailings.progress(mailing).needs_mending
    assert sorted(ResetEmail.objects.values_list("result_code", flat=True)) == ["", "", "configuration"]


def test_broken_template_pauses_and_fails_nobody(settings, tmp_path, mailoutbox):
    folder = tmp_path / "wagtail_member_reset" / "emails"
    folder.mkdir(parents=True)
    broken = folder / "welcome.txt"
    broken.write_text("{{ first_name|upper }} {{ link }}")
    mended = settings.TEMPLATES
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    people(3)
    mailing = started()
    for _time in range(9):
        paused = drained(mailing).state, mailing.failed
        mailings.go_on(mailing)
    settings.TEMPLATES = mended

    assert paused == (MailingState.PAUSED, 0)
    assert (drained(mailing).state, len(mailoutbox)) == (MailingState.FINISHED, 3)


def test_preview_knows_that_passwords_are_disabled(settings):
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False
    people(2)

    assert mailings.preview(mailings.drafted(NEVER, by=None)).emails == 0


def test_shorter_wait_does_not_shorten_a_longer_one():
    people(1)
    mailing = started()
    long = timezone.now() + timedelta(hours=1)

    for until in (long, timezone.now() + timedelta(seconds=30)):
        state.hold_mailing(mailing.pk, until)

    mailing.refresh_from_db()
    assert mailing.held_until == long


def test_pace_that_somebody_set_a_moment_before_the_start_holds():
    people(1)
    mailing = mailings.draft(NEVER, by=None)
    read_before = Mailing.objects.get(pk=mailing.pk)
    mailings.change(mailing, per_hour=100)

    mailings.start(read_before, pace_if_none=5000, wake=False)

    mailing.refresh_from_db()
    assert mailing.per_hour == read_before.per_hour == 100


def test_pace_that_somebody_took_away_a_moment_before_the_start_stays_away():
    people(1)
    mailing = mailings.draft(NEVER, by=None, per_hour=100)
    read_before = Mailing.objects.get(pk=mailing.pk)
    mailings.change(mailing, per_hour=None)

    mailings.start(read_before, wake=False)

    mailing.refresh_from_db()
    assert mailing.per_hour is None


def test_pace_that_is_said_at_the_start_holds_where_there_is_none():
    people(1)
    mailing = mailings.draft(NEVER, by=None)

    mailings.start(mailing, pace_if_none=5000, wake=False)

    assert mailing.per_hour == 5000
