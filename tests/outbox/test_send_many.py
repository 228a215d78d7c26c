"""Mailings over a mail server: several connections, a server that gives up in the middle, and what is written down."""

import threading
from collections import Counter
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, ResetEmail
from wagtail_member_reset.outbox import connections, outcome, send_many, transport

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]


def started(members, **details):
    for number in range(members):
        make_person(f"Member{number}")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None, **details)
    mailings.start(mailing)
    return mailing


def finished(mailing, time_machine=None):
    """Pass after pass, until nothing is left or hours have gone by."""
    for _pass in range(5):
        outbox.drain()
        mailing.refresh_from_db()
        if mailing.state == "finished" or time_machine is None:
            break
        time_machine.move_to(timezone.now() + timedelta(hours=1))
    return mailing


def recipients(mailbox):
    return Counter(line for text in mailbox.messages for line in text.splitlines() if line.startswith("To: "))


def message_ids(mailbox):
    """The Message-IDs of each member's mails."""
    found = {}
    for text in mailbox.messages:
        lines = text.splitlines()
        to = next(line for line in lines if line.startswith("To: "))
        found.setdefault(to, set()).add(next(line for line in lines if line.lower().startswith("message-id: ")))
    return found


@pytest.mark.parametrize("connections", [1, 3, 50])
def test_everybody_is_mailed_once_over_any_number_of_connections(mailbox, settings, connections):
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = connections

    mailing = finished(started(12))

    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 12, 0)
    assert sorted(recipients(mailbox).values()) == [1] * 12


def pass_time(monkeypatch, *, seconds):
    """Each mail waits for its server as long as this, and takes no work."""
    clock = SimpleNamespace(perf_counter=count(0, seconds).__next__, thread_time=lambda: 0.0)
    monkeypatch.setattr(connections, "time", clock)


def test_connections_are_used_side_by_side_where_the_server_lets_wait(mailbox, settings, monkeypatch):
    """After the first ones, each of three mails waits until all three are under way: else none would arrive."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 3
    pass_time(monkeypatch, seconds=0.1)
    all_under_way, numbers = threading.Barrier(3, timeout=20), count(1)
    send = send_many.Mailer.send

    def together(self, *args, **kwargs):
        if next(numbers) > connections.TRIED:
            all_under_way.wait()
        return send(self, *args, **kwargs)

    monkeypatch.setattr(send_many.Mailer, "send", together)

    mailing = finished(started(connections.TRIED + 3))

    assert mailing.handed_over == connections.TRIED + 3


def test_server_that_answers_at_once_gets_one_connection(mailbox, settings, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 3
    pass_time(monkeypatch, seconds=0.0)
    monkeypatch.setattr(send_many, "LOOKED", 2)  # which lends the connection for what cannot wait
    opened, connect = [], transport.new_connection
    monkeypatch.setattr(transport, "new_connection", lambda: opened.append(connect()) or opened[-1])

    mailing = finished(started(3 * connections.TRIED))

    assert mailing.handed_over == 3 * connections.TRIED
    assert len(opened) == 1


def test_command_keeps_its_connection_from_chunk_to_chunk_and_lets_it_go_while_it_waits(mailbox, settings, monkeypatch):
    monkeypatch.setattr("wagtail_member_reset.mailing.chunks.CHUNK", 2)
    opened, closed = [], []
    connect, close = transport.new_connection, transport.Mailer.close
    monkeypatch.setattr(transport, "new_connection", lambda: opened.append(connect()) or opened[-1])
    monkeypatch.setattr(transport.Mailer, "close", lambda mailer: closed.append(mailer._connection) or close(mailer))
    mailing = started(6)
    last = mailing.chunks.order_by("pk").last()
    last.due_at = timezone.now() + timedelta(hours=1)
    last.save()

    work = mailings.work(mailing)
    busy = [next(work) for _turn in range(3)]

    assert busy == [True, True, False]
    assert len(mailbox.messages) == 4
    assert len(opened) == 1
    assert opened[0] in closed
    work.close()


def test_server_that_drops_after_the_fiftieth_mail_loses_and_doubles_nobody(
    mailbox, settings, time_machine, monkeypatch
):
    """What it had accepted when it dropped the line may come again, with the same Message-ID; the others once."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    handle = mailbox.handle_DATA

    async def handle_and_drop(server, session, envelope):
        answer = await handle(server, session, envelope)
        if len(mailbox.messages) == 50:
            server.transport.abort()
        return answer

    monkeypatch.setattr(type(mailbox), "handle_DATA", lambda self, *args: handle_and_drop(*args))

    mailing = finished(started(60), time_machine)

    times = recipients(mailbox)
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 60, 0)
    assert len(times) == 60
    assert sum(times.values()) <= 61
    assert all(len(ids) == 1 for ids in message_ids(mailbox).values())


def test_refused_recipients_hold_nobody_back(mailbox, settings, monkeypatch):
    async def refuse_odd(self, server, session, envelope, address, options):
        if address.startswith(("member1@", "member3@")):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    monkeypatch.setattr(type(mailbox), "handle_RCPT", refuse_odd)

    mailing = finished(started(5))

    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 3, 2)
    failed = ResetEmail.objects.filter(mailing=mailing, state=EmailState.FAILED)
    assert set(failed.values_list("result_code", flat=True)) == {"smtp_550"}


def test_server_that_asks_for_patience_gets_it(mailbox, settings, time_machine):
    mailbox.answers["RCPT"] = "451 4.3.0 come back later"
    mailing = started(4)
    outbox.drain()
    mailing.refresh_from_db()
    waiting = (mailing.state, mailing.handed_over, mailing.failed, mailing.waiting)

    mailbox.answers.clear()
    mailing = finished(mailing, time_machine)

    assert waiting == ("running", 0, 0, 4)
    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 4, 0)
    assert sorted(recipients(mailbox).values()) == [1] * 4


def test_what_left_is_written_down_every_twenty_five_mails(mailbox, settings, monkeypatch):
    """What a worker that dies can send twice is bounded by this."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    monkeypatch.setattr(send_many, "WRITTEN_SECONDS", 3600.0)
    sizes, write = [], outcome.write

    def writes(outcomes, **kwargs):
        sizes.append(len(outcomes))
        return write(outcomes, **kwargs)

    monkeypatch.setattr(outcome, "write", writes)

    finished(started(60))

    assert sizes == [25, 25, 10]


def test_database_that_goes_away_in_the_middle_is_survived(mailbox, settings, time_machine, monkeypatch):
    """The pass ends; the next one after the lease takes up what was left, with the same mails."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    write, calls = outcome.write, []

    def writes(outcomes, **kwargs):
        calls.append(len(outcomes))
        if len(calls) == 2:
            raise OperationalError("the server closed the connection unexpectedly")
        return write(outcomes, **kwargs)

    monkeypatch.setattr(send_many, "WRITTEN_SECONDS", 3600.0)
    monkeypatch.setattr(outcome, "write", writes)
    mailing = started(60)
    with pytest.raises(OperationalError):
        outbox.drain()

    time_machine.move_to(timezone.now() + timedelta(hours=1))
    mailing = finished(mailing, time_machine)

    times = recipients(mailbox)
    assert (mailing.state, mailing.handed_over, mailing.failed, mailing.waiting) == ("finished", 60, 0, 0)
    assert len(times) == 60
    assert sum(times.values()) <= 60 + send_many.WRITTEN
    assert all(len(ids) == 1 for ids in message_ids(mailbox).values())


def test_what_left_before_a_worker_was_interrupted_does_not_leave_again(mailbox, settings, time_machine, monkeypatch):
    """As by the time limit of a task engine, which raises in the middle of whatever is being done."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    monkeypatch.setattr(send_many, "WRITTEN_SECONDS", 3600.0)
    send = send_many.Mailer.send

    def limited(self, *args, **kwargs):
        if len(mailbox.messages) == 10:
            raise KeyboardInterrupt
        return send(self, *args, **kwargs)

    monkeypatch.setattr(send_many.Mailer, "send", limited)
    mailing = started(20)
    with pytest.raises(KeyboardInterrupt):
        outbox.drain()
    monkeypatch.setattr(send_many.Mailer, "send", send)

    time_machine.move_to(timezone.now() + timedelta(hours=1))
    mailing = finished(mailing, time_machine)

    assert (mailing.state, mailing.handed_over) == ("finished", 20)
    assert sorted(recipients(mailbox).values()) == [1] * 20


def test_paused_mailing_stops_soon_and_goes_on(mailbox, settings, time_machine, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    monkeypatch.setattr(send_many, "LOOKED", 5)
    mailing = started(20)
    handle, pause = mailbox.handle_DATA, threading.Event()

    async def handle_and_pause(server, session, envelope):
        if len(mailbox.messages) < 5:
            pause.set()
        return await handle(server, session, envelope)

    monkeypatch.setattr(type(mailbox), "handle_DATA", lambda self, *args: handle_and_pause(*args))
    look = send_many.Sending._still_wanted

    def pausing(self, mails):
        if pause.is_set() and len(mailbox.messages) == 5:
            pause.clear()
            mailings.pause(Mailing.objects.get(pk=mailing.pk))
        return look(self, mails)

    monkeypatch.setattr(send_many.Sending, "_still_wanted", pausing)
    outbox.drain()
    mailing.refresh_from_db()
    paused = (mailing.state, mailing.handed_over)

    mailings.go_on(mailing)
    mailing = finished(mailing, time_machine)

    assert paused == ("paused", 5)
    assert (mailing.state, mailing.handed_over) == ("finished", 20)
    assert sorted(recipients(mailbox).values()) == [1] * 20


def test_login_that_is_refused_pauses_the_mailing_and_fails_nobody(mailbox, settings, client, admin):
    """A mistyped password must not fail a hundred thousand mails, one by one."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    if hasattr(settings, "MAILERS"):
        settings.MAILERS["default"]["OPTIONS"].update(username="club", password="wrong")
    else:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "club", "wrong"
    mailbox.refuses_logins = True
    type(admin).objects.update(last_login=timezone.now())

    mailing = started(40)
    outbox.drain()
    mailing.refresh_from_db()
    client.force_login(admin)
    page = client.get(f"/admin/member-reset/mailings/{mailing.pk}/").content.decode()

    assert (mailing.state, mailing.handed_over, mailing.failed) == ("paused", 0, 0)
    assert "its login, settings, account or texts have to be fixed" in page

    mailbox.refuses_logins = False
    mailings.go_on(mailing)
    mailing = finished(mailing)

    assert (mailing.state, mailing.handed_over, mailing.failed) == ("finished", 40, 0)
    assert sorted(recipients(mailbox).values()) == [1] * 40


class TimeLimit(BaseException):
    """As an engine raises it in the main thread, in the middle of whatever is being done."""


@pytest.mark.parametrize("struck", ["waiting", "composing", "writing", "written"])
def test_time_limit_throws_away_no_answer_of_four_connections(mailbox, settings, monkeypatch, struck):
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 4
    pass_time(monkeypatch, seconds=0.1)
    mailing, calls = started(30), count(1)

    def striking(function, *, at, after=False):
        def strike(*args, **kwargs):
            number = next(calls)
            if number == at and not after:
                raise TimeLimit
            found = function(*args, **kwargs)
            if number == at:
                raise TimeLimit
            return found

        return strike

    if struck == "waiting":
        monkeypatch.setattr(connections.Connections, "_next", striking(connections.Connections._next, at=7))
    elif struck == "composing":
        monkeypatch.setattr(send_many.letter, "compose", striking(send_many.letter.compose, at=17))
    else:
        monkeypatch.setattr(outcome, "write", striking(outcome.write, at=1, after=struck == "written"))
    with pytest.raises(TimeLimit):
        outbox.drain()

    mailing.refresh_from_db()
    written = ResetEmail.objects.filter(mailing=mailing, state=EmailState.HANDED_OVER).count()
    assert written == mailing.handed_over == len(mailbox.messages) > 0


def test_time_limit_while_a_thread_starts_throws_away_no_answer(mailbox, settings, monkeypatch):
    """The mail is in the thread's hands already, though nobody was told."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 4
    pass_time(monkeypatch, seconds=0.1)
    submit, mailing = connections.ThreadPoolExecutor.submit, started(30)

    def strike(self, *args):
        submit(self, *args)
        raise TimeLimit

    monkeypatch.setattr(connections.ThreadPoolExecutor, "submit", strike)
    with pytest.raises(TimeLimit):
        outbox.drain()

    mailing.refresh_from_db()
    assert mailing.handed_over == len(mailbox.messages) == connections.TRIED + 1


def test_mail_whose_thread_could_not_be_started_is_sent_once(mailbox, settings, monkeypatch):
    """The executor has it in its queue all the same, where another thread finds it."""
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 3
    pass_time(monkeypatch, seconds=0.1)
    submit, numbers = connections.ThreadPoolExecutor.submit, count(1)

    def submit_and_fail(self, *args):
        found = submit(self, *args)
        if next(numbers) % 2 == 0:
            raise RuntimeError("can't start new thread")
        return found

    monkeypatch.setattr(connections.ThreadPoolExecutor, "submit", submit_and_fail)

    mailing = finished(started(20))

    assert (mailing.state, mailing.handed_over) == ("finished", 20)
    assert sorted(recipients(mailbox).values()) == [1] * 20


def test_paragraph_is_in_each_email_of_its_mailing_and_in_no_single_one(mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    mia, ole, una = (make_person(name) for name in ("Mia", "Ole", "Una"))
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(mia.pk, ole.pk)), by=None, paragraph="Spring <starts>.")
    mailings.start(mailing, wake=False)
    resets.send(una, by=None)

    outbox.drain()

    bodies = {mail.to[0]: (mail.body, mail.alternatives[0][0]) for mail in mailoutbox}
    assert "\nSpring <starts>.\n" in bodies[mia.email][0] and "\nSpring <starts>.\n" in bodies[ole.email][0]
    assert "Spring &lt;starts&gt;." in bodies[mia.email][1]
    assert "Spring" not in "".join(bodies[una.email])


def test_email_that_is_tried_again_has_the_paragraph(mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    mia = make_person("Mia")
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(mia.pk,)), by=None, paragraph="Spring starts.")
    mailings.start(mailing, wake=False)
    outbox.drain()
    ResetEmail.objects.update(state=EmailState.QUEUED, lease="")

    outbox.drain()

    assert ["Spring starts." in mail.body for mail in mailoutbox] == [True, True]
