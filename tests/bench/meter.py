"""What a stretch of work cost: CPU, wall time, statements, memory."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from django.db import connection

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Meter:
    """
    Measures what is done within `with`.

    Statements are counted as Django runs them, so that one which writes a thousand rows counts
    once. BEGIN does not: on PostgreSQL, Django leaves it to the driver.
    """

    def __enter__(self) -> Meter:
        self.statements = 0
        self._stack = ExitStack()
        self._stack.enter_context(connection.execute_wrapper(self._count))
        gc.collect()
        _forget_peak()
        self._memory = _memory("VmRSS")
        self._wall, self._cpu = time.perf_counter(), _cpu()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.cpu, self.wall = _cpu() - self._cpu, time.perf_counter() - self._wall
        self.growth = max(_memory("VmHWM") - self._memory, 0)
        self._stack.close()

    def as_json(self, **others: Any) -> dict[str, Any]:
        costs = {"cpu": self.cpu, "wall": self.wall, "statements": self.statements, "growth": self.growth}
        return {**costs, **others}

    def _count(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        self.statements += not sql.startswith("BEGIN")
        return execute(sql, *arguments)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory(name: str) -> int:
    """Bytes, now or at most so far. Where there is no /proc, only the most can be asked for."""
    if STATUS.exists():
        [line] = [line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:")]
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _forget_peak() -> None:
    """From now on, "at most so far" is what comes after. See proc(5), clear_refs."""
    with suppress(OSError):
        CLEAR.write_text("5")
