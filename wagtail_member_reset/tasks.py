"""The site's task backend, where it has a real one: Django's own tasks, or django-tasks as Wagtail uses it."""

from __future__ import annotations

import logging
from importlib import import_module
from types import ModuleType
from typing import Any

from .delivery.worker import drain

logger = logging.getLogger("wagtail_member_reset")

# These run in the request, or not at all: with them, no task backend is configured.
NOT_A_WORKER = ("ImmediateBackend", "DummyBackend")


def deliver() -> int:
    """The task: one pass over the outbox. It takes no argument, since the rows say what is due."""
    return drain()


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
    deliver = LIBRARY.task()(deliver)
