from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from ... import bad_addresses, links, needs_help, outbox
from ...mailing import purge_mailings
from ..base import WorkingCommand


class Command(WorkingCommand):
    help = (
        "Forget links that ended longer ago than WAGTAIL_MEMBER_RESET_RETENTION, their mailings, and what "
        "visitors typed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be forgotten, and forget nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        # In this order: a mailing goes when the last of its emails has.
        resets, asked = links.purge(dry_run=dry_run), outbox.purge_requests(dry_run=dry_run)
        mailings, bad = purge_mailings(dry_run=dry_run), bad_addresses.purge(dry_run=dry_run)
        if not dry_run:
            needs_help.rebuild()
        counts = f"{resets} resets, {asked} requests, {mailings} mailings, {bad} bad addresses."
        self.stdout.write(f"Would be forgotten: {counts} Nothing was changed." if dry_run else f"Forgotten: {counts}")
