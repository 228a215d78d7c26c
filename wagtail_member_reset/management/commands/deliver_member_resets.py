from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error, close_old_connections

from ... import outbox
from ..base import WorkingCommand
from ..stopping import stopping
from ..trouble import raise_if_unmigrated, said_of

logger = logging.getLogger("wagtail_member_reset")


class Command(WorkingCommand):
    help = "Send every password reset email that is due, and erase what must no longer be kept. For cron, or --loop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="Go on until interrupted.")
        parser.add_argument(
            "--every", type=float, default=5, metavar="SECONDS", help="With --loop: the pause between passes (5)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["every"] < float("inf"):
            raise CommandError("--every takes a positive number of seconds.")
        with stopping() as stopped:
            if not options["loop"]:
                self.stdout.write(f"Emails handed over: {outbox.drain(at_random=True, is_stopping=stopped.is_set)}.")
                return
            while not stopped.is_set():
                self.one_pass(is_stopping=stopped.is_set)
                stopped.wait(options["every"])
        self.stdout.write("Stopped.")

    def one_pass(self, *, is_stopping: Callable[[], bool]) -> None:
        close_old_connections()
        try:
            if sent := outbox.drain(at_random=True, is_stopping=is_stopping):
                self.stdout.write(f"Emails handed over: {sent}.")
        except Error as error:
            raise_if_unmigrated(error)
            # The database may be restarting; a sweeper outlives that, and whatever else is wrong with it.
            self.stderr.write(f"{said_of(error)}; trying again.")
        except Exception as error:
            logger.exception("A pass ended early.")
            self.stderr.write(f"The pass ended early ({type(error).__name__}); trying again.")
