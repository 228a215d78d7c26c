"""How transactions begin and are tried again on SQLite, where one writes at a time."""

import threading
import time

import pytest
from django.db import OperationalError, connection, connections, transaction

from wagtail_member_reset.db import retry
from wagtail_member_reset.models import ResetRequest

pytestmark = [
    pytest.mark.skipif(connection.vendor != "sqlite", reason="one writer at a time is SQLite's own way"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


def write(address):
    digests = {"address_digest": "a", "network_digest": "n"}
    ResetRequest.objects.create(address=address, language="en", **digests)


def read():
    return list(ResetRequest.objects.values_list("address", flat=True))


@pytest.fixture
def chosen(monkeypatch):
    """What the site says of `transaction_mode`, for the test's own connection."""
    connection.ensure_connection()

    def choose(mode):
        monkeypatch.setattr(connections["default"], "transaction_mode", mode)

    return choose


@pytest.fixture
def elsewhere():
    """Have something done by another thread, with a connection of its own."""
    threads = []

    def start(job):
        def run():
            try:
                job()
            finally:
                connections.close_all()

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join()


def test_who_reads_first_and_then_writes_is_overtaken_by_nobody(elsewhere):
    calls = []

    def operation():
        calls.append(read())
        elsewhere(lambda: write("other"))
        time.sleep(0.2)
        write("mine")
        return read()

    assert retry.retried(operation) == ["mine"]
    assert calls == [[]]


def test_what_the_site_has_chosen_stands(chosen, django_assert_num_queries):
    chosen("DEFERRED")

    with django_assert_num_queries(3) as seen:
        retry.retried(read)

    assert seen.captured_queries[0]["sql"] == "BEGIN DEFERRED"
    assert connection.transaction_mode == "DEFERRED"


def test_transactions_of_others_begin_as_before(chosen):
    chosen(None)

    retry.retried(read)

    assert connection.transaction_mode is None
    with pytest.raises(ZeroDivisionError):
        retry.retried(lambda: 1 / 0)
    assert connection.transaction_mode is None
    assert not connection.in_atomic_block


def test_within_a_transaction_nothing_is_begun_and_nothing_tried_again(chosen):
    chosen(None)
    calls = []

    def operation():
        calls.append(connection.transaction_mode)
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError), transaction.atomic():
        retry.retried(operation)

    assert calls == [None]


def test_patience_is_bounded_by_time_and_by_attempts(monkeypatch):
    calls = []
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def operation():
        calls.append(True)
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError):
        retry.retried(operation)
    by_attempts = len(calls)
    monkeypatch.setattr(retry, "PATIENCE_SECONDS", 0)
    with pytest.raises(OperationalError):
        retry.retried(operation)

    assert (by_attempts, len(calls) - by_attempts) == (retry.ATTEMPTS, 2)
