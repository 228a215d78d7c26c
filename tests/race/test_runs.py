"""A run that is stopped while a worker writes a chunk of it."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import batches, bulk, promises
from wagtail_member_reset.choosing import Choice, Kind
from wagtail_member_reset.models import ResetEmail

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_members_whose_mails_are_being_written_are_not_counted_as_stopped(settings, monkeypatch):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    monkeypatch.setattr(batches, "CHUNK", 2)
    for number in range(4):
        make_person(f"Member{number}")
    batch = bulk.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    bulk.start(batch)
    pk, is_taken, take = batches.next_chunk(), threading.Event(), batches.take

    def take_and_be_slow(chunk):
        taken = take(chunk)
        is_taken.set()
        threading.Event().wait(0.5)
        return taken

    def work():
        try:
            promises.write(pk, lease="one", lease_until=timezone.now() + timedelta(minutes=10))
        finally:
            connection.close()

    monkeypatch.setattr(batches, "take", take_and_be_slow)
    worker = threading.Thread(target=work)
    worker.start()
    is_taken.wait(10)
    bulk.stop(batch)
    worker.join(10)

    assert ResetEmail.objects.filter(batch=batch).count() == 2
    assert {each.reason: each.count for each in batch.skips.all()} == {"stopped": 2}
