from __future__ import annotations

import json
import os
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ... import personal_data
from .. import one_member
from ..base import WorkingCommand


class Command(WorkingCommand):
    help = "Write what is stored about one member as JSON: no token, no password, and no name of a colleague."

    def add_arguments(self, parser: CommandParser) -> None:
        one_member.add_arguments(parser)
        parser.add_argument("-o", "--output", metavar="FILE", help="A new file that only you may read; else stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        member = one_member.found(options)
        text = json.dumps(personal_data.export(member), indent=2, ensure_ascii=False)
        if not options["output"]:
            self.stdout.write(text)
            return
        try:
            # Never over another file, and for nobody else on the machine to read.
            with os.fdopen(os.open(options["output"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text + "\n")
        except OSError as error:
            raise CommandError(f"The file was not written: {error.strerror}.") from error
