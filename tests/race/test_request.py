"""Requests on the website, while somebody else writes."""

import sqlite3
import threading

import pytest
from django.db import connection, connections, transaction

from tests.race.test_races import THREADS, all_at_once
from wagtail_member_reset import resets
from wagtail_member_reset.db import turns
from wagtail_member_reset.models import ResetRequest


def ask(address, network="192.0.2.7"):
    resets.request(address, network=network, site=None, language="en")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(
    ("limits", "kept", "address", "network"),
    [
        ({"address": "1/h"}, 1, "mia@members.example", "192.0.2.{}"),
        ({"ip": "3/h"}, 3, "stranger{}@elsewhere.example", "192.0.2.7"),
        ({"all": "6/min"}, 6, "stranger{}@elsewhere.example", "192.0.2.{}"),
        ({"ip": "999/h", "all": "6/min"}, 3, "stranger{}@elsewhere.example", "192.0.2.7"),
    ],
    ids=["address", "network", "all", "share of one network"],
)
def test_of_requests_at_once_as_many_are_kept_as_a_limit_allows(settings, limits, kept, address, network):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = limits
    jobs = [lambda n=number: ask(address.format(n), network.format(n)) for number in range(THREADS)]

    all_at_once(*jobs)

    assert ResetRequest.objects.count() == kept


@pytest.mark.skipif(connection.vendor != "postgresql", reason="others end a wait by themselves")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_request_behind_one_that_hangs_is_written_all_the_same(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.1)

    def elsewhere():
        try:
            ask("mia@members.example")
        finally:
            connections.close_all()

    with transaction.atomic():
        turns.take_turn()
        other = threading.Thread(target=elsewhere, daemon=True)
        other.start()
        other.join()

    assert ResetRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_request_that_another_writer_overtakes_is_written_all_the_same(monkeypatch):
    if connection.vendor == "sqlite":
        # A site's own choice, by which only the first write takes its turn: so it must be the first statement.
        connection.ensure_connection()
        monkeypatch.setattr(connections["default"], "transaction_mode", "DEFERRED")
    overtaken, sleeps = [], []
    monkeypatch.setattr("time.sleep", sleeps.append)

    def elsewhere():
        try:
            ask("first@members.example")
        finally:
            connections.close_all()

    def overtake(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "resetrequest" in sql and not overtaken:
            overtaken.append(True)
            other = threading.Thread(target=elsewhere, daemon=True)
            other.start()
            other.join()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(overtake):
        ask("second@members.example")

    assert set(ResetRequest.objects.values_list("address", flat=True)) == {
        "first@members.example",
        "second@members.example",
    }
    assert sleeps == []  # and at the first attempt


@pytest.mark.skipif(connection.vendor != "sqlite", reason="one writer at a time is SQLite's own way")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_send_waits_for_a_program_that_holds_the_whole_database(member):
    held = sqlite3.connect(connection.settings_dict["NAME"], check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    release = threading.Timer(1.0, held.rollback)
    release.start()

    reset = resets.send(member, by=None)

    release.join()
    held.close()
    assert reset.is_live
