"""The site's task backend, where it has a real one: Django's own tasks, or django-tasks as Wagtail uses it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import Any

from django.db import connections
from django.utils import timezone

from ..mailing import (
    finish_mailing,
    forgotten_chunk,
    forgotten_mailings,
    has_hours,
    has_started,
    is_running,
    next_turn,
    opens_at,
    turn_of,
)
from ..models import Mailing, MailingChunk
from . import requests
from .send import at_work, drain, send_chunk

logger = logging.getLogger("wagtail_member_reset")

# These run in the request, or not at all: with them, no task backend is configured.
NOT_A_WORKER = ("ImmediateBackend", "DummyBackend")
# How often a mailing is looked after, and when nobody will come any more for a chunk whose turn has come.
WATCH = timedelta(minutes=1)
LOST_AFTER = timedelta(minutes=10)
# A task sends for so long, and asks for another one where something is left.
LONGEST = timedelta(minutes=8)
# How long a task waits at a time, where the backend cannot put one off.
NAP_SECONDS = 1.0
# For no turn that is further away does it wait: the slowest mailing has one each hour, the others wait for their hours.
FURTHEST_TURN = timedelta(hours=1)


def deliver() -> int:
    """The task: one pass over the outbox. It takes no argument, since the rows say what is due."""
    return _pass()


def deliver_requests() -> int:
    """
    The task: the same for what visitors asked for. It waits for nothing, since it is asked for at a random moment.

    Where another pass was faster, there is nothing to do: staff wake workers at once, and each pass resolves requests.
    """
    return _pass() if requests.are_waiting() else 0


def _pass() -> int:
    is_over = _within_limit()
    handed_over = drain(chunks=False, is_stopping=is_over)
    _ask_for_forgotten()
    if is_over():
        _ask(deliver)
    return handed_over


def _ask_for_forgotten() -> None:
    """Where no task can be put off: have mailings go on whose turn has come, and for which no task has waited."""
    if LIBRARY is None or puts_off(deliver):
        return
    for mailing_id in forgotten_mailings(since=timezone.now() - WATCH):
        _ask(deliver_slowly, mailing_id)


def deliver_chunk(pk: int) -> int:
    """
    The task: one chunk of a mailing, by its primary key. What another worker did already is not done again.

    Before its turn, which a pause or a mail service that is overrun puts off, it only asks once more.
    """
    turn = turn_of(pk)
    if turn is None:
        return 0
    if turn > timezone.now():
        _ask(deliver_chunk, pk, at=turn)
        return 0
    is_over = _within_limit()
    handed_over = send_chunk(pk, singles_first=True, is_stopping=is_over)
    if is_over():
        _ask(deliver)
    elif (turn := turn_of(pk)) is not None and turn > timezone.now():  # its hours are over
        _ask(deliver_chunk, pk, at=turn)
    return handed_over


def deliver_slowly(mailing_id: int) -> int:
    """
    The task: a mailing with a limit, whose chunks go out in small parts. One task does it all, and asks for the next.

    Where the backend cannot put a task off, it waits for a turn that comes soon, and sends single emails meanwhile. For
    one that is further away, a pass that comes later asks.
    """
    is_over, handed_over = _within_limit(), 0
    while is_running(mailing_id) and not is_over():
        with at_work(is_stopping=is_over) as worker:
            worker.send_singles()
            worker.send_retries()
            while not is_over() and worker.send_next_chunk(Mailing(pk=mailing_id)):
                worker.send_singles(at_most_every=NAP_SECONDS)
            handed_over += worker.handed_over
        turn = next_turn(mailing_id)
        if turn is None or _ask(deliver_slowly, mailing_id, at=max(turn, timezone.now())):
            return handed_over
        if turn - timezone.now() > FURTHEST_TURN:
            return handed_over
        time.sleep(NAP_SECONDS)
    if is_running(mailing_id):
        _ask(deliver_slowly, mailing_id)
    return handed_over


def watch(mailing_id: int) -> int:
    """
    The task: every minute of a mailing, what no other task will do. Emails that wait for another attempt, those of a
    worker that died, and a chunk whose task was lost.
    """
    if not is_running(mailing_id):
        with at_work():  # who started it is told
            return 0
    _ask(watch, mailing_id, at=_next_look(_mailing(mailing_id)))
    is_over = _within_limit()
    handed_over = drain(chunks=False, is_stopping=is_over)
    if is_over():
        return handed_over
    lost, before = forgotten_chunk(mailing_id, since=timezone.now() - LOST_AFTER), None
    while lost not in (None, before) and not is_over():
        handed_over += send_chunk(lost, is_stopping=is_over)
        lost, before = forgotten_chunk(mailing_id, since=timezone.now() - LOST_AFTER), lost
    finish_mailing(mailing_id)
    return handed_over


def is_configured() -> bool:
    """Whether the site has a task backend whose workers run beside the site's own processes."""
    return LIBRARY is not None


def ask_to_deliver() -> bool:
    """Ask a worker for a pass; False, and a line in the log, when the queue does not take it."""
    return _ask(deliver)


def ask_to_deliver_requests() -> None:
    """
    Ask a worker for a pass at a random moment of the next seconds. No worker waits for it.

    The first request in this process draws the moment for all that come before it. Where the backend cannot put a task
    off, a thread of this process waits, and asks once for all of them; without threads, the task is asked for at once.
    """
    if LIBRARY is None or puts_off(deliver_requests):
        _ask(deliver_requests, at=_moment.of_now())
    else:
        _moment.ask_then()


def ask_for_mailing(mailing_id: int) -> int:
    """
    Ask for all that a mailing needs: a task for each chunk, or one for all of them under a limit, one for its emails
    that wait for another attempt, and one that watches. How many tasks for chunks the queue took.

    A backend that cannot wait gets those whose turn has come; the sweeper does the others.
    """
    taken, now = 0, timezone.now()
    if not _ask(deliver):
        return 0
    mailing = _mailing(mailing_id)
    _ask(watch, mailing_id, at=_next_look(mailing))
    if mailing is not None and _goes_slowly(mailing):
        return int(_ask(deliver_slowly, mailing_id))
    for pk, due_at in (
        MailingChunk.objects.filter(mailing=mailing_id).order_by("due_at", "pk").values_list("pk", "due_at")
    ):
        if not _ask(deliver_chunk, pk, at=due_at if due_at > now else None):
            break
        taken += 1
    return taken


def _mailing(mailing_id: int) -> Mailing | None:
    return Mailing.objects.defer("choice").filter(pk=mailing_id).first()


def _next_look(mailing: Mailing | None) -> datetime:
    """When to watch a mailing next: a while from now, or from when it may send again."""
    return ((mailing and opens_at(mailing)) or timezone.now()) + WATCH


def _goes_slowly(mailing: Mailing) -> bool:
    """Whether one task does it all: under a limit, in a first wave; and for hours, where no task can be put off."""
    if mailing.per_hour or mailing.wave_left is not None:
        return True
    return (has_hours(mailing) or not has_started(mailing)) and not puts_off(deliver)


def puts_off(task: Any) -> bool:
    """Whether the task's backend can have it wait for a moment."""
    return bool(task.get_backend().supports_defer)


class _Moment:
    """The random moment for which this process asks. Two threads may draw one each, which does no harm."""

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._timer: threading.Timer | None = None

    def of_now(self) -> datetime:
        now, at = timezone.now(), self._at
        # A task for each request all the same: the clock of a worker may be ahead of ours.
        if at is None or not now <= at <= now + timedelta(seconds=requests.LONGEST_WAIT):
            self._at = at = now + timedelta(seconds=requests.random_delay())
        return at

    def ask_then(self) -> None:
        timer = self._timer
        # A process that was forked has no thread of its parent's: there, that one is not alive.
        if timer is not None and timer.is_alive():
            return
        self._timer = timer = threading.Timer(requests.random_delay(), self._ask)
        # It keeps no process from ending: what is waiting is found with the next start.
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # threads are off, or the interpreter is on its way out
            _ask(deliver_requests)

    def _ask(self) -> None:
        # First: who comes from now on may be too late for the task that is asked for here.
        self._timer = None
        try:
            _ask(deliver_requests)
        finally:
            connections.close_all()


_moment = _Moment()


def _within_limit() -> Callable[[], bool]:
    """Says when a task has lasted long enough: an engine may kill what takes longer, and others want their turn."""
    end = time.monotonic() + LONGEST.total_seconds()
    return lambda: time.monotonic() >= end


def _ask(task: Any, *args: int, at: datetime | None = None) -> bool:
    """Enqueue a task. False when the queue does not take it, or cannot wait until then."""
    try:
        if at is not None:
            if not task.get_backend().supports_defer:
                return False
            # A second later, since some engines count in whole ones and would come too early.
            task = task.using(run_after=at + timedelta(seconds=1))
        task.enqueue(*args)
    except Exception:
        # The rows stand; the sweeper finds them.
        logger.exception("The task backend took no task; deliver_member_resets will send what is waiting.")
        return False
    return True


def _library_with_workers() -> ModuleType | None:
    # Both read the same TASKS setting, but each only accepts backends of its own.
    for name in ("django.tasks", "django_tasks"):
        try:
            library = import_module(name)
            handler: Any = getattr(library, "task_backends", None) or library.tasks
            backend = handler["default"]
        except Exception:  # noqa: S112 - not installed, or its backend is the other library's
            continue
        if not type(backend).__name__.endswith(NOT_A_WORKER):
            return library
    return None


def _task(function: Any, *, is_awaited: bool = False) -> Any:
    """A person waits for some: they go before the chunks of a mailing, where the engine knows of an order."""
    task = LIBRARY.task()(function)  # type: ignore[union-attr]
    return task.using(priority=100) if is_awaited and getattr(task.get_backend(), "supports_priority", False) else task


# Decided once: engines look the task up by this module's name for it.
LIBRARY = _library_with_workers()
if LIBRARY is not None:
    deliver, deliver_requests = _task(deliver, is_awaited=True), _task(deliver_requests, is_awaited=True)
    deliver_chunk, deliver_slowly, watch = _task(deliver_chunk), _task(deliver_slowly), _task(watch)
