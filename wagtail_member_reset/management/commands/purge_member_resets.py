from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from wagtail_member_reset import endings, ledger
from wagtail_member_reset.delivery import requests


class Command(BaseCommand):
    help = (
        "Forget links that ended longer ago than WAGTAIL_MEMBER_RESET_RETENTION, their runs, and what visitors typed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        resets, asked, runs = ledger.purge(), requests.purge(), endings.purge()
        self.stdout.write(f"Forgotten: {resets} resets, {asked} requests, {runs} runs.")
