from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ... import personal_data
from ...exceptions import ErasureRefused
from .. import one_member
from ..base import WorkingCommand


class Command(WorkingCommand):
    help = (
        "Erase what is stored about one member: links, emails and what became of them, notes, and what is known of "
        "the address. The account stays, and so do “Do not email” and the site's log. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        one_member.add_arguments(parser)
        parser.add_argument("--no-input", action="store_false", dest="interactive", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        member = one_member.found(options)
        if options["interactive"] and not self.is_confirmed(member):
            raise CommandError("Nothing was erased.")
        try:
            personal_data.erase(member, by=None)
        except ErasureRefused as error:
            raise CommandError(
                "An email to this person is being sent, or a mailing that names them is under way. "
                "Nothing was erased: try again in a minute."
            ) from error
        self.stdout.write("Erased.")

    def is_confirmed(self, member: Any) -> bool:
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to be asked: add --no-input.")
        asked = f"Erase what is stored about {member.get_username()}? It cannot be undone. [y/N] "
        return input(asked).strip().lower() in ("y", "yes")
