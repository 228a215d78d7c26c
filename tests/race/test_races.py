"""Sixteen at once, many times over: what is counted is winners. RACE_ROUNDS says how many rounds."""

import os
import threading
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import connections
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import audit, outbox, resets
from wagtail_member_reset.exceptions import MemberResetError
from wagtail_member_reset.links import state
from wagtail_member_reset.models import EmailText, LinkViewer, PasswordReset, Purpose, ResetEmail, State

ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))
THREADS = 16

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def no_limits(settings):
    """As many rounds as are asked for, by one member of staff from one network."""
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "999999/d", "person": "999999/d"}
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "999999/h", "all": "999999/min"}


def all_at_once(*jobs):
    """Run the jobs from one starting shot; their answers in order. An error of ours is an answer, any other fails."""
    barrier, answers, errors = threading.Barrier(len(jobs)), [None] * len(jobs), []

    def run(index, job):
        try:
            barrier.wait()
            answers[index] = job()
        except MemberResetError as error:
            answers[index] = error
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return answers


def people():
    """A new member for each round, and the account of staff."""
    staff = make_person("Otto", is_superuser=True)
    for number in range(ROUNDS):
        yield make_person(f"Mia{number}", password="old password 1"), staff


def live(member):
    return PasswordReset.objects.filter(member=member, state=State.ACTIVE)


def won(answers):
    return [answer for answer in answers if not isinstance(answer, Exception)]


@pytest.mark.slow
def test_sixteen_sends_make_one_link():
    for member, staff in people():
        answers = all_at_once(*[lambda: resets.send(member, by=staff)] * THREADS)

        assert len({reset.pk for reset in won(answers)}) == 1
        assert live(member).count() == 1


def test_sixteen_redemptions_have_one_winner():
    for member, staff in people():
        grant = resets.open(resets.link(resets.send(member, by=staff)))
        passwords = [f"chosen in thread {number}" for number in range(THREADS)]

        answers = all_at_once(*[lambda p=p: resets.redeem(grant, password=p) and p for p in passwords])

        member.refresh_from_db()
        assert len(won(answers)) == 1
        assert member.check_password(won(answers)[0])
        assert ResetEmail.objects.filter(member=member, purpose=Purpose.PASSWORD_CHANGED).count() == 1


@pytest.mark.slow
def test_redeeming_and_rotating_leave_one_winner_and_no_old_link():
    for member, staff in people():
        old = resets.send(member, by=staff)
        grant = resets.open(resets.link(old))
        redeem = lambda: resets.redeem(grant, password="chosen by the member 1")  # noqa: E731
        rotate = lambda: resets.rotate(member, by=staff)  # noqa: E731

        answers = all_at_once(*[redeem, rotate] * (THREADS // 2))

        redeemed = won(answers[::2])
        old.refresh_from_db()
        assert len(redeemed) <= 1
        assert old.state == (State.USED if redeemed else State.SUPERSEDED)
        assert live(member).count() <= 1


def test_a_changed_address_and_a_send_leave_no_link_for_the_old_address():
    for member, staff in people():
        resets.send(member, by=staff)
        new = f"new-{member.first_name.lower()}@members.example"

        def move(member=member):
            account = get_user_model().objects.get(pk=member.pk)
            account.email = new
            account.save()

        all_at_once(move, *[lambda: resets.send(member, by=staff)] * 5)

        member.refresh_from_db()
        status = resets.status(member)
        assert live(member).count() <= 1
        assert status.reset.recipient == new or not status.reset.is_live


def test_four_workers_send_each_mail_once():
    for member, staff in people():
        mail.outbox.clear()
        members = [member, *(make_person(f"{member.first_name}x{number}") for number in range(8))]
        for person in members:
            resets.send(person, by=staff)

        all_at_once(*[outbox.drain] * 4)

        assert sorted(message.to[0] for message in mail.outbox) == sorted(person.email for person in members)


def test_two_workers_resolve_a_request_once():
    for member, _staff in people():
        mail.outbox.clear()
        resets.request(member.email, network="192.0.2.7", site=None, language="en")

        all_at_once(*[outbox.drain] * 4)

        assert [message.to for message in mail.outbox] == [[member.email]]


def test_revoking_and_redeeming_have_one_winner():
    for member, staff in people():
        reset = resets.send(member, by=staff)
        grant = resets.open(resets.link(reset))

        def revoke(pk=reset.pk):
            return resets.revoke(PasswordReset.objects.get(pk=pk), by=staff) or MemberResetError("too late")

        redeem = lambda: resets.redeem(grant, password="chosen by the member 1")  # noqa: E731
        answers = all_at_once(*[redeem, revoke] * (THREADS // 2))

        reset.refresh_from_db()
        member.refresh_from_db()
        assert len(won(answers)) == 1
        assert member.check_password("chosen by the member 1") == (reset.state == State.USED)
        assert live(member).count() == 0


def test_sends_and_redemptions_leave_one_live_link_at_most():
    for member, staff in people():
        grant = resets.open(resets.link(resets.send(member, by=staff)))
        redeem = lambda: resets.redeem(grant, password="chosen by the member 1")  # noqa: E731
        send = lambda: resets.send(member, by=staff)  # noqa: E731

        answers = all_at_once(*[redeem, send] * (THREADS // 2))

        assert len(won(answers[::2])) == 1
        assert len(won(answers[1::2])) == THREADS // 2
        assert live(member).count() <= 1
        newest = PasswordReset.objects.filter(member=member).latest("pk")
        assert all(
            reset.state != State.ACTIVE for reset in PasswordReset.objects.filter(member=member).exclude(pk=newest.pk)
        )


def test_a_member_deleted_while_workers_run_gets_no_second_mail_and_stops_nobody():
    for member, staff in people():
        mail.outbox.clear()
        others = [make_person(f"{member.first_name}x{number}") for number in range(6)]
        for person in [*others[:3], member, *others[3:]]:
            resets.send(person, by=staff)

        all_at_once(member.delete, *[outbox.drain] * 3)

        delivered = sorted(message.to[0] for message in mail.outbox)
        assert [to for to in delivered if not to.startswith(member.first_name.lower() + "@")] == sorted(
            person.email for person in others
        )
        assert len(delivered) <= 7
        assert not ResetEmail.objects.unsent().exists()


def test_sweeping_and_rotating_and_looking_disturb_nobody():
    for member, staff in people():
        resets.send(member, by=staff)
        account = get_user_model().objects.get(pk=member.pk)

        answers = all_at_once(
            *[state.sweep, lambda: resets.rotate(member, by=staff), lambda: resets.status(account)] * 5
        )

        assert not [answer for answer in answers if isinstance(answer, Exception)]
        assert live(member).count() == 1


def test_sixteen_first_looks_at_one_link_are_one_viewer_and_one_entry():
    for member, staff in people():
        key = resets.send(member, by=None).pk

        def look(key=key, staff=staff):
            resets.note_shown(PasswordReset.objects.select_related("member").get(pk=key), by=staff)

        all_at_once(*[look] * THREADS)

        assert LinkViewer.objects.filter(reset=key).count() == 1
        shown = ModelLogEntry.objects.filter(action="wagtail_member_reset.show", object_id=str(member.pk))
        assert shown.count() == 1


def test_sixteen_tests_of_a_text_at_once_are_no_more_than_the_limit():
    for _member, staff in people():
        text = EmailText.objects.create(purpose="reset", language="en", site=None)

        def ask(text=text, staff=staff):
            return audit.note_test(text, by=staff, period=timedelta(hours=1), most=3)

        answers = all_at_once(*[ask] * THREADS)

        assert answers.count(True) <= 3
        assert ModelLogEntry.objects.filter(action="wagtail_member_reset.test_text").count() == answers.count(True)
        EmailText.objects.all().delete()
        ModelLogEntry.objects.all().delete()
