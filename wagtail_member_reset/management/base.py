"""What our commands have in common."""

from __future__ import annotations

import gc

from django.core.management.base import BaseCommand


class WorkingCommand(BaseCommand):
    """
    A command that works through thousands of rows in a process of its own.

    What was loaded until then stays to the end, so Python need not look through it for garbage again and
    again, which is a good part of what a large mailing costs. Where `call_command` runs it in the process of
    somebody else, nothing of that process is touched.
    """

    def run_from_argv(self, argv: list[str]) -> None:
        gc.freeze()
        super().run_from_argv(argv)
