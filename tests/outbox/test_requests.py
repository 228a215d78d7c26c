import re
import time
from datetime import datetime, timedelta
from datetime import timezone as zones

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import audit, outbox, resets, tokens
from wagtail_member_reset.accounts import clean_address
from wagtail_member_reset.models import Origin, PasswordReset, Purpose, ResetEmail, ResetRequest
from wagtail_member_reset.outbox import effort, requests

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 23, 12, tzinfo=zones.utc)
LINK = re.compile(r"/account/r/\S+")


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def ask(address="mia@members.example", network="192.0.2.7"):
    resets.request(address, network=network, site=None, language="de")


def test_request_is_written_alike_for_members_and_strangers(member, django_assert_num_queries):
    turns = connection.features.has_select_for_update  # where several may write at once

    def work(address):
        with django_assert_num_queries(4 + turns) as captured:
            ask(address)
        statements = [query["sql"] for query in captured.captured_queries]
        return [re.split("WHERE|VALUES|_x[0-9]+", sql)[0] for sql in statements]

    known, unknown = work("mia@members.example"), work("eve@elsewhere.example")

    assert known == unknown
    assert not any(get_user_model()._meta.db_table in sql for sql in known)
    assert ResetRequest.objects.count() == 2


def test_worker_resolves_a_request_and_forgets_the_address(member, mailoutbox):
    ask("Mia@Members.example")

    outbox.drain()

    reset = PasswordReset.objects.get()
    assert (reset.origin, reset.purpose, reset.language) == (Origin.MEMBER, Purpose.RESET, "de")
    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]
    assert ResetRequest.objects.get().address == ""


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email": ""}])
def test_accounts_that_cannot_be_reset_get_nothing(member, mailoutbox, fields):
    get_user_model().objects.filter(pk=member.pk).update(**fields)
    ask()

    outbox.drain()

    assert mailoutbox == []
    assert not PasswordReset.objects.exists()


def refuse(member):
    return False


def test_may_reset_is_asked_on_the_public_path(member, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = "tests.outbox.test_requests.refuse"
    ask()

    outbox.drain()

    assert (mailoutbox, PasswordReset.objects.count()) == ([], 0)


def test_passwords_disabled_holds_on_the_public_path(member, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False
    ask()

    outbox.drain()

    assert (mailoutbox, PasswordReset.objects.count()) == ([], 0)


def test_imported_members_without_a_password_get_a_link(imported_member, mailoutbox):
    ask("ida@members.example")

    outbox.drain()

    assert len(mailoutbox) == 1


def test_pending_welcome_is_sent_again(member, mailoutbox, clock):
    welcome = resets.send(member, by=None, purpose=Purpose.WELCOME)
    outbox.drain()
    clock.shift(timedelta(minutes=3))
    ask()

    outbox.drain()

    assert PasswordReset.objects.get() == welcome
    # On the German page, by now.
    assert [mail.subject for mail in mailoutbox] == ["Your account at Example Club", "Ihr Konto bei Example Club"]


@pytest.mark.parametrize("lookalike", ["mıa@members.example", "miа@members.example", "mia@members.example.example"])
def test_lookalike_addresses_are_strangers(member, mailoutbox, lookalike):
    ask(lookalike)

    outbox.drain()

    assert mailoutbox == []


def test_mail_goes_to_the_stored_address_and_not_to_the_typed_one(member, mailoutbox):
    ask("MIA@MEMBERS.EXAMPLE")

    outbox.drain()

    assert mailoutbox[0].recipients() == ["mia@members.example"]


def test_five_accounts_of_one_address_get_a_link_each_and_no_more(db, mailoutbox):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("addresses are unique with this user model")
    for number in range(8):
        make_person(f"Kid{number}", email="family@members.example")
    ask("family@members.example")

    outbox.drain()

    assert len(mailoutbox) == 5


def test_inactive_accounts_of_an_address_take_nobodys_place(db, mailoutbox):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("addresses are unique with this user model")
    for number in range(6):
        make_person(f"Kid{number}", email="family@members.example", is_active=number == 5)
    ask("family@members.example")

    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["family@members.example"]]


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("ina@münchen.example", "ina@xn--mnchen-3ya.example"),
        ("ulf@xn--mnchen-3ya.example", "ulf@münchen.example"),
        ("ted@club.example ", "ted@club.example"),
        ("ted@club.example", "\u200bted@club.example\u200b "),
        ("JÖRG@club.example", "jo\u0308rg@club.example"),
    ],
)
def test_any_spelling_of_the_stored_address_is_answered(db, mailoutbox, stored, typed):
    member = make_person("Ina")
    get_user_model().objects.filter(pk=member.pk).update(email=stored)
    ask(typed)

    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [[clean_address(stored)]]


def test_limit_of_an_address_counts_all_its_spellings(db, settings):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"address": "2/h"}
    for address in (
        "ina@münchen.example",
        "INA@xn--mnchen-3ya.example",
        "ina@MÜNCHEN.example\u200b",
        " ina@münchen.example",
    ):
        ask(address)

    assert ResetRequest.objects.count() == 2


@pytest.mark.parametrize(
    ("limits", "network", "address"),
    [
        ({"ip": "2/h"}, "192.0.2.7", "other{}@members.example"),
        ({"address": "2/h"}, "192.0.2.{}", "mia@members.example"),
        ({"all": "2/h"}, "192.0.2.{}", "other{}@members.example"),
    ],
)
def test_limits_hold_and_pass_with_time(db, settings, limits, network, address):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = limits
    for number in range(4):
        ask(address.format(number), network.format(number))
    within = ResetRequest.objects.count()

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        ask(address.format(9), network.format(9))

    assert (within, ResetRequest.objects.count()) == (2, 3)


PRIVATE = ["127.0.0.1", "10.1.2.3", "172.18.0.3", "192.168.1.1", "::1", "fd00::/64", "fe80::/64", "unknown", ""]


@pytest.mark.parametrize("network", PRIVATE)
def test_stranger_behind_the_address_of_all_shuts_nobody_out(member, network, mailoutbox):
    """As where a proxy is not known as one, or the server listens on a socket."""
    for number in range(30):  # more than the 20 of one visitor
        ask(f"stranger{number}@elsewhere.example", network=network)

    ask(network=network)
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


@pytest.mark.parametrize("network", ["192.0.2.7", "127.0.0.1"])
def test_total_never_falls_to_one_network(db, settings, network):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "999/h", "all": "10/min"}
    for number in range(20):
        ask(f"stranger{number}@elsewhere.example", network=network)
    of_one = ResetRequest.objects.count()

    for number in range(20):
        ask(f"person{number}@elsewhere.example", network=f"198.51.100.{number}")

    assert (of_one, ResetRequest.objects.count()) == (5, 10)


@pytest.fixture
def nothing_said(monkeypatch):
    monkeypatch.setattr(requests, "_said", {})


@pytest.mark.usefixtures("nothing_said")
def test_limit_that_is_reached_is_logged_once_an_hour_and_without_whom(db, settings, caplog):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"address": "1/h", "ip": "2/h"}
    for _ in range(5):
        ask("stranger@elsewhere.example")
    for number in range(5):
        ask(f"stranger{number}@elsewhere.example")

    assert [record.getMessage() for record in caplog.records if record.name == "wagtail_member_reset"] == [
        "A request was refused: limit=address is reached. This is said once an hour.",
        "A request was refused: limit=ip is reached. This is said once an hour.",
    ]


@pytest.mark.usefixtures("nothing_said")
@pytest.mark.parametrize(("debug", "times"), [(False, 1), (True, 0)])
def test_address_that_all_visitors_share_is_logged_where_somebody_may_be_shut_out(db, settings, caplog, debug, times):
    settings.DEBUG = debug
    for number in range(3):
        ask(f"stranger{number}@elsewhere.example", network="127.0.0.1")

    assert caplog.text.count("WAGTAIL_MEMBER_RESET_TRUSTED_PROXIES") == times


def test_what_a_limit_refuses_does_not_count_for_the_next(db, settings):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"address": "2/h"}
    kept = []
    for minutes in (0, 10, 20, 50, 61, 71, 72):
        with time_machine.travel(START + timedelta(minutes=minutes), tick=False):
            ask()
            kept.append(ResetRequest.objects.count())

    assert kept == [1, 2, 2, 2, 3, 4, 4]


@pytest.mark.parametrize("junk", ["", "x", "@", "a@", "no address", "a@b\r\nBcc: c@d", "x" * 65536 + "@a.b", "a\0@b.c"])
def test_what_is_no_address_is_not_written(db, junk):
    ask(junk)

    assert not ResetRequest.objects.exists()


@pytest.mark.parametrize(
    "pasted", ["mia@club.example/account/r/{}", "{}@club.example", "mia@club.example?to=/r/{:.20}"]
)
def test_personal_link_in_place_of_an_address_is_not_written(db, pasted):
    ask(pasted.format(tokens.issue("key")[1].text))

    assert not ResetRequest.objects.exists()


@pytest.mark.parametrize(
    "address", ["01ARZ3NDEKTSV4RRFFQ69G5FAV01ARZ3NDEKTSV4RRFF@relay.example", "a/r/b@club.example"]
)
def test_address_that_looks_a_little_like_a_link_is_written(db, address):
    ask(address)

    assert ResetRequest.objects.get().address == address


def test_request_survives_a_crash_in_the_middle_of_its_resolution(member, mailoutbox, monkeypatch):
    ask()
    # The crash stands at the border to Django: the look-up of the account.
    manager = type(get_user_model()._default_manager)
    monkeypatch.setattr(manager, "filter", lambda *a, **k: 1 / 0, raising=False)
    outbox.drain()
    left = ResetRequest.objects.filter(resolved_at=None).count()
    monkeypatch.undo()

    outbox.drain()

    assert left == 1
    assert len(mailoutbox) == 1


@pytest.fixture
def walks():
    """The statements that compare addresses with those of all accounts: what each asked for."""
    seen = []

    def watch(execute, sql, params, many, context):
        if f"FROM {connection.ops.quote_name(get_user_model()._meta.db_table)}" in sql and "@" in str(params):
            seen.append(params)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield seen


def test_accounts_of_all_that_wait_are_looked_up_at_once(db, settings, mailoutbox, walks):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "999/h"}
    people = [make_person(f"Kid{number}") for number in range(3)]
    for number in range(30):
        ask(f"stranger{number}@elsewhere.example")
    for person in people:
        ask(person.email.upper())

    outbox.drain()

    assert len(walks) == 1
    assert sorted(mail.to[0] for mail in mailoutbox) == [person.email for person in people]
    assert not ResetRequest.objects.exclude(address="").exists()


def test_strangers_are_done_with_in_the_same_statements_however_many(db, settings):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "999/h"}
    statements = []
    for strangers in (1, 50):
        for number in range(strangers):
            ask(f"stranger{number}@elsewhere.example")
        with CaptureQueriesContext(connection) as queries:
            requests.resolve_due()
        statements.append(len(queries))

    assert statements[0] == statements[1]
    assert not ResetRequest.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize(
    ("kind", "imitated"), [("member", 0), ("stranger", 1), ("inactive", 1), ("not allowed", 1), ("held back", 1)]
)
def test_request_that_leads_to_no_email_is_as_much_work_as_one_that_does(
    member, mailoutbox, settings, monkeypatch, kind, imitated
):
    counts, address = [], member.email
    if kind == "stranger":
        address = "stranger@elsewhere.example"
    elif kind == "inactive":
        get_user_model().objects.filter(pk=member.pk).update(is_active=False)
    elif kind == "not allowed":
        settings.WAGTAIL_MEMBER_RESET_MAY_RESET = f"{__name__}.refuse"
    elif kind == "held back":
        resets.send(member, by=None)
    monkeypatch.setattr(effort, "imitate", counts.append)
    ask(address)

    outbox.drain()

    assert sum(counts) == imitated


def test_imitated_work_is_what_was_measured_and_bounded(db, monkeypatch):
    """A statement takes 10 ms of the processor; where the database takes its time, 90 ms more of the clock."""
    monkeypatch.setattr(effort, "_seconds", {"resolve": 0.02, "send": 0.03})
    took = {}
    for count, idle in ((3, 0), (1_000, 0), (1_000, 0.09)):
        with CaptureQueriesContext(connection) as queries:
            effort.imitate(
                count, work=lambda: 0.01 * len(queries), clock=lambda idle=idle: (0.01 + idle) * len(queries)
            )
        took[count, idle] = len(queries)

    assert took == pytest.approx({(3, 0): 15, (1_000, 0): 100, (1_000, 0.09): 10}, abs=1)


def test_no_email_waits_for_work_that_is_imitated(member, imported_member, mailoutbox, monkeypatch):
    sent_before = []
    monkeypatch.setattr(effort, "imitate", lambda count: sent_before.append((count, len(mailoutbox))))
    for number in range(10):
        ask(f"stranger{number}@elsewhere.example")
    ask(member.email)
    resets.send(imported_member, by=None)

    outbox.drain()

    assert sent_before == [(10, 2)]


def test_work_is_imitated_once_a_pass_and_not_when_it_is_to_stop(db, monkeypatch):
    counts, is_over = [], False
    monkeypatch.setattr(effort, "imitate", counts.append)
    with outbox.at_work() as worker:
        for number in range(2):
            ask(f"stranger{number}@elsewhere.example")
            worker.send_singles()
    ask("another@elsewhere.example")

    with outbox.at_work(is_stopping=lambda: is_over) as worker:
        worker.send_singles()
        is_over = True

    assert counts == [2]


def test_imitated_work_that_fails_fails_no_pass(member, mailoutbox, monkeypatch, caplog):
    monkeypatch.setattr(effort, "imitate", lambda count: 1 / 0)
    ask("stranger@elsewhere.example")
    ask(member.email)

    assert outbox.drain() == 1
    assert "The work for requests without an email failed" in caplog.text


def test_work_is_remembered_as_it_lately_was(monkeypatch):
    monkeypatch.setattr(effort, "_seconds", dict(effort.FIRST))
    for _ in range(100):
        effort.note("send", time.thread_time() - 0.03)
        effort.note("resolve", time.thread_time() - 60)

    assert effort._seconds == pytest.approx({"send": 0.03, "resolve": effort.MOST}, rel=0.1)


def test_address_that_the_database_cannot_take_holds_no_other_back(member, mailoutbox, caplog):
    ask()
    ask("broken@members.example")

    def refuse(execute, sql, params, many, context):
        if get_user_model()._meta.db_table in sql and any("broken" in str(each) for each in params or ()):
            raise DataError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]
    assert list(ResetRequest.objects.filter(resolved_at=None).values_list("address", flat=True)) == [
        "broken@members.example"
    ]
    assert "broken@members" not in "".join(record.getMessage() for record in caplog.records)


def test_purge_forgets_requests_after_a_day(db):
    ask()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        ask("later@members.example")
        requests.purge()

    assert list(ResetRequest.objects.values_list("address", flat=True)) == ["later@members.example"]


def test_no_address_or_network_of_a_visitor_is_kept_in_clear(member):
    ask()
    outbox.drain()

    stored = str(list(ResetRequest.objects.values()))
    assert "mia@" not in stored
    assert "192.0.2.7" not in stored
    assert ResetEmail.objects.count() == 1


@pytest.mark.slow
def test_storm_of_requests_causes_one_mail(member, mailoutbox):
    for number in range(40):
        ask(network=f"192.0.2.{number}")
        outbox.drain()

    assert len(mailoutbox) == 1


def test_two_minutes_lie_between_two_mails_to_one_account(member, mailoutbox, clock):
    sent = []
    for seconds in (0, 119, 120, 121):
        clock.move_to(START + timedelta(seconds=seconds))
        ask()
        outbox.drain()
        sent.append(len(mailoutbox))

    assert sent == [1, 1, 2, 2]
    assert len({LINK.search(mail.body)[0] for mail in mailoutbox}) == 1


def test_mail_that_staff_sent_a_moment_ago_is_not_sent_again(member, office, mailoutbox, clock):
    resets.send(member, by=office)
    ask()
    outbox.drain()
    clock.shift(timedelta(minutes=2))
    ask()
    outbox.drain()

    assert len(mailoutbox) == 2


@pytest.mark.slow
def test_account_gets_ten_mails_a_day_that_nobody_of_the_staff_asked_for(member, office, mailoutbox, clock, settings):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"address": "1000/d", "ip": "1000/d"}
    for _ in range(30):
        ask()
        outbox.drain()
        clock.shift(timedelta(minutes=10))
    in_five_hours = len(mailoutbox)
    resets.send(member, by=office)
    outbox.drain()
    by_staff = len(mailoutbox)
    clock.move_to(START + timedelta(days=1, minutes=1))
    ask()
    outbox.drain()

    assert (in_five_hours, by_staff, len(mailoutbox)) == (10, 11, 12)


def test_one_account_that_had_enough_holds_no_other_back(db, mailoutbox, clock):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("addresses are unique with this user model")
    kid = make_person("Kid", email="family@members.example")
    mum = make_person("Mum", email="family@members.example")
    resets.send(kid, by=None)
    ask("family@members.example")

    outbox.drain()

    assert sorted(ResetEmail.objects.values_list("member", flat=True)) == [kid.pk, mum.pk]


def test_storm_of_strangers_addresses_causes_no_mail_and_few_rows(db, mailoutbox):
    for number in range(60):
        ask(f"stranger{number}@elsewhere.example")
    outbox.drain()

    assert (len(mailoutbox), ResetRequest.objects.count()) == (0, 20)


def test_storm_stops_neither_staff_nor_the_member(member, office, settings, mailoutbox, client):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"all": "1/d"}
    before = get_user_model().objects.filter(pk=member.pk).values().get()
    for _ in range(5):
        ask("stranger@elsewhere.example")
        ask()

    resets.send(member, by=office)
    outbox.drain()

    assert len(mailoutbox) == 1
    assert get_user_model().objects.filter(pk=member.pk).values().get() == before
    assert client.login(**{get_user_model().USERNAME_FIELD: member.get_username(), "password": "old password 1"})


def test_account_that_cannot_be_reset_does_not_stop_another_of_its_address(db, mailoutbox):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("addresses are unique with this user model")
    make_person("Mum", email="family@members.example", is_active=False)
    kid = make_person("Kid", email="Family@members.example")
    ask("family@members.example")

    outbox.drain()

    assert list(PasswordReset.objects.values_list("member", flat=True)) == [kid.pk]
    assert [mail.to for mail in mailoutbox] == [["Family@members.example"]]


def test_request_of_the_website_in_the_window_sends_the_link_of_staff_again(member, office, mailoutbox, clock):
    reset = resets.send(member, by=office)
    outbox.drain()
    clock.shift(timedelta(minutes=3))
    ask()

    outbox.drain()

    assert PasswordReset.objects.get() == reset
    assert len(mailoutbox) == 2
    assert len({LINK.search(mail.body)[0] for mail in mailoutbox}) == 1


def test_account_for_which_something_fails_keeps_no_other_from_its_mail(db, mailoutbox, monkeypatch, caplog):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("addresses are unique with this user model")
    for name in ("Mum", "Kid"):
        make_person(name, email="family@members.example")
    ask("family@members.example")
    # The crash stands at Wagtail's border, with the log entry of the first account.
    log, calls = audit.log, []

    def crash(**details):
        calls.append(details)
        return log(**details) if len(calls) > 1 else 1 / 0

    monkeypatch.setattr(audit, "log", crash)
    outbox.drain()

    assert len(mailoutbox) == 1
    # Both or neither of its link and its email, and the log says which account it was.
    assert (PasswordReset.objects.count(), ResetEmail.objects.count()) == (1, 1)
    assert "failed" in caplog.text
    assert not ResetRequest.objects.filter(resolved_at=None).exists()
