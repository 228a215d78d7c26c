"""Chunks with one bad member, and chunks that cannot be written: who fails, who waits, and who goes on."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError, IntegrityError, InternalError, ProgrammingError, connection
from django.utils import timezone
from wagtail.users.models import UserProfile

from tests.conftest import make_person
from wagtail_member_reset import links, mailings, outbox, resets
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import (
    EmailState,
    Mailing,
    MailingChunk,
    MailingState,
    PasswordReset,
    ResetEmail,
    SkipReason,
)

NEVER = Choice(kind=Kind.NEVER_SIGNED_IN)
BAD = "Bad"

# As on a site: an error of the database ends the transaction that it came in, not that of the test.
pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.usefixtures("by_hand")]


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


@pytest.fixture
def bad_in_the_middle():
    """Seven members; what a test breaks, it breaks for the fourth."""
    return [make_person(BAD if number == 3 else f"Member{number}") for number in range(7)]


def started(choice=NEVER, **details):
    mailing = mailings.draft(choice, by=None, **details)
    assert mailings.start(mailing)
    return mailing


def drained(mailing):
    outbox.drain()
    mailing.refresh_from_db()
    return mailing


def come_to_an_end(mailing, clock):
    """Pass after pass, as a sweeper makes them, for three hours."""
    for _pass in range(180):
        if drained(mailing).state == MailingState.FINISHED:
            break
        clock.shift(timedelta(minutes=1))
    return mailing


def is_bad(member):
    return member.first_name == BAD


def divides_by_zero(member):
    return not is_bad(member) or 1 / 0


def asks_for_a_table_that_is_not_there(member):
    if is_bad(member):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM no_such_table")
    return True


def hides_what_the_database_said(member):
    """As a cautious site writes it. On PostgreSQL, nothing can be asked after that."""
    try:
        return asks_for_a_table_that_is_not_there(member)
    except Exception:
        return True


def use_rule(monkeypatch, settings, rule):
    """The setting names a function, which is this module's for the while."""
    monkeypatch.setitem(globals(), "rule_of_the_site", rule)
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = f"{__name__}.rule_of_the_site"


def assert_that_only_the_bad_one_failed(mailing, members, mailoutbox):
    assert (mailing.state, mailing.handed_over, mailing.failed) == (MailingState.FINISHED, 6, 1)
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted(m.email for m in members if not is_bad(m))
    failed = ResetEmail.objects.get(state=EmailState.FAILED)
    assert (failed.member.first_name, failed.result_code, failed.reset) == (BAD, "error", None)


@pytest.mark.parametrize("rule", [divides_by_zero, asks_for_a_table_that_is_not_there])
def test_member_for_whom_the_sites_rule_raises_fails_alone_and_at_once(
    bad_in_the_middle, settings, monkeypatch, mailoutbox, caplog, rule
):
    use_rule(monkeypatch, settings, rule)

    mailing = drained(started())

    assert_that_only_the_bad_one_failed(mailing, bad_in_the_middle, mailoutbox)
    assert f"member={bad_in_the_middle[3].pk} failed" in caplog.text


@pytest.mark.slow
def test_rule_that_hides_a_database_error_spoils_nobody_else(bad_in_the_middle, settings, monkeypatch, mailoutbox):
    use_rule(monkeypatch, settings, hides_what_the_database_said)

    mailing = drained(started())

    if connection.vendor == "postgresql":
        assert_that_only_the_bad_one_failed(mailing, bad_in_the_middle, mailoutbox)
    else:
        assert (mailing.handed_over, mailing.failed) == (7, 0)


@pytest.mark.slow
def test_rule_that_never_reaches_the_database_is_not_asked_for_ever(settings, monkeypatch, mailoutbox):
    asked = []

    def rule(member):
        asked.append(member.pk)
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM no_such_table")

    use_rule(monkeypatch, settings, rule)
    for number in range(30):
        make_person(f"Member{number}")

    mailing = drained(started())

    assert (mailing.state, mailing.failed) == (MailingState.FINISHED, 30)
    # Together, then one by one, and once more for the list of who needs help.
    assert len(asked) <= 1 + 2 * 30


@pytest.mark.slow
def test_rule_that_fails_once_fails_nobody(bad_in_the_middle, settings, monkeypatch, mailoutbox):
    """Say, for a deadlock: the chunk is written again, and who was asked about then is mailed."""
    failures = []

    def rule(member):
        if is_bad(member) and not failures:
            failures.append(member)
            asks_for_a_table_that_is_not_there(member)
        return True

    use_rule(monkeypatch, settings, rule)

    assert drained(started()).handed_over == 7


def test_member_whose_name_cannot_be_told_is_mailed_all_the_same(bad_in_the_middle, monkeypatch, mailoutbox):
    monkeypatch.setattr(get_user_model(), "__str__", lambda member: "it" if divides_by_zero(member) else "")

    mailing = drained(started())

    assert (mailing.state, mailing.handed_over, mailing.failed) == (MailingState.FINISHED, 7, 0)


def test_name_that_no_database_takes_keeps_nobody_from_an_email(bad_in_the_middle, monkeypatch, mailoutbox):
    monkeypatch.setattr(get_user_model(), "__str__", lambda member: "Nul\0l" if is_bad(member) else "Somebody")

    mailing = drained(started())

    assert (mailing.state, mailing.handed_over) == (MailingState.FINISHED, 7)


@pytest.mark.parametrize("address", [divides_by_zero, lambda member: "nul\0l@members.example"])
@pytest.mark.slow
def test_member_whose_address_cannot_be_written_fails_alone(bad_in_the_middle, monkeypatch, mailoutbox, clock, address):
    def email_of(member):
        return address(member) if is_bad(member) else member.email

    monkeypatch.setattr(get_user_model(), "shown_address", property(email_of), raising=False)
    monkeypatch.setattr(get_user_model(), "get_email_field_name", classmethod(lambda model: "shown_address"))
    mailing = Mailing.objects.create(state=MailingState.RUNNING, chosen=7)
    chunks.write_chunks(mailing, [member.pk for member in bad_in_the_middle])

    come_to_an_end(mailing, clock)

    if connection.vendor == "postgresql" or address is divides_by_zero:
        assert_that_only_the_bad_one_failed(mailing, bad_in_the_middle, mailoutbox)
    assert mailing.state == MailingState.FINISHED


@pytest.mark.slow
def test_profile_with_a_language_that_is_none_spoils_nobody(bad_in_the_middle, mailoutbox):
    UserProfile.objects.create(user=bad_in_the_middle[3], preferred_language="xx-broke")

    mailing = drained(started())

    assert (mailing.state, mailing.handed_over, mailing.failed) == (MailingState.FINISHED, 7, 0)


def test_members_deleted_before_their_turn_are_gone_and_nobody_waits(bad_in_the_middle, mailoutbox):
    mailing = started()
    bad_in_the_middle[3].delete()

    drained(mailing)

    assert (mailing.state, mailing.handed_over, mailing.skipped) == (MailingState.FINISHED, 6, 1)
    assert mailing.skips.get().reason == SkipReason.GONE


@pytest.mark.slow
def test_member_deleted_while_the_chunk_is_written_spoils_nobody(bad_in_the_middle, mailoutbox, monkeypatch):
    bad, in_order = bad_in_the_middle[3], issue._in_order

    def meanwhile(*asked):
        found = in_order(*asked)
        get_user_model().objects.filter(pk=bad.pk).delete()
        return found

    monkeypatch.setattr(issue, "_in_order", meanwhile)

    mailing = drained(started())

    assert (mailing.state, mailing.handed_over, mailing.handled) == (MailingState.FINISHED, 6, 7)


def refuse_links_of(monkeypatch, error, is_refused):
    """Writing links fails like this while a chunk holds somebody of whom that is said."""
    insert = issue.db.insert

    def refusing(rows, **options):
        if any(isinstance(row, PasswordReset) and is_refused(row.member) for row in rows):
            raise error
        return insert(rows, **options)

    monkeypatch.setattr(issue.db, "insert", refusing)


@pytest.mark.parametrize("error", [pytest.param(IntegrityError, marks=pytest.mark.slow), DataError, ValueError])
def test_member_whose_rows_are_never_taken_fails_alone_in_the_end(
    bad_in_the_middle, mailoutbox, monkeypatch, clock, error
):
    refuse_links_of(monkeypatch, error("no"), is_bad)
    monkeypatch.setattr("wagtail_member_reset.db.retry.time.sleep", lambda seconds: None)

    mailing = come_to_an_end(started(), clock)

    assert_that_only_the_bad_one_failed(mailing, bad_in_the_middle, mailoutbox)


@pytest.mark.parametrize("error", [pytest.param(IntegrityError, marks=pytest.mark.slow), DataError, ValueError])
def test_everybody_else_is_mailed_by_the_first_pass(bad_in_the_middle, mailoutbox, monkeypatch, error):
    refuse_links_of(monkeypatch, error("no"), is_bad)
    monkeypatch.setattr("wagtail_member_reset.db.retry.time.sleep", lambda seconds: None)

    mailing = drained(started())

    assert (mailing.handed_over, mailing.waiting) == (6, 1)


@pytest.mark.parametrize("error", [IntegrityError, DataError, ProgrammingError, InternalError, ZeroDivisionError])
@pytest.mark.slow
def test_mailing_that_cannot_be_written_at_all_lets_the_others_go_on(mailoutbox, monkeypatch, error):
    bad, good = [make_person(f"Bad{number}") for number in range(4)], [make_person(f"Good{n}") for n in range(4)]
    refuse_links_of(monkeypatch, error("no"), lambda member: member.first_name.startswith("Bad"))
    monkeypatch.setattr("wagtail_member_reset.db.retry.time.sleep", lambda seconds: None)
    stuck = started(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in bad)))
    other = started(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in good)))

    drained(other)

    stuck.refresh_from_db()
    assert (other.state, other.handed_over) == (MailingState.FINISHED, 4)
    assert (stuck.state, stuck.handled, stuck.waiting) == (MailingState.RUNNING, 0, 4)


@pytest.mark.slow
def test_halves_of_a_chunk_that_was_cut_wait_behind_other_mailings(mailoutbox, monkeypatch):
    """Cutting a thousand members into ones takes long, and nobody else waits for that."""
    bad, good = [make_person(f"Bad{number}") for number in range(8)], [make_person(f"Good{n}") for n in range(2)]
    tried = []

    def refused(member):
        if member.first_name.startswith("Bad"):
            tried.append(len(mailoutbox))
            return True
        return False

    refuse_links_of(monkeypatch, DataError("no"), refused)
    started(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in bad)))
    started(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in good)))

    outbox.drain()

    assert tried.count(0) == 1


@pytest.mark.slow
def test_chunk_that_cannot_be_written_waits_longer_each_time(mailoutbox, monkeypatch, clock):
    make_person("Mia")
    refuse_links_of(monkeypatch, ProgrammingError("no such column"), lambda member: True)
    mailing = started()
    waits = []

    for _attempt in range(10):
        outbox.drain()
        chunk = MailingChunk.objects.get()
        waits.append((chunk.due_at - timezone.now()).total_seconds())
        clock.move_to(chunk.due_at)

    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    monkeypatch.undo()
    assert drained(mailing).handed_over == 1


@pytest.mark.slow
def test_setting_that_cannot_be_used_fails_no_member(mailoutbox, settings, clock):
    """It is not about any of them: they wait until somebody has mended it."""
    make_person("Mia")
    make_person("Ida")
    mailing = started()
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = "a week"
    for _pass in range(10):
        outbox.drain()
        clock.shift(timedelta(minutes=10))
    del settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME
    clock.shift(timedelta(hours=1))

    drained(mailing)

    assert (mailing.state, mailing.handed_over, mailing.failed) == (MailingState.FINISHED, 2, 0)


def test_single_emails_go_on_while_no_chunk_can_be_written(mailoutbox, monkeypatch):
    make_person("Mia")
    refuse_links_of(monkeypatch, ProgrammingError("no such column"), lambda member: True)
    started()
    resets.send(make_person("Ida"), by=None)

    assert outbox.drain() == 1
    assert [mail.to for mail in mailoutbox] == [["ida@members.example"]]


@pytest.mark.parametrize("step", ["links.sweep", "look_for_reminders", "finish_mailings"])
@pytest.mark.parametrize("error", [ZeroDivisionError, ProgrammingError])
@pytest.mark.slow
def test_step_that_fails_does_not_end_the_pass(bad_in_the_middle, mailoutbox, monkeypatch, step, error):
    def fail():
        raise error("no")

    monkeypatch.setattr(f"wagtail_member_reset.outbox.send.{step}", fail)

    assert drained(started()).handed_over == 7


def break_settling_for(monkeypatch, member, error):
    settle = links.settle

    def broken(reset, account):
        if account.pk == member.pk:
            raise error("no")
        return settle(reset, account)

    monkeypatch.setattr(links, "settle", broken)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError, ProgrammingError, pytest.param(IntegrityError, marks=pytest.mark.slow)]
)
def test_retry_that_cannot_be_checked_fails_alone(bad_in_the_middle, mailoutbox, monkeypatch, clock, error):
    mailing = started()
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=1))
    clock.shift(timedelta(minutes=2))
    break_settling_for(monkeypatch, bad_in_the_middle[3], error)

    drained(mailing)

    assert (mailing.handed_over, mailing.failed) == (6, 1)
    assert ResetEmail.objects.get(state=EmailState.FAILED).result_code == "error"


@pytest.mark.parametrize("rule", [divides_by_zero, asks_for_a_table_that_is_not_there])
@pytest.mark.slow
def test_retry_of_a_member_for_whom_the_rule_raises_fails_alone(
    bad_in_the_middle, mailoutbox, monkeypatch, settings, clock, rule
):
    mailing = started()
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=1))
    clock.shift(timedelta(minutes=2))
    use_rule(monkeypatch, settings, rule)

    drained(mailing)

    assert (mailing.handed_over, mailing.failed) == (6, 1)


@pytest.mark.parametrize("rule", [divides_by_zero, asks_for_a_table_that_is_not_there])
@pytest.mark.slow
def test_single_email_whose_member_makes_the_rule_raise_holds_up_no_other(
    bad_in_the_middle, mailoutbox, monkeypatch, settings, rule
):
    for member in bad_in_the_middle:
        resets.send(member, by=None)
    use_rule(monkeypatch, settings, rule)

    assert outbox.drain() == 6
    waiting = ResetEmail.objects.exclude(state=EmailState.HANDED_OVER).get()
    assert (waiting.member.first_name, waiting.state, waiting.result_code) == (BAD, EmailState.QUEUED, "error")
