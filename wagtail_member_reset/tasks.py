"""The site's task backend, where it has a real one: Django's own tasks, or django-tasks as Wagtail uses it."""

from __future__ import annotations

import logging
from datetime import datetime
from importlib import import_module
from itertools import takewhile
from types import ModuleType
from typing import Any

from django.utils import timezone

from . import batches
from .delivery.worker import drain, send_chunk
from .models import BatchChunk

logger = logging.getLogger("wagtail_member_reset")

# These run in the request, or not at all: with them, no task backend is configured.
NOT_A_WORKER = ("ImmediateBackend", "DummyBackend")


def deliver() -> int:
    """The task: one pass over the outbox. It takes no argument, since the rows say what is due."""
    return drain(chunks=False)


def deliver_chunk(pk: int) -> int:
    """
    The task: one chunk of a run, by its primary key. What another worker did already is not done again.

    If the chunk's turn was moved meanwhile, by a pause or by a mail service that asks for patience,
    another task is asked for.
    """
    handed_over = send_chunk(pk)
    if (turn := batches.turn_of(pk)) is not None:
        _enqueue_chunk(pk, turn)
    return handed_over


def is_configured() -> bool:
    """Whether the site has a task backend whose workers run beside the site's own processes."""
    return LIBRARY is not None


def enqueue() -> bool:
    """Ask a worker for a pass; False, and a line in the log, when the queue does not take it."""
    try:
        deliver.enqueue()  # type: ignore[attr-defined]
    except Exception:
        # The row stands; the sweeper finds it.
        logger.exception("The task backend took no task; deliver_member_resets will send what is waiting.")
        return False
    return True


def enqueue_chunks(batch_id: int) -> int:
    """
    Ask for a task for each chunk of a run, in its turn; how many the queue took.

    A backend that cannot wait gets those whose turn has come; the sweeper does the others.
    """
    chunks = BatchChunk.objects.filter(batch=batch_id).order_by("due_at", "pk").values_list("pk", "due_at")
    return sum(1 for _ in takewhile(lambda chunk: _enqueue_chunk(*chunk), chunks))


def _enqueue_chunk(pk: int, due_at: datetime) -> bool:
    task: Any = deliver_chunk
    try:
        if due_at > timezone.now():
            if not task.get_backend().supports_defer:
                return False
            task = task.using(run_after=due_at)
        task.enqueue(pk)
    except Exception:
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


# Decided once: engines look the task up by this module's name for it.
LIBRARY = _library_with_workers()
if LIBRARY is not None:
    deliver, deliver_chunk = LIBRARY.task()(deliver), LIBRARY.task()(deliver_chunk)
