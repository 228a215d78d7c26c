import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as settings_of_django
from django.core.mail.backends.base import BaseEmailBackend
from django.core.management import CommandError, call_command
from django.core.signals import request_started
from django.db import connection, connections, transaction
from django.utils import timezone

from tests.conftest import use_backend
from wagtail_member_reset import resets
from wagtail_member_reset.apps import request_came
from wagtail_member_reset.models import EmailState, ResetEmail
from wagtail_member_reset.outbox import background, requests, tasks
from wagtail_member_reset.outbox.background import sender, wake

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def thread(settings):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "thread"
    yield
    sender.wait()
    for timer in timers():
        timer.cancel()
        timer.join()


def timers():
    return [one for one in threading.enumerate() if isinstance(one, threading.Timer) and one.function == sender.wake]


def test_commit_wakes_the_thread_and_the_mail_leaves(thread, member, mailoutbox):
    resets.send(member, by=None)

    assert sender.wait()
    assert len(mailoutbox) == 1
    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER


def test_nothing_leaves_before_the_commit(thread, member, mailoutbox):
    with transaction.atomic():
        resets.send(member, by=None)
        sender.wait()
        before = len(mailoutbox)
    sender.wait()

    assert (before, len(mailoutbox)) == (0, 1)


def test_rollback_sends_nothing(thread, member, mailoutbox):
    class Crash(Exception):
        pass

    with pytest.raises(Crash), transaction.atomic():
        resets.send(member, by=None)
        raise Crash
    sender.wait()

    assert (mailoutbox, ResetEmail.objects.count()) == ([], 0)


def test_thread_is_no_daemon_and_ends_when_idle(thread, member, monkeypatch):
    seen = []
    original = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (seen.append(self), original(self)))

    resets.send(member, by=None)
    sender.wait()

    ours = [thread for thread in seen if thread.name == "wagtail-member-reset"]
    for one in ours:
        one.join(5)
    assert [(one.daemon, one.is_alive()) for one in ours] == [(False, False)]


def ask(member, network="192.0.2.7"):
    resets.request(member.email, network=network, site=None, language="en")


def waits(monkeypatch, *seconds):
    """Requests wait so long instead of at random, one after the other; how long they were told to."""
    drawn, given = [], iter(seconds)
    monkeypatch.setattr(requests, "random_delay", lambda: (drawn.append(next(given)), drawn[-1])[1])
    return drawn


@pytest.mark.slow
def test_public_request_is_resolved_at_a_random_moment(thread, member, mailoutbox, monkeypatch):
    waits(monkeypatch, 0.4)
    start = time.monotonic()

    ask(member)

    assert sender.wait()
    assert time.monotonic() - start >= 0.4
    assert len(mailoutbox) == 1


@pytest.mark.slow
def test_requests_of_one_moment_are_resolved_together(thread, member, imported_member, mailoutbox, monkeypatch):
    drawn = waits(monkeypatch, 0.4)

    for person in (member, imported_member):
        ask(person)
    assert sender.wait()

    assert (len(mailoutbox), drawn) == (2, [0.4])


def test_no_staff_wait_for_the_moment_of_a_visitor(thread, member, imported_member, mailoutbox, monkeypatch):
    waits(monkeypatch, 30, 0)
    ask(member)

    resets.send(imported_member, by=None)

    assert sender.wait(10)
    assert imported_member.email in [mail.to[0] for mail in mailoutbox]


def test_moments_are_drawn_within_three_seconds_and_differ():
    drawn = [requests.random_delay() for _ in range(200)]

    assert len(set(drawn)) == 200
    assert 0.5 <= min(drawn) < 1 < 2.5 < max(drawn) <= 3


def test_command_waits_for_a_moment_where_a_visitor_does_and_only_there(settings, member, mailoutbox, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    drawn = waits(monkeypatch, 0)

    call_command("deliver_member_resets")
    before = list(drawn)
    ask(member)
    call_command("deliver_member_resets")

    assert (before, drawn, len(mailoutbox)) == ([], [0], 1)


@pytest.fixture
def moment(settings, monkeypatch):
    """The process's random moment, without one yet, where a task backend delivers."""
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "tasks"
    moment = tasks._Moment()
    monkeypatch.setattr(tasks, "_moment", moment)
    return moment


@pytest.fixture
def no_worker_sleeps(monkeypatch):
    def refuse(seconds):
        raise AssertionError("A worker sleeps.")

    monkeypatch.setattr(requests.time, "sleep", refuse)


def test_tasks_for_requests_are_put_off_until_one_random_moment(moment, member, monkeypatch, time_machine):
    drawn, asked, now = waits(monkeypatch, 2, 1), [], timezone.now()
    monkeypatch.setattr(tasks, "_ask", lambda task, at: asked.append((task, round((at - now).total_seconds(), 2))))

    for seconds in (0, 1, 1.9, 2.1):
        time_machine.move_to(now + timedelta(seconds=seconds), tick=False)
        ask(member)

    assert asked == [(tasks.deliver_requests, after) for after in (2, 2, 2, 3.1)]
    assert drawn == [2, 1]


@pytest.mark.usefixtures("no_worker_sleeps")
def test_task_for_requests_waits_for_nothing_and_the_next_one_has_nothing_to_do(
    moment, member, imported_member, mailoutbox, monkeypatch
):
    monkeypatch.setattr(tasks, "_ask", lambda task, at: True)
    for person in (member, imported_member):
        ask(person)

    assert [tasks.deliver_requests() for _ in range(4)] == [2, 0, 0, 0]
    assert len(mailoutbox) == 2


def test_pass_for_an_email_of_staffs_does_what_visitors_asked_for(
    moment, member, imported_member, mailoutbox, monkeypatch
):
    monkeypatch.setattr(tasks, "_ask", lambda task, at=None: True)
    ask(member)
    resets.send(imported_member, by=None)

    assert tasks.deliver() == 2
    assert {mail.to[0] for mail in mailoutbox} == {member.email, imported_member.email}


def test_one_thread_waits_for_a_queue_that_cannot_put_off(moment, monkeypatch):
    drawn, asked = waits(monkeypatch, 0.3, 0), []
    monkeypatch.setattr(tasks, "_ask", asked.append)

    for _ in range(20):
        moment.ask_then()
    before, timer = list(asked), moment._timer
    timer.join(10)
    moment.ask_then()  # the task that was asked for may be under way: who comes now needs another one
    if moment._timer is not None:
        moment._timer.join(10)

    assert (before, timer.daemon, drawn) == ([], True, [0.3, 0])
    assert asked == [tasks.deliver_requests] * 2


def test_request_while_the_task_is_asked_for_gets_a_task_of_its_own(moment, monkeypatch):
    waits(monkeypatch, 0, 0.01)
    asked, is_asking, go_on = [], threading.Event(), threading.Event()

    def ask_slowly(task):
        asked.append(task)
        is_asking.set()
        go_on.wait(10)

    monkeypatch.setattr(tasks, "_ask", ask_slowly)
    moment.ask_then()
    is_asking.wait(10)
    moment.ask_then()
    second = moment._timer
    go_on.set()
    second.join(10)

    assert len(asked) == 2


def test_without_threads_the_task_is_asked_for_at_once(moment, monkeypatch):
    asked = []
    monkeypatch.setattr(tasks, "_ask", asked.append)
    monkeypatch.setattr(threading.Thread, "start", refuse)

    moment.ask_then()

    assert asked == [tasks.deliver_requests]


def test_command_delivery_wakes_nobody(settings, member, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"

    resets.send(member, by=None)
    sender.wait()

    assert (mailoutbox, ResetEmail.objects.get().state) == ([], EmailState.QUEUED)


def test_wrong_setting_does_not_fail_the_request(settings, member):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "pigeon"

    resets.send(member, by=None)

    assert ResetEmail.objects.get().state == EmailState.QUEUED


def test_broker_that_takes_nothing_leaves_the_row_for_the_sweeper(settings, member, caplog):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "tasks"  # and no backend with workers is configured here

    assert not tasks.is_configured()
    resets.send(member, by=None)

    assert ResetEmail.objects.get().state == EmailState.QUEUED
    assert "deliver_member_resets will send" in caplog.text


def test_database_that_is_away_does_not_end_the_thread_for_good(thread, member, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_STATUS_WINDOW = "wrong"  # every pass fails
    wake()
    sender.wait()
    del settings.WAGTAIL_MEMBER_RESET_STATUS_WINDOW

    resets.send(member, by=None)
    sender.wait()

    assert len(mailoutbox) == 1


def test_each_wake_after_the_end_starts_anew(thread, member, imported_member, mailoutbox):
    for person in (member, imported_member):
        resets.send(person, by=None)
        assert sender.wait()

    assert len(mailoutbox) == 2


@pytest.mark.slow
def test_wakes_during_a_pass_are_not_lost(thread, member, imported_member, mailoutbox):
    for person in (member, imported_member, member, imported_member):
        resets.send(person, by=None)

    assert sender.wait()
    assert {mail.to[0] for mail in mailoutbox} == {member.email, imported_member.email}
    assert not ResetEmail.objects.unsent().exists()


def test_refused_mail_is_tried_again_by_itself_and_keeps_no_script_alive(thread, closed_port, member):
    resets.send(member, by=None)
    sender.wait()

    assert ResetEmail.objects.get().state == EmailState.QUEUED
    assert [(timer.daemon, 25 < timer.interval <= 30) for timer in timers()] == [(True, True)]


@pytest.mark.slow
def test_idle_thread_leaves_no_timer(thread, member, mailoutbox):
    resets.send(member, by=None)
    sender.wait()

    assert timers() == []


def test_server_without_threads_says_so_and_keeps_the_mail(thread, member, monkeypatch, caplog):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    resets.send(member, by=None)

    assert "deliver_member_resets will send" in caplog.text
    assert (sender.wait(1), ResetEmail.objects.get().state) == (True, EmailState.QUEUED)
    monkeypatch.undo()
    wake()
    sender.wait()
    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER


def test_look_at_the_tab_sends_what_a_restart_left_waiting(settings, thread, member, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"  # nobody is woken: the process dies after the commit
    resets.send(member, by=None)
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "thread"

    resets.status(member)

    assert sender.wait()
    assert len(mailoutbox) == 1


def test_look_within_the_transaction_of_a_request_sends_after_its_commit(settings, thread, member, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    resets.send(member, by=None)
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "thread"

    with transaction.atomic():  # ATOMIC_REQUESTS
        resets.status(member)
        sender.wait()
        before = len(mailoutbox)
    sender.wait()

    assert (before, len(mailoutbox)) == (0, 1)


@pytest.mark.django_db(transaction=False)
def test_no_thread_starts_in_a_test_case_of_a_site(
    settings, thread, member, monkeypatch, django_capture_on_commit_callbacks
):
    """A second connection would lock the tables of an SQLite in memory, and see nothing of the case."""
    started = []
    monkeypatch.setattr(threading.Thread, "start", started.append)

    request_came()
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        resets.send(member, by=None)

    assert (len(callbacks) > 0, started) == (True, [])


@pytest.fixture
def started(thread):
    """A process of the site that has just started, with its thread."""
    sender.wait()
    sender.forget()
    yield
    sender.wait()


def test_first_request_after_a_start_sends_what_was_left_waiting(settings, started, member, mailoutbox, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    resets.send(member, by=None)
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "thread"
    woken = []

    request_started.send(sender=None)
    sender.wait()
    monkeypatch.setattr(sender, "wake", woken.append)
    request_started.send(sender=None)  # and later requests pay nothing

    assert (len(mailoutbox), woken) == (1, [])


def test_first_request_after_the_windows_end_erases_what_made_the_link(started, member, mailoutbox, time_machine):
    reset = resets.send(member, by=None)
    sender.wait()
    link = resets.link(reset)
    seen = []

    for moment in (reset.window_ends_at - timedelta(seconds=1), reset.window_ends_at + timedelta(seconds=1)):
        time_machine.move_to(moment)
        request_started.send(sender=None)
        sender.wait()
        reset.refresh_from_db()
        seen.append(reset.nonce is None)

    assert seen == [False, True]
    assert (resets.link(reset), timers()) == (None, [])
    assert resets.look(resets.open(link)) == reset  # the link works all the same


def test_workers_of_a_queue_are_asked_to_look_every_ten_minutes_in_which_somebody_comes(
    started, db, settings, monkeypatch, time_machine
):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "tasks"
    asked, now = [], timezone.now()
    monkeypatch.setattr(tasks, "_ask", asked.append)

    for minutes in (0, 1, 9, 11, 12, 30):
        time_machine.move_to(now + timedelta(minutes=minutes))
        request_started.send(sender=None)

    assert asked == [tasks.deliver] * 3


def test_window_of_a_link_that_another_process_issued_ends_as_well(started, member, settings, time_machine):
    request_started.send(sender=None)
    sender.wait()
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"  # by which this process learns of nothing
    reset = resets.send(member, by=None)
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "thread"

    time_machine.move_to(reset.window_ends_at)
    request_started.send(sender=None)
    sender.wait()

    reset.refresh_from_db()
    assert reset.nonce is None


@pytest.mark.slow
def test_command_sends_what_is_due(member, mailoutbox, capsys):
    resets.send(member, by=None)

    call_command("deliver_member_resets")
    call_command("deliver_member_resets")

    assert capsys.readouterr().out.splitlines() == ["Emails handed over: 1.", "Emails handed over: 0."]
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("seconds", ["0", "-1"])
def test_command_takes_no_pause_that_is_none(seconds):
    with pytest.raises(CommandError, match="--every"):
        call_command("deliver_member_resets", "--loop", "--every", seconds)


# Where a server is at the other end, a child that closes what it inherited ends its parent's connection.
@pytest.mark.skipif(connection.vendor != "sqlite" or not hasattr(os, "fork"), reason="Forks, and uses SQLite.")
def test_forked_process_sends_its_own_mails_while_the_parents_thread_is_at_work(
    thread, settings, member, imported_member, tmp_path
):
    """As a prefork server, or multiprocessing, does it: in the child, there is no thread."""
    use_backend(settings, f"{__name__}.{Slow.__qualname__}", folder=str(tmp_path))
    resets.send(member, by=None)
    wait_for((tmp_path / "begun").exists)

    child = os.fork()
    if not child:  # nothing of the test goes on in it
        try:
            connections.close_all()
            resets.send(imported_member, by=None)
            os._exit(0 if sender.wait(20) else 1)
        finally:
            os._exit(2)
    _pid, status = os.waitpid(child, 0)
    (tmp_path / "go on").touch()
    sender.wait()

    assert os.waitstatus_to_exitcode(status) == 0
    mailed = {path.name: path.read_text() for path in tmp_path.glob("*@*")}
    assert mailed == {member.email: str(os.getpid()), imported_member.email: str(child)}


class Slow(BaseEmailBackend):
    """A file for each mail, with the process that sent it; the parent's first mail waits until it may go on."""

    def __init__(self, folder="", **options):
        super().__init__(**options)
        self.folder = Path(folder or settings_of_django.EMAIL_FOLDER)

    def send_messages(self, messages):
        if not (self.folder / "begun").exists():
            (self.folder / "begun").touch()
            wait_for((self.folder / "go on").exists)
        for message in messages:
            (self.folder / message.to[0]).write_text(str(os.getpid()))
        return len(messages)


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("broken", ["close", "timer"])
@pytest.mark.slow
def test_thread_that_ends_badly_does_not_keep_the_next_one_from_starting(
    thread, member, imported_member, mailoutbox, monkeypatch, broken
):
    monkeypatch.setattr(threading, "excepthook", lambda said: None)
    if broken == "close":
        close = background.connections.close_all  # its connection must not outlive the thread, which would warn
        monkeypatch.setattr(background.connections, "close_all", lambda: (close(), refuse()))
    else:
        monkeypatch.setattr(sender, "_wait_for", refuse)
    resets.send(member, by=None)
    ended = sender.wait(5)
    monkeypatch.undo()

    resets.send(imported_member, by=None)

    assert (ended, sender.wait()) == (True, True)
    assert len(mailoutbox) == 2


def refuse(*args):
    raise RuntimeError("can't start new thread")
