"""The commands for cron: deliver what is due, and forget what has been over for long."""

import _thread
import gc
import itertools
import signal
import threading
import time
from datetime import datetime, timedelta, timezone
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone as django_timezone

from tests.conftest import make_person
from wagtail_member_reset import bad_addresses, mailings, resets
from wagtail_member_reset.db import retry
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import (
    BadAddress,
    BadVerdict,
    EmailState,
    Mailing,
    NeedsHelp,
    Origin,
    PasswordReset,
    ResetEmail,
    ResetRequest,
    State,
)
from wagtail_member_reset.outbox import send

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def run(name, *args):
    out, err = StringIO(), StringIO()
    call_command(name, *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


class Interrupter(threading.Thread):
    """Presses Ctrl+C, as it were, once `condition()` holds; after ten seconds in any case. Or sends another signal."""

    def __init__(self, condition, number):
        super().__init__(daemon=True)
        self.condition, self.number, self.held = condition, number, False

    def run(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and not self.held:
            time.sleep(0.02)
            self.held = bool(self.condition())
        time.sleep(0.05)
        _thread.interrupt_main(self.number)


def loop_until(condition, *, number=signal.SIGINT):
    """What the loop wrote. It wants a test outside a transaction, since it renews the connection before each pass."""
    # A shell that runs the suite in the background has it ignore Ctrl+C, and Python then knows none.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupter = Interrupter(condition, number)
    interrupter.start()
    try:
        written = run("deliver_member_resets", "--loop", "--every", "0.2")
        interrupter.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert interrupter.held, written
    return written


# deliver_member_resets


def test_deliver_sends_what_is_due_and_ends(member, mailoutbox):
    resets.send(member, by=None)

    out, err = run("deliver_member_resets")

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]
    assert (out, err) == ("Emails handed over: 1.\n", "")
    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER


def test_deliver_with_nothing_due_says_so(db, mailoutbox):
    out, err = run("deliver_member_resets")

    assert (out, err, mailoutbox) == ("Emails handed over: 0.\n", "", [])


@pytest.mark.slow
def test_deliver_resolves_what_visitors_asked(member, mailoutbox):
    resets.request("mia@members.example", network="192.0.2.1", site=None, language="en")

    run("deliver_member_resets")

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]
    assert PasswordReset.objects.get().origin == Origin.MEMBER


def test_deliver_sends_twice_what_is_asked_twice_and_no_more(member, mailoutbox):
    resets.send(member, by=None)

    run("deliver_member_resets")
    run("deliver_member_resets")

    assert len(mailoutbox) == 1


def test_deliver_erases_what_must_no_longer_be_kept(member, time_machine):
    time_machine.move_to(NOON, tick=False)
    resets.send(member, by=None)
    run("deliver_member_resets")
    time_machine.move_to(NOON + timedelta(hours=16), tick=False)

    run("deliver_member_resets")

    assert PasswordReset.objects.get().nonce is None
    assert PasswordReset.objects.get().is_live


def test_output_names_no_member_and_no_link(member):
    link = resets.link(resets.send(member, by=None))

    out, err = run("deliver_member_resets")

    assert [text in out + err for text in ("mia", "account/r/", link)] == [False] * 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_loop_goes_on_until_it_is_interrupted(
    transactional_db, django_db_serialized_rollback, member, mailoutbox, number
):
    resets.send(member, by=None)

    out, err = loop_until(lambda: mailoutbox, number=number)

    assert len(mailoutbox) == 1
    assert (out.splitlines()[-1], err) == ("Stopped.", "")


def test_loop_sends_what_comes_later(transactional_db, django_db_serialized_rollback, member, mailoutbox):
    resets.send(member, by=None)
    ResetEmail.objects.update(next_attempt_at=django_timezone.now() + timedelta(seconds=0.5))

    loop_until(lambda: mailoutbox)

    assert len(mailoutbox) == 1


def test_loop_outlives_a_database_that_is_away(transactional_db, django_db_serialized_rollback, member, mailoutbox):
    resets.send(member, by=None)
    # Longer than one operation is tried again.
    refused = itertools.count()

    def away(execute, sql, params, many, context):
        if next(refused) <= 2 * retry.ATTEMPTS:
            raise OperationalError("server closed the connection")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away):
        out, err = loop_until(lambda: mailoutbox)

    assert len(mailoutbox) == 1
    assert "The database did not answer (OperationalError); trying again." in err
    assert "server closed" not in err
    assert out.splitlines()[-1] == "Stopped."


def test_single_pass_does_not_hide_a_database_that_is_away(member):
    def away(execute, sql, params, many, context):
        raise OperationalError("server closed the connection")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        run("deliver_member_resets")


@pytest.mark.parametrize("every", ["0", "-1", "nan", "inf"])
def test_pause_that_is_none_is_refused(db, every):
    with pytest.raises(CommandError, match="positive number of seconds"):
        run("deliver_member_resets", "--loop", "--every", every)


# What is wrong with the database


@pytest.fixture
def unmigrated(transactional_db, django_db_serialized_rollback):
    """As after an upgrade without `migrate`: a migration is not applied, and a table is not there."""
    tables, recorder = [], MigrationRecorder(connection)
    [last] = MigrationLoader(connection).graph.leaf_nodes("wagtail_member_reset")

    def rename(table, name):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")

    def take_away(table):
        recorder.record_unapplied(*last)
        rename(table, f"{table}_away")
        tables.append(table)

    yield take_away
    for table in tables:
        rename(f"{table}_away", table)
    if last not in recorder.applied_migrations():
        recorder.record_applied(*last)


@pytest.mark.parametrize(
    "command",
    [
        ["deliver_member_resets"],
        ["deliver_member_resets", "--loop", "--every", "0.1"],
        ["purge_member_resets"],
        ["send_member_resets", "--all", "--no-input"],
    ],
    ids=" ".join,
)
def test_missing_migration_is_said_at_once(unmigrated, member, command):
    table = "mailingchunk" if command[0] == "send_member_resets" else "resetrequest"
    unmigrated(f"wagtail_member_reset_{table}")

    with pytest.raises(CommandError, match=r"lacks migrations .* run manage\.py migrate\.$"):
        run(*command)


def test_table_that_is_gone_though_all_was_migrated_is_no_outage(unmigrated, member, mailoutbox):
    unmigrated("wagtail_member_reset_resetrequest")
    [last] = MigrationLoader(connection).graph.leaf_nodes("wagtail_member_reset")
    MigrationRecorder(connection).record_applied(*last)

    with pytest.raises(DatabaseError, match="resetrequest"):
        run("deliver_member_resets")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OperationalError("attempt to write a readonly database"), "attempt to write a readonly database"),
        (
            ProgrammingError("permission denied for table resetemail\nDETAIL: mia"),
            "permission denied for table resetemail",
        ),
        (IntegrityError("Key (recipient)=(mia@members.example) is there"), "The database refused (IntegrityError);"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_loop_names_what_the_database_refuses(
    transactional_db, django_db_serialized_rollback, member, mailoutbox, monkeypatch, error, said
):
    resets.send(member, by=None)
    refused = iter([True])

    def refuse(lease):
        if next(refused, False):
            raise error
        return claim(lease)

    claim = send.claim_singles
    monkeypatch.setattr(send, "claim_singles", refuse)

    _out, err = loop_until(lambda: mailoutbox)

    assert said in err
    assert [word in err for word in ("did not answer", "mia", "trying again")] == [False, False, True]


@pytest.mark.parametrize("error", [ZeroDivisionError("mia"), OperationalError("no such table: x")], ids=str)
def test_loop_goes_on_after_a_pass_that_failed(
    transactional_db, django_db_serialized_rollback, member, mailoutbox, monkeypatch, error
):
    resets.send(member, by=None)
    failing = iter([True])

    def fail_once(lease):
        if next(failing, False):
            raise error
        return []

    monkeypatch.setattr(send, "claim_retries", fail_once)

    out, _err = loop_until(lambda: next(failing, True) and mailoutbox)

    assert out.splitlines()[-1] == "Stopped."


# purge_member_resets


@pytest.fixture
def past(db, time_machine):
    """Sends a link at noon, and leaves the clock there."""
    time_machine.move_to(NOON, tick=False)

    def send(name="Mia"):
        reset = resets.send(make_person(name, password="x password 1"), by=None)
        call_command("deliver_member_resets", stdout=StringIO())
        return reset

    return send


def test_purge_takes_a_link_and_its_mails_when_the_retention_is_over(past, time_machine):
    past()

    time_machine.move_to(NOON + timedelta(days=37), tick=False)
    run("purge_member_resets")
    kept = PasswordReset.objects.count(), ResetEmail.objects.count()
    time_machine.move_to(NOON + timedelta(days=37, seconds=1), tick=False)
    out, _err = run("purge_member_resets")

    assert kept == (1, 1)
    assert (PasswordReset.objects.count(), ResetEmail.objects.count()) == (0, 0)
    assert out == "Forgotten: 1 resets, 0 requests, 0 mailings, 0 bad addresses.\n"


def test_purge_honours_the_sites_retention(past, time_machine, settings):
    settings.WAGTAIL_MEMBER_RESET_RETENTION = timedelta(days=2)
    past()

    time_machine.move_to(NOON + timedelta(days=8), tick=False)
    run("purge_member_resets")
    kept = PasswordReset.objects.count()
    time_machine.move_to(NOON + timedelta(days=10), tick=False)
    run("purge_member_resets")

    assert (kept, PasswordReset.objects.count()) == (1, 0)


def test_purge_never_takes_a_live_link(past, time_machine, settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(days=400)
    settings.WAGTAIL_MEMBER_RESET_RETENTION = timedelta(seconds=1)
    reset = past()
    token = resets.link(reset).rstrip("/").rpartition("/")[2]

    time_machine.move_to(NOON + timedelta(days=399), tick=False)
    run("purge_member_resets")

    resets.redeem(resets.open(token), password="a brand new one 7")
    assert PasswordReset.objects.get().state == State.USED


def test_purge_leaves_what_ended_lately(past, time_machine):
    used, cancelled = past("Uwe"), past("Cora")
    token = resets.link(used).rstrip("/").rpartition("/")[2]
    resets.redeem(resets.open(token), password="a brand new one 7")
    resets.revoke(cancelled, by=None)
    time_machine.move_to(NOON + timedelta(days=30), tick=False)

    run("purge_member_resets")

    assert set(PasswordReset.objects.values_list("state", flat=True)) == {State.USED, State.REVOKED}


def test_purge_leaves_the_members_and_their_passwords(past, time_machine):
    member = past().member
    time_machine.move_to(NOON + timedelta(days=400), tick=False)

    run("purge_member_resets")

    member.refresh_from_db()
    assert member.check_password("x password 1")


def test_purge_forgets_what_visitors_typed_after_a_day(db, time_machine):
    time_machine.move_to(NOON, tick=False)
    resets.request("who@ever.example", network="192.0.2.1", site=None, language="en")

    time_machine.move_to(NOON + timedelta(days=1), tick=False)
    run("purge_member_resets")
    kept = ResetRequest.objects.count()
    time_machine.move_to(NOON + timedelta(days=1, seconds=1), tick=False)
    run("purge_member_resets")

    assert (kept, ResetRequest.objects.count()) == (1, 0)


def test_second_purge_finds_nothing(past, time_machine):
    past()
    time_machine.move_to(NOON + timedelta(days=400), tick=False)
    run("purge_member_resets")

    out, err = run("purge_member_resets")

    assert (out, err) == ("Forgotten: 0 resets, 0 requests, 0 mailings, 0 bad addresses.\n", "")


def rows_of(*models):
    return {model.__name__: sorted(map(str, model.objects.values_list("pk", flat=True))) for model in models}


def test_dry_run_of_a_purge_says_what_the_purge_does_and_changes_nothing(past, time_machine, by_hand):
    # Of each kind one that goes and one that stays; one mailing goes since the purge takes the last of its emails.
    old, everybody = past(), mailings.drafted(Choice(kind=Kind.ALL), by=None, again=True)
    make_person("Ole", email="")  # passed over: an email without a link
    everybody.save()
    mailings.start(everybody)
    call_command("deliver_member_resets", stdout=StringIO())
    stopped = mailings.draft(Choice(kind=Kind.ALL), by=None)
    resets.request("who@ever.example", network="192.0.2.1", site=None, language="en")
    bad_addresses.remember("dead@members.example", BadVerdict.HARD_BOUNCE)
    time_machine.move_to(NOON + timedelta(days=100), tick=False)
    bad_addresses.remember("dying@members.example", BadVerdict.HARD_BOUNCE)
    resets.request("who@else.example", network="192.0.2.1", site=None, language="en")
    mailings.draft(Choice(kind=Kind.ALL), by=None)
    past("Nora")
    models = (PasswordReset, ResetEmail, ResetRequest, Mailing, BadAddress, NeedsHelp)
    before = rows_of(*models)

    said, _err = run("purge_member_resets", "--dry-run")
    after_dry_run = rows_of(*models)
    done, _err = run("purge_member_resets")

    counts = "1 resets, 1 requests, 2 mailings, 1 bad addresses."
    assert (said, done) == (f"Would be forgotten: {counts} Nothing was changed.\n", f"Forgotten: {counts}\n")
    assert after_dry_run == before
    assert not Mailing.objects.filter(pk__in=[everybody.pk, stopped.pk]).exists()
    assert not PasswordReset.objects.filter(pk=old.pk).exists()
    assert (Mailing.objects.count(), BadAddress.objects.count(), PasswordReset.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("name", ["send_member_resets", "deliver_member_resets"])
def test_command_in_a_process_of_its_own_does_not_look_through_all_that_was_loaded(name, monkeypatch):
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(name))
    command = load_command_class("wagtail_member_reset", name)
    monkeypatch.setattr(command, "execute", lambda *args, **options: None)

    command.run_from_argv(["manage.py", name, *(["--all"] if name == "send_member_resets" else [])])
    assert frozen == [name]

    call_command(command, *(["--all"] if name == "send_member_resets" else []))
    assert frozen == [name]
