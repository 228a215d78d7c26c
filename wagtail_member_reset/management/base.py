"""What our commands have in common."""

from __future__ import annotations

import gc
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error

from .trouble import raise_if_unmigrated


class WorkingCommand(BaseCommand):
    """
    A command that works through thousands of rows in a process of its own.

    What was loaded until then stays to the end, so Python need not look through it for garbage again and
    again, which is a good part of what a large mailing costs. Where `call_command` runs it in the process of
    somebody else, nothing of that process is touched. Where migrations are missing, it says so.
    """

    def run_from_argv(self, argv: list[str]) -> None:
        gc.freeze()
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except Error as error:
            raise_if_unmigrated(error)
            raise
