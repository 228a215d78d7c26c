"""
Having due emails sent soon, outside of the request: by the task backend, or by a thread of this process.

A wake is only a hint. The rows are the promise, and every wake looks at all of them.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import datetime, timedelta

from django.db import close_old_connections, connections, transaction
from django.utils import timezone

from .. import db, links
from ..conf import conf
from ..exceptions import SettingError
from ..mailing import has_started, next_upload
from ..models import Mailing, ResetEmail
from . import requests, tasks
from .queue import next_due
from .send import drain

logger = logging.getLogger("wagtail_member_reset")

# A thread waits no longer than this at a time, and then looks whether what it waits for is still so.
LONGEST_WAIT = timedelta(minutes=45)
# A process that serves requests looks after the outbox this often: for what another one has left behind.
LOOKED_EVERY = timedelta(minutes=10)
# After a pass that failed, since the database may be away.
RECOVERY = timedelta(seconds=30)


def wake(*, at_random: bool = False) -> None:
    """
    Have what is due done soon, elsewhere: at once, or `at_random` at a random moment of the next seconds.

    Any other pass, say for an email of staff's or a mailing, does before then what visitors asked for. Never raises,
    since the rows stand in any case.
    """
    way = _way()
    if way == "tasks":
        if at_random:
            tasks.ask_to_deliver_requests()
        else:
            tasks.ask_to_deliver()
    elif way == "thread":
        _wake_thread(at_random=at_random)


def wake_mailing(mailing_id: int) -> None:
    """Have a mailing go on soon, elsewhere: tasks, or this process's thread. Never raises."""
    way = _way()
    if way == "tasks":
        tasks.ask_for_mailing(mailing_id)
    elif way == "thread":
        _wake_thread()


def wake_on_commit(*, at_random: bool = False) -> None:
    transaction.on_commit(lambda: wake(at_random=at_random), using=db.alias(), robust=True)


def look_if_due() -> None:
    """
    Wake with the first request after the start, after the end of a link's window, and now and then.

    For all other requests, this reads the clock. No process waits for the end of a window.
    """
    now = timezone.now()
    if sender.looks_at is None or now >= sender.looks_at:
        sender.looks_at = now + LOOKED_EVERY
        wake()


def wake_overdue(email: ResetEmail | None) -> None:
    """Wake for an email that waits though it is due: after a restart, nobody else may have noticed."""
    if email is not None and email.is_waiting and ResetEmail.objects.due().filter(pk=email.pk).exists():
        wake_on_commit()


def works_by_itself() -> bool:
    """Whether what is woken is done soon, and not with the next pass of a command."""
    return _way() != "command"


def starts_with_a_visit(mailing: Mailing) -> bool:
    """
    Whether a mailing waits, once its start time has come, until somebody visits the site (see `look_if_due`): no task
    can be put off, and none waits for so long.
    """
    if _way() != "tasks" or tasks.LIBRARY is None or tasks.puts_off(tasks.deliver) or has_started(mailing):
        return False
    asked_at = max(filter(None, (mailing.started_at, mailing.resumed_at)), default=timezone.now())
    return mailing.starts_at is not None and mailing.starts_at - asked_at > tasks.FURTHEST_TURN


def _wake_thread(*, at_random: bool = False) -> None:
    """
    Wake the thread, but never within a transaction: what that one writes, another connection cannot see.

    Who writes wakes on commit. What remains is a test case, which never commits, and
    whose SQLite in memory would be locked by a second connection.
    """
    if not connections[db.alias()].in_atomic_block:
        sender.wake(at_random=at_random)


def _way() -> str:
    try:
        delivery = conf.DELIVERY
    except SettingError:  # a check names it; a request must not fail for it
        return "command"
    if delivery == "auto":
        return "tasks" if tasks.is_configured() else "thread"
    return delivery


class Sender:
    """
    The thread of the embedded default: starts with a wake, ends when nothing is due.

    It starts only then, so after a prefork server has forked; and it is no daemon, so
    that the emails of a script leave before the script exits.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: in a process that was forked there is no thread, whatever its parent was doing."""
        self._lock = threading.Lock()
        self._is_running = False
        self._is_wanted = False
        self._is_urgent = threading.Event()
        self._timer: threading.Timer | None = None
        self.looks_at: datetime | None = None

    def wake(self, *, at_random: bool = False) -> None:
        with self._lock:
            self._is_wanted = True
            if not at_random:
                self._is_urgent.set()
            if self._is_running:
                return
            self._is_running = True
        try:
            threading.Thread(target=self._run, name="wagtail-member-reset", daemon=False).start()
        except RuntimeError:  # threads are off, or the interpreter is on its way out
            logger.warning("No thread could be started; deliver_member_resets will send what is waiting.")
            with self._lock:
                self._is_running = False

    def wait(self, timeout: float = 30) -> bool:
        """Wait until nothing is due any more, for scripts and tests; whether that came to pass."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with self._lock:
                if not self._is_running:
                    return True
            time.sleep(0.01)
        return False

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._is_wanted:
                    self._is_running = False
                    return
            try:
                # A further wake does not change the moment, unless a person waits for its email.
                self._is_urgent.wait(requests.random_delay())
                with self._lock:
                    self._is_wanted = False
                    self._is_urgent.clear()
                self._drain()
            except BaseException:  # no timer could be started, say: the next wake must find no thread that is none
                with self._lock:
                    self._is_running = False
                raise

    def _drain(self) -> None:
        try:
            close_old_connections()
            drain()
            self._wait_for(min(filter(None, (next_due(), next_upload())), default=None))
            soon = timezone.now() + LOOKED_EVERY
            self.looks_at = min(soon, links.next_erasure() or soon)
        except Exception:
            # The database may be away; what is due is found again by the next wake, look or sweep.
            logger.exception("The outbox could not be emptied; what is waiting will be tried again.")
            self._wait_for(timezone.now() + RECOVERY)
        finally:
            connections.close_all()

    def _wait_for(self, moment: datetime | None) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if moment is None:
                return
            # The turn of a mailing may be an hour away, and nobody else may come for it.
            delay = min(moment - timezone.now(), LONGEST_WAIT)
            self._timer = threading.Timer(max(delay.total_seconds(), 1), self.wake)
            # A retry must not keep a finished script alive: the row waits for the next process.
            self._timer.daemon = True
            self._timer.start()


sender = Sender()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=sender.forget)
