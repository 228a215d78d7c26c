"""
What a mailing costs that no clock is needed for: statements, tasks, memory. `make bench` has the rest.

A chunk holds a tenth of what it holds on a site, so a chunk's statements stand for those of a thousand members.
"""

import tracemalloc

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from requests.adapters import HTTPAdapter

from tests.conftest import use_backend
from tests.outbox.test_backends import KEYS
from tests.outbox.test_merge import Service
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import chunks
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.outbox import merge

pytestmark = pytest.mark.django_db

CHUNK = 100


@pytest.fixture(autouse=True)
def by_count_alone(settings, monkeypatch, nothing_each_second):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    settings.WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS = 1
    monkeypatch.setattr(chunks, "CHUNK", CHUNK)


@pytest.fixture
def provider(settings, monkeypatch):
    service = Service("mailgun")
    settings.ANYMAIL = KEYS
    use_backend(settings, "anymail.backends.mailgun.EmailBackend")
    monkeypatch.setattr(merge, "_taken", {})

    def send(adapter, request, **kwargs):
        service.bodies.clear()
        return service(adapter, request, **kwargs)

    monkeypatch.setattr(HTTPAdapter, "send", send)


def drafted(count):
    """A mailing to so many members who are there for it alone."""
    model = get_user_model()
    model.objects.filter(last_login=None).delete()
    names = [f"member{number:05}" for number in range(count)]
    people = [model(email=f"{name}@members.example", first_name="Mia", password="!") for name in names]
    for person, name in zip(people, names, strict=True):
        if model.USERNAME_FIELD != "email":
            person.username = name
    model.objects.bulk_create(people)
    return mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)


def statements(work):
    """
    How many, without those that open and end a transaction: in a test, these are savepoints of the test's own.

    A savepoint within another counts, as it does on a site.
    """
    counted, depth = 0, 0

    def note(execute, sql, *arguments):
        nonlocal counted, depth
        depth -= sql.startswith("RELEASE")
        counted += depth > 0 or not sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))
        depth += sql.startswith("SAVEPOINT")
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        work()
    return counted


def sent(mailing):
    for _was_busy in mailings.work(mailing):
        pass
    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == ("finished", mailing.chosen)


def statements_of_sending(count):
    mailing = drafted(count)
    mailings.start(mailing, wake=False)
    return statements(lambda: sent(mailing))


def test_a_thousand_members_more_take_fifteen_statements_by_batch_calls(provider):
    sent_by = {chunks: statements_of_sending(chunks * CHUNK) for chunks in (1, 3)}

    # SQLite has to be asked for the keys of links and mails, which PostgreSQL hands back with them.
    assert (sent_by[3] - sent_by[1]) / 2 <= (14 if connection.vendor == "postgresql" else 15)


def test_a_thousand_members_more_take_a_hundred_statements_one_by_one(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 1000)
    sent_by = {count: statements_of_sending(count) for count in (200, 400)}

    assert (sent_by[400] - sent_by[200]) * 5 <= 100


def test_enqueueing_takes_a_row_for_each_chunk_and_no_more_statements_for_many():
    counts = []
    for members in (1, 25 * CHUNK + 1):
        mailing = drafted(members)
        counts.append(statements(lambda mailing=mailing: mailings.start(mailing, wake=False)))

    assert mailing.chunks.count() == 26
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_members(provider):
    def most(count):
        mailing = drafted(count)
        mailings.start(mailing, wake=False)
        tracemalloc.start()
        sent(mailing)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(CHUNK)  # what is kept from the first time on

    assert most(6 * CHUNK) < 1.25 * most(2 * CHUNK)
