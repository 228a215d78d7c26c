"""Work in a process of its own that is killed with SIGKILL: at a point of the code, at a statement, or by the clock."""

from __future__ import annotations

import os
import signal
import smtplib
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connection, connections

Work = Callable[[], object]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(work: Work, *, after: float | None = None) -> bool:
    """
    Do the work in a fork of this process, killed `after` so many seconds; whether a kill ended it.

    A fork has everything loaded already, so that hundreds of them take a minute. No
    connection is shared: each side opens its own.
    """
    connections.close_all()
    child = os.fork()
    if child == 0:
        _work_and_leave(work)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError("The work of a child process failed by itself; what it said stands above.")
    return False


def run_within(work: Work, *, seconds: float) -> bool:
    """The same, killed only if it is not done by then; whether it was killed."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        _work_and_leave(work)
    end = time.monotonic() + seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.001)
    if ended[1]:
        raise RuntimeError("The work of a child process failed by itself; what it said stands above.")
    return False


def _work_and_leave(work: Work) -> None:
    # Never back into the parent's code: whatever happens, this process ends here.
    code = 1
    try:
        work()
        connections.close_all()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


@contextmanager
def at_statement(number: int) -> Iterator[None]:
    """Die before the n-th statement is sent to the database."""
    left = [number]

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            die()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield


@contextmanager
def at_call(where: Any, name: str, number: int, *, before: bool) -> Iterator[None]:
    """Die before, or after, the n-th call of a function."""
    real, left = getattr(where, name), [number]

    def counted(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and before:
            die()
        answer = real(*args, **kwargs)
        if left[0] == 0:
            die()
        return answer

    with mock.patch.object(where, name, counted):
        yield


# What smtplib does for one mail, in its order.
SMTP_CALLS = [(smtplib.SMTP, name) for name in ("connect", "mail", "rcpt", "data")]
