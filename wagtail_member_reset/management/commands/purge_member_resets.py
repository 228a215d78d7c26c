from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from wagtail_member_reset import ledger
from wagtail_member_reset.delivery import requests


class Command(BaseCommand):
    help = "Forget links that ended longer ago than WAGTAIL_MEMBER_RESET_RETENTION, and what visitors typed."

    def handle(self, *args: Any, **options: Any) -> None:
        resets, asked = ledger.purge(), requests.purge()
        self.stdout.write(f"{resets} resets and {asked} requests forgotten.")
