"""The lease of a worker outlasts whatever it does with its emails: nobody is mailed twice."""

from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from tests.conftest import make_person, use_backend
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, MailingChunk, ResetEmail
from wagtail_member_reset.outbox import outcome, queue, send, send_many, transport
from wagtail_member_reset.outbox.transport import Answer, Result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

ACCEPTED = Result(answer=Answer.ACCEPTED, code="accepted", is_certain=True)
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def clock(time_machine, monkeypatch):
    """One clock for what is written and for what is measured."""
    time_machine.move_to("2026-11-23 12:00:00+00:00", tick=False)
    measured = SimpleNamespace(monotonic=lambda: timezone.now().timestamp())
    monkeypatch.setattr(send, "time", measured)
    monkeypatch.setattr(send_many, "time", measured)
    return time_machine


class SlowServer:
    """Lets wait for each mail by the test's clock, and has another worker pass before it answers."""

    def __init__(self, clock):
        self.clock, self.mailed, self.waits, self.is_beside = clock, [], timedelta(0), False
        self.meanwhile = lambda: None

    def send(self, _content, *, to, public_id):
        self.mailed.append((to, timezone.now()))
        self.clock.shift(self.waits)
        if not self.is_beside:
            self.is_beside = True
            if self.meanwhile() is not False:
                outbox.drain()
            self.is_beside = False
        return ACCEPTED

    @property
    def times(self):
        return set(Counter(to for to, _at in self.mailed).values())


@pytest.fixture
def server(monkeypatch, clock):
    played = SlowServer(clock)
    monkeypatch.setattr(transport.Mailer, "send", played.send)
    return played


def started(members, **details):
    keys = tuple(make_person(f"Member{number}").pk for number in range(members))
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=keys), by=None, **details)
    mailings.start(mailing)
    return mailing


def finished(mailing, clock):
    for _pass in range(10):
        outbox.drain()
        clock.shift(timedelta(hours=1))
    mailing.refresh_from_db()
    return mailing


@pytest.mark.parametrize("replies", [4, 14])
@pytest.mark.parametrize("timeout", [25, 30, 60, 300])
def test_nobody_is_mailed_twice_however_slow_the_server_is(server, clock, settings, timeout, replies):
    """Each reply comes just before the time-out in force; another worker takes whatever it may."""
    use_backend(settings, SMTP, timeout=timeout)
    server.waits = timedelta(seconds=replies * timeout - 1)

    mailing = finished(started(4), clock)

    assert server.times == {1}
    assert (mailing.state, mailing.handed_over) == ("finished", 4)
    assert not ResetEmail.objects.filter(possible_copies__gt=0).exists()


@pytest.mark.slow
def test_singles_in_the_middle_of_a_mailing_are_bounded_by_no_lease_of_another(server, clock, settings, admin):
    """Nineteen of them, each as slow as a server may be, outlast the lease of the mailing's emails many times."""
    use_backend(settings, SMTP, timeout=30)
    server.waits = timedelta(seconds=100)
    singles = [make_person(f"Single{number}") for number in range(19)]

    def ask():
        for person in singles:
            resets.send(person, by=admin)
        is_first = bool(singles)
        singles.clear()
        return not is_first  # else the other worker would send them

    mailing = started(6)
    server.meanwhile = ask

    mailing = finished(mailing, clock)

    assert [to for to, _at in server.mailed][1:20] == [f"single{number}@members.example" for number in range(19)]
    assert len(server.mailed) == 25
    assert server.times == {1}
    assert set(ResetEmail.objects.values_list("attempts", "possible_copies")) == {(1, 0)}
    assert (mailing.state, mailing.handed_over) == ("finished", 6)


def test_singles_of_one_pass_are_not_mailed_by_two_workers(server, clock, settings, admin):
    use_backend(settings, SMTP, timeout=30)
    server.waits = timedelta(seconds=400)
    for number in range(8):
        resets.send(make_person(f"Single{number}"), by=admin)

    outbox.drain()

    assert len(server.mailed) == 8
    assert server.times == {1}


@pytest.mark.parametrize("timeout", [None, 10, 120])
def test_lease_outlasts_the_time_out_in_force_times_the_replies_of_a_mail(clock, settings, timeout):
    use_backend(settings, SMTP, timeout=timeout)
    with transport.Mailer() as mailer:
        lease = queue.Lease(longest=mailer.longest_wait)

        assert lease.until - timezone.now() > transport.SMTP.replies * timedelta(seconds=timeout or 30)


def test_nothing_is_begun_whose_answer_could_come_after_the_lease(clock):
    lease = queue.Lease(longest=lambda: timedelta(minutes=4))

    clock.move_to(lease.until - timedelta(minutes=4, seconds=1))
    has_time_before = lease.has_time_for_one()
    clock.shift(timedelta(seconds=2))

    assert (has_time_before, lease.has_time_for_one()) == (True, False)


def test_lease_that_ran_out_is_not_taken_back_by_renewing_it(clock):
    started(2)
    lease = queue.Lease(longest=lambda: timedelta(minutes=1))
    chunk = MailingChunk.objects.get()
    [mine, theirs] = send.issue_chunk(chunk.pk, lease=lease.key, lease_until=lease.until).emails
    clock.shift(timedelta(minutes=11))
    ResetEmail.objects.filter(public_id=theirs[0].public_id).update(lease="theirs")

    lease.renew()

    due = ResetEmail.objects.due()
    assert [email.public_id for email in due] == [theirs[0].public_id]
    assert ResetEmail.objects.get(public_id=mine[0].public_id).lease_until == lease.until


@pytest.mark.slow
def test_lease_is_renewed_as_answers_are_written(server, clock):
    """A mailing that takes an hour stays with one worker, though its lease is one of minutes."""
    server.waits = timedelta(seconds=30)

    mailing = finished(started(120), clock)

    assert server.times == {1}
    assert mailing.handed_over == 120
    assert set(ResetEmail.objects.values_list("attempts", flat=True)) == {1}


def test_what_was_sent_is_written_before_a_second_has_gone_by(server, clock, monkeypatch):
    written, write = [], outcome.write
    monkeypatch.setattr(outcome, "write", lambda attempts: written.append(len(attempts)) or write(attempts))
    server.waits = timedelta(seconds=0.4)
    server.is_beside = True

    finished(started(30), clock)

    assert sum(written) == 30
    assert max(written) <= 4


def test_what_was_sent_is_written_before_singles_go(server, clock, admin, monkeypatch):
    single = make_person("Single")
    server.waits, unwritten = timedelta(seconds=0.3), []
    send_singles = send.Worker.send_singles

    def look(worker, **details):
        sent = {to for to, _at in server.mailed}
        unwritten.append(ResetEmail.objects.filter(recipient__in=sent).exclude(state=EmailState.HANDED_OVER).count())
        send_singles(worker, **details)

    def ask():
        if len(server.mailed) == 2:
            resets.send(single, by=admin)

    monkeypatch.setattr(send.Worker, "send_singles", look)
    monkeypatch.setattr(outbox, "drain", lambda: 0)
    server.meanwhile = ask
    started(10)

    send.drain()

    assert single.email in {to for to, _at in server.mailed}
    assert set(unwritten) == {0}


@pytest.mark.parametrize("wait", [0.05, 0.4, 0.9])
def test_single_goes_within_about_a_second_while_a_mailing_is_under_way(server, clock, admin, monkeypatch, wait):
    single, asked = make_person("Single"), []
    server.waits = timedelta(seconds=wait)

    def ask():
        if len(server.mailed) == 7:
            asked.append(timezone.now())
            resets.send(single, by=admin)

    monkeypatch.setattr(outbox, "drain", lambda: 0)
    server.meanwhile = ask
    started(60)

    send.drain()

    [sent_at] = [at for to, at in server.mailed if to == single.email]
    assert sent_at - asked[0] <= timedelta(seconds=1 + wait)
    assert server.mailed[-1][0] != single.email
