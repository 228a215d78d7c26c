from datetime import timedelta

from django.apps import AppConfig
from django.conf import settings


class EnginesConfig(AppConfig):
    """Shortens what a test cannot wait for: a lease, a look after the runs, and the length of a chunk."""

    name = "tests.engines"
    label = "engines"

    def ready(self):
        from wagtail_member_reset import batches, tasks
        from wagtail_member_reset.delivery import worker

        worker.LEASE = timedelta(seconds=settings.SITE_LEASE_SECONDS)
        worker.MARGIN = worker.LEASE / 3
        tasks.WATCH = worker.LEASE / 6
        tasks.LOST_AFTER = worker.LEASE
        batches.CHUNK = settings.SITE_CHUNK
