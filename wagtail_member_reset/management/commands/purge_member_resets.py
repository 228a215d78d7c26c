from __future__ import annotations

from typing import Any

from ... import bad_addresses, links, needs_help, outbox
from ...mailing import purge_mailings
from ..base import WorkingCommand


class Command(WorkingCommand):
    help = (
        "Forget links that ended longer ago than WAGTAIL_MEMBER_RESET_RETENTION, their mailings, and what "
        "visitors typed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        resets, asked, mailings = links.purge(), outbox.purge_requests(), purge_mailings()
        bad_addresses.purge()
        needs_help.rebuild()
        self.stdout.write(f"Forgotten: {resets} resets, {asked} requests, {mailings} mailings.")
