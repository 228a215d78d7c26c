from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings


class EnginesConfig(AppConfig):
    """Shortens what a test cannot wait for: a lease, a look after the mailings, and the length of a chunk."""

    name = "tests.engines"
    label = "engines"

    def ready(self):
        from wagtail_member_reset.mailing import chunks
        from wagtail_member_reset.outbox import queue, tasks, transport

        lease = timedelta(seconds=settings.SITE_LEASE_SECONDS)
        queue.SHORTEST_LEASE, queue.MARGIN, queue.RENEWED = lease, lease / 3, lease / 6
        transport.Mailer.longest_wait = lambda mailer: lease / 3
        tasks.WATCH = lease / 6
        tasks.LOST_AFTER = lease
        chunks.CHUNK = settings.SITE_CHUNK
