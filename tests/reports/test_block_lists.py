"""Taking an address off the list of a mail service: at each one with its own payloads, and when it fails or lies."""

import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from django.utils.module_loading import import_string

from wagtail_member_reset import reports
from wagtail_member_reset.reports import BlockListError, Trouble, Unblocked
from wagtail_member_reset.reports.block_lists import BLOCK_LISTS, api

from .played_lists import WORDS, Played, Server, configure

BACKENDS = {name: name.lower().replace(" ", "_") for name in BLOCK_LISTS}
MIA = "mia+club@members.example"
pytestmark = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")


@pytest.fixture(params=BLOCK_LISTS)
def played(request, settings):
    service = Played(request.param)
    with Server(service) as url:
        configure(settings, service.name, url)
        yield service
        service.hangs.set()


def lift(service, address=MIA):
    connection = import_string(f"anymail.backends.{BACKENDS[service.name]}.EmailBackend")()
    assert reports.name_of(connection) == service.name
    return reports.lift(reports.service_named(service.name).block_list, connection, address)


def trouble_of(service):
    with pytest.raises(BlockListError) as caught:
        lift(service)
    return caught.value.trouble


def changes(service):
    return [call for call in service.calls if call[0] in ("POST", "DELETE")]


def test_address_that_bounced_is_taken_off_and_nobody_else(played):
    played.block(MIA, "bounce")
    played.block("ida@members.example", "bounce")

    assert lift(played) == Unblocked.DONE

    assert [address for address, _why in played.blocked] == ["ida@members.example"]
    assert played.calls[-1][0] == "GET"


@pytest.mark.parametrize("beside", [[], ["bounce"]])
def test_complaint_stays(played, beside):
    for why in ["complaint", *beside]:
        played.block(MIA, why)
    before = set(played.blocked)
    if played.name == "Amazon SES":  # has one reason for an address
        played.blocked = before = {(MIA, "COMPLAINT")}

    assert lift(played) == Unblocked.COMPLAINT

    assert (played.blocked, changes(played)) == (before, [])


def test_what_was_chosen_stays(played):
    if "other" not in WORDS[played.name]:
        pytest.skip("it keeps that elsewhere")
    played.block(MIA, "other")

    assert (lift(played), changes(played)) == (Unblocked.OTHER, [])


def test_address_that_is_not_blocked_is_said_to_be_so(played):
    played.block("ida@members.example", "bounce")

    assert (lift(played), changes(played)) == (Unblocked.WAS_NOT_BLOCKED, [])


def test_service_that_says_done_and_keeps_it_is_not_believed(played):
    played.block(MIA, "bounce")
    played.forgets = False

    assert (lift(played), len(changes(played))) == (Unblocked.STILL_BLOCKED, 1)


@pytest.mark.parametrize(
    "answer",
    [(200, b"<html>Welcome to the proxy</html>"), (200, []), (200, {"contacts": "all", "address": "x@y.example"})],
    ids=["html", "another shape", "wrong types"],
)
def test_answer_that_says_something_else_changes_nothing(played, answer):
    played.answer = answer
    if played.name == "SendGrid" and answer[1] == []:
        pytest.skip("which is its answer for nothing")

    assert trouble_of(played) in (Trouble.NOT_UNDERSTOOD, Trouble.NO_ANSWER)

    assert changes(played) == []


def test_key_without_the_right_is_told_apart(played):
    played.answer = (401 if played.name != "Amazon SES" else 403, {"message": "no"})

    assert trouble_of(played) == Trouble.DENIED


def test_wrong_place_is_not_taken_for_an_address_that_is_not_blocked(played):
    if played.name == "Amazon SES":
        pytest.skip("its 404 has a type of its own")
    played.answer = (404, {"message": "Domain not found: club.example"})

    assert trouble_of(played) == Trouble.NOT_UNDERSTOOD


def test_service_that_is_down_is_no_answer(played):
    played.answer = (503, b"")

    assert trouble_of(played) == Trouble.NO_ANSWER


def test_service_that_hangs_is_left(played, monkeypatch):
    monkeypatch.setattr(api, "LONGEST_WAIT", 0.2)
    played.hangs.clear()

    assert trouble_of(played) == Trouble.NO_ANSWER


def test_key_follows_no_redirect(played):
    if played.name == "Amazon SES":
        pytest.skip("boto3 signs for one host")
    played.answer = (302, b"")

    assert trouble_of(played) == Trouble.NOT_UNDERSTOOD
    assert len(played.calls) == 1


def test_brevo_reads_a_long_list_and_gives_up_on_a_longer_one(settings):
    service = Played("Brevo")
    with Server(service) as url:
        configure(settings, "Brevo", url)
        for number in range(250):
            service.block(f"a{number:04}@members.example", "bounce")
        service.block(MIA, "bounce")
        assert lift(service) == Unblocked.DONE
        for number in range(1100):
            service.block(f"a{number:04}@members.example", "bounce")
        assert trouble_of(service) == Trouble.TOO_LONG


WRONG = [["x"], {}, None, 1, "\ud800"]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_postmark_that_gives_a_reason_of_another_shape_changes_nothing(settings, wrong):
    service = Played("Postmark")
    service.answer = (200, {"Suppressions": [{"EmailAddress": MIA, "SuppressionReason": wrong}]})
    with Server(service) as url:
        configure(settings, "Postmark", url)
        assert lift(service) == Unblocked.OTHER

    assert changes(service) == []


@pytest.mark.parametrize("error", [TypeError, AttributeError, KeyError, ValueError, RecursionError])
def test_answer_in_a_shape_that_nobody_thought_of_is_not_understood(played, monkeypatch, error):
    found = BLOCK_LISTS[played.name]

    def look(connection, address):
        found.look(connection, address)
        raise error

    monkeypatch.setitem(BLOCK_LISTS, played.name, replace(found, look=look))
    service = replace(reports.service_named(played.name), block_list=BLOCK_LISTS[played.name])
    monkeypatch.setattr(reports, "service_named", lambda name: service)

    assert trouble_of(played) == Trouble.NOT_UNDERSTOOD


def test_service_that_answers_a_byte_at_a_time_is_left_in_time(settings, monkeypatch):
    monkeypatch.setattr(api, "LONGEST_WAIT", 0.5)
    is_over = threading.Event()

    def drip(server):
        with suppress(OSError), server.accept()[0] as caller:
            caller.recv(65536)
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not is_over.wait(0.1):
                caller.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        configure(settings, "Postmark", f"http://127.0.0.1:{server.getsockname()[1]}")
        began = time.monotonic()
        try:
            assert trouble_of(Played("Postmark")) == Trouble.NO_ANSWER
            assert time.monotonic() - began < 5
        finally:
            is_over.set()
            thread.join()
