from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings


class EnginesConfig(AppConfig):
    """Shortens what a test cannot wait for: a lease, a look after the mailings, and the length of a chunk."""

    name = "tests.engines"
    label = "engines"

    def ready(self):
        from wagtail_member_reset.mailing import chunks
        from wagtail_member_reset.outbox import queue, send, tasks

        queue.LEASE = timedelta(seconds=settings.SITE_LEASE_SECONDS)
        send.MARGIN = queue.LEASE / 3
        tasks.WATCH = queue.LEASE / 6
        tasks.LOST_AFTER = queue.LEASE
        chunks.CHUNK = settings.SITE_CHUNK
