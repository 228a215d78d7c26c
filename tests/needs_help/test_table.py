"""Who is in the table of who needs help: each reason appears, and goes."""

from datetime import datetime, timedelta, timezone

import pytest
import time_machine
from anymail.signals import AnymailTrackingEvent, tracking
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from model_bakery import baker

from tests.conftest import make_person
from wagtail_member_reset import do_not_email, mailings, needs_help, outbox, resets, tokens
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import (
    DoNotEmailReason,
    EmailState,
    Need,
    NeedsHelp,
    PasswordReset,
    Reason,
    ResetEmail,
    Shelf,
    State,
)
from wagtail_member_reset.needs_help import reasons, table
from wagtail_member_reset.needs_help.reasons import look

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def report(kind, member, **said):
    email = ResetEmail.objects.with_link().filter(member=member).order_by("pk").last()
    about = {"recipient": email.recipient, "metadata": {"member_reset": str(email.public_id)}}
    tracking.send(sender=None, event=AnymailTrackingEvent(event_type=kind, **about, **said), esp_name="Postmark")
    needs_help.refresh_due()


def needs():
    return [Need(reason) for reason in NeedsHelp.objects.filter(reason__isnull=False).values_list("reason", flat=True)]


@pytest.mark.parametrize(
    ("kind", "said", "need"),
    [
        ("bounced", {"mta_response": "550 5.1.1 user unknown"}, Need.NO_SUCH_ADDRESS),
        ("bounced", {"mta_response": "552 5.2.2 mailbox full"}, Need.MAILBOX_FULL),
        ("bounced", {"mta_response": "550 5.7.1 message refused"}, Need.REFUSED),
        ("complained", {}, Need.COMPLAINED),
    ],
)
def test_bad_report_lists_the_person(imported_member, sent, kind, said, need):
    sent(imported_member)
    assert needs() == []

    report(kind, imported_member, **said)

    assert needs() == [need]


def test_person_goes_with_a_delivery_a_correction_a_password_and_a_login(sent, office):
    people = [make_person(name) for name in ("Ann", "Ben", "Cleo", "Dan")]
    for person in people:
        sent(person)
        report("bounced", person, mta_response="452 4.2.2 mailbox full", timestamp=NOON)
    assert len(needs()) == 4
    ann, ben, cleo, dan = people

    report("delivered", ann, timestamp=NOON)
    resets.correct(ben, address="ben.new@members.example", by=office)
    token = tokens.mint(PasswordReset.objects.get(active_for=cleo))
    resets.redeem(resets.open(token), password="Tr4velling-light")
    dan.last_login = NOON
    dan.save(update_fields=["last_login"])
    user_logged_in.send(sender=type(dan), request=None, user=dan)
    needs_help.refresh_due()

    assert needs() == []


def test_email_that_failed_lists_the_person(imported_member, sent, office):
    resets.send(imported_member, by=office)
    ResetEmail.objects.update(attempts=99)

    outbox.drain()

    assert needs() == [Need.FAILED]


def test_link_that_ended_for_safety_lists_the_person(imported_member, sent):
    reset = sent(imported_member)
    ended = {"state": State.REVOKED, "reason": Reason.RIGHTS_GAINED, "active_for": None, "nonce": None}
    PasswordReset.objects.filter(pk=reset.pk).update(**ended, closed_at=NOON)

    needs_help.rebuild()

    assert needs() == [Need.LINK_ENDED]


def test_time_brings_reasons_one_after_the_other(imported_member, sent, clock):
    needs_help.sweep()
    sent(imported_member)
    seen = []
    for days in (1, 3.1, 6.1, 7.1):
        clock.move_to(NOON + timedelta(days=days))
        needs_help.sweep()
        seen.append(needs())

    assert seen == [[], [Need.NO_PASSWORD], [Need.ABOUT_TO_EXPIRE], [Need.EXPIRED]]


def test_who_has_signed_in_before_is_listed_for_what_went_wrong_alone(member, sent, clock):
    get_user_model().objects.update(last_login=NOON - timedelta(days=90))
    sent()
    clock.move_to(NOON + timedelta(days=8))
    needs_help.rebuild()
    assert needs() == []

    report("bounced", member, mta_response="550 5.1.1 user unknown")

    assert needs() == [Need.NO_SUCH_ADDRESS]


def test_no_address_lists_the_person_unless_inactive_or_not_to_be_emailed(db, office):
    people = [make_person(name, email=email) for name, email in (("Ann", ""), ("Ben", "ben@members.example"))]
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("here, everybody has an address")
    gone = make_person("Gus", email="", is_active=False)

    needs_help.rebuild()
    assert [row.member for row in NeedsHelp.objects.all()] == [people[0]]
    do_not_email.note(people[0], reason=DoNotEmailReason.POST_ONLY, by=office)
    needs_help.rebuild()

    assert needs() == []
    assert not gone.is_active


def test_what_was_dealt_with_comes_back_with_something_new(imported_member, sent, office, clock):
    sent(imported_member)
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full", timestamp=NOON)
    needs_help.deal_with(NeedsHelp.objects.get(), note="Will make room", by=office)
    needs_help.rebuild()
    assert NeedsHelp.objects.get().shelf == Shelf.DONE

    report("bounced", imported_member, mta_response="550 5.1.1 user unknown", timestamp=NOON)

    row = NeedsHelp.objects.get()
    assert (row.shelf, row.note, row.noted_by) == (Shelf.OPEN, "Will make room", office)


def test_what_was_put_off_comes_back_in_time(imported_member, sent, office, clock):
    sent(imported_member)
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full")
    needs_help.put_off(NeedsHelp.objects.get(), until=NOON + timedelta(days=2), note="", by=office)
    needs_help.sweep()
    assert NeedsHelp.objects.get().shelf == Shelf.LATER

    clock.shift(timedelta(days=2))
    needs_help.sweep()

    assert NeedsHelp.objects.get().shelf == Shelf.OPEN


def test_of_two_who_set_aside_at_once_the_first_is_heard(imported_member, sent, office, admin):
    sent(imported_member)
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full")
    as_seen_by_both = NeedsHelp.objects.get()

    assert needs_help.deal_with(as_seen_by_both, note="Called", by=office)
    assert not needs_help.put_off(as_seen_by_both, until=NOON, note="", by=admin)

    assert NeedsHelp.objects.get().note == "Called"


def test_look_at_many_costs_what_a_look_at_one_does(db):
    people = [make_person(f"P{number}") for number in range(20)]
    for person in people:
        reset = baker.make_recipe("tests.live_reset", member=person, active_for=person, recipient=person.email)
        failed = {"state": EmailState.FAILED, "attempts": 1}
        baker.make_recipe("tests.handed_over_email", member=person, reset=reset, **failed)
    costs = []
    for part in (people[:1], people):
        with CaptureQueriesContext(connection) as queries:
            needs_help.refresh([person.pk for person in part])
        costs.append(len(queries))
        NeedsHelp.objects.all().delete()

    assert costs[0] == costs[1]


def test_list_knows_whose_latest_email_has_arrived(sent, clock):
    ann, ben, cleo = (make_person(name) for name in ("Ann", "Ben", "Cleo"))
    for person in (ann, ben, cleo):
        sent(person)
    report("bounced", ann, mta_response="550 5.7.1 message refused")
    report("complained", ben)
    report("delivered", cleo)
    clock.move_to(NOON + timedelta(days=3.1))

    needs_help.rebuild()

    arrived = {row.member: (row.reason, row.has_arrived) for row in NeedsHelp.objects.all()}
    assert arrived == {
        ann: (Need.REFUSED, False),
        ben: (Need.COMPLAINED, True),
        cleo: (Need.NO_PASSWORD, True),
    }


def test_email_that_arrives_late_is_noted_and_changes_nothing_else(imported_member, sent, office, clock):
    sent(imported_member)
    clock.move_to(NOON + timedelta(days=3.1))
    needs_help.rebuild()
    needs_help.deal_with(NeedsHelp.objects.get(), note="Called", by=office)

    report("delivered", imported_member, timestamp=NOON)
    needs_help.rebuild()

    row = NeedsHelp.objects.get()
    assert (row.has_arrived, row.shelf, row.note) == (True, Shelf.DONE, "Called")


@pytest.mark.parametrize("way", ["alone", "mailing"])
def test_whoever_gets_another_email_is_off_the_list_at_once(sent, office, clock, way):
    people = [make_person(name) for name in ("Ann", "Ben")]
    for person in people:
        sent(person)
        ResetEmail.objects.update(state=EmailState.FAILED, attempts=9, handed_over_at=None)
    needs_help.rebuild()
    assert needs() == [Need.FAILED, Need.FAILED]
    clock.shift(timedelta(minutes=1))

    if way == "alone":
        for person in people:
            resets.send(person, by=office)
    else:
        choice = Choice(kind=Kind.IDS, ids=tuple(person.pk for person in people))
        mailings.start(mailings.draft(choice, by=office, again=True), wake=False)
    outbox.drain()
    needs_help.refresh_due()

    assert ResetEmail.objects.filter(state=EmailState.HANDED_OVER).count() == 2
    assert needs() == []


def test_delivery_of_another_email_is_followed_at_once(imported_member, sent, office, clock):
    sent(imported_member)
    clock.move_to(NOON + timedelta(days=3.1))
    needs_help.rebuild()
    assert not NeedsHelp.objects.get().has_arrived

    report("delivered", imported_member)

    assert NeedsHelp.objects.get().has_arrived


@pytest.fixture
def meanwhile(monkeypatch):
    """Have something happen right after a look has read what it is about to write down."""

    def have(happen):
        def look_and_let(keys):
            found = look(keys)
            happen()
            return found

        monkeypatch.setattr(table, "look", look_and_let)

    return have


def test_report_that_comes_during_a_look_is_looked_at(imported_member, sent, clock, meanwhile):
    sent(imported_member)
    NeedsHelp.objects.create(member=imported_member, reason=Need.FAILED, happened_at=NOON, look_since=NOON)
    clock.shift(timedelta(seconds=1))

    meanwhile(lambda: NeedsHelp.objects.look_at([imported_member.pk]))
    needs_help.refresh([imported_member.pk])

    assert NeedsHelp.objects.get().look_since == NOON + timedelta(seconds=1)


def test_what_a_colleague_notes_during_a_look_stays(imported_member, sent, office, monkeypatch):
    sent(imported_member)
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full", timestamp=NOON)
    NeedsHelp.objects.update(domain="elsewhere.example")

    def note_and_write(*arguments, write=QuerySet.bulk_update):
        needs_help.deal_with(NeedsHelp.objects.get(), note="Called", by=office)
        return write(*arguments)

    monkeypatch.setattr(QuerySet, "bulk_update", note_and_write)
    needs_help.refresh([imported_member.pk])

    row = NeedsHelp.objects.get()
    assert (row.shelf, row.note, row.domain) == (Shelf.DONE, "Called", "members.example")


@pytest.mark.parametrize("shelf", [Shelf.LATER, Shelf.DONE])
def test_time_that_passes_brings_nobody_back_who_was_set_aside(imported_member, sent, office, clock, shelf):
    sent(imported_member)
    for days in (6.1, 6.2, 7.1, 8):
        clock.move_to(NOON + timedelta(days=days))
        needs_help.rebuild()
        row = NeedsHelp.objects.get()
        if days == 6.1 and shelf == Shelf.LATER:
            needs_help.put_off(row, until=NOON + timedelta(days=14), note="On Monday", by=office)
        elif days == 6.1:
            needs_help.deal_with(row, note="Called", by=office)

    needs_help.sweep()

    row = NeedsHelp.objects.get()
    assert (row.reason, row.shelf) == (Need.EXPIRED, shelf)


def test_bounce_that_was_dealt_with_stays_so_when_its_link_expires(imported_member, sent, office, clock):
    sent(imported_member)
    report("bounced", imported_member, mta_response="550 5.1.1 user unknown", timestamp=NOON)
    needs_help.deal_with(NeedsHelp.objects.get(), note="Writes a letter", by=office)

    clock.shift(timedelta(days=8))
    ResetEmail.objects.all().delete()  # as after its retention
    needs_help.rebuild()

    row = NeedsHelp.objects.get()
    assert (row.reason, row.shelf) == (Need.EXPIRED, Shelf.DONE)


def test_another_email_brings_back_who_was_dealt_with(imported_member, sent, office, clock):
    sent(imported_member)
    clock.shift(timedelta(days=6.1))
    needs_help.rebuild()
    needs_help.deal_with(NeedsHelp.objects.get(), note="Called", by=office)

    clock.shift(timedelta(hours=1))
    resets.rotate(imported_member, by=office)
    outbox.drain()
    clock.shift(timedelta(days=3.1))
    needs_help.rebuild()

    row = NeedsHelp.objects.get()
    assert (row.reason, row.shelf, row.note) == (Need.NO_PASSWORD, Shelf.OPEN, "Called")


def test_note_outlives_an_email_that_is_sent_again(imported_member, sent, office, clock):
    sent(imported_member)
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full", timestamp=NOON)
    needs_help.put_off(NeedsHelp.objects.get(), until=NOON + timedelta(days=2), note="Phone her", by=office)

    clock.shift(timedelta(hours=1))
    resets.send(imported_member, by=office)
    needs_help.refresh_due()
    assert needs() == []
    outbox.drain()
    clock.shift(timedelta(hours=1))
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full")

    row = NeedsHelp.objects.get()
    assert (row.reason, row.shelf, row.note) == (Need.MAILBOX_FULL, Shelf.OPEN, "Phone her")


def test_no_note_outlives_a_password(imported_member, sent, office):
    sent(imported_member)
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full", timestamp=NOON)
    needs_help.deal_with(NeedsHelp.objects.get(), note="Phone her", by=office)

    PasswordReset.objects.update(state=State.USED, active_for=None, nonce=None, used_at=NOON)
    needs_help.rebuild()

    assert not NeedsHelp.objects.exists()


def test_rule_of_the_site_that_fails_changes_no_row(imported_member, sent, office, monkeypatch):
    sent(imported_member)
    report("bounced", imported_member, mta_response="552 5.2.2 mailbox full", timestamp=NOON)
    needs_help.deal_with(NeedsHelp.objects.get(), note="Phone her", by=office)

    def fail(member):
        raise LookupError

    monkeypatch.setattr(reasons, "refusals", lambda: fail)
    needs_help.rebuild()

    row = NeedsHelp.objects.get()
    assert (row.reason, row.shelf, row.note) == (Need.MAILBOX_FULL, Shelf.DONE, "Phone her")


def test_member_without_an_address_stays_dealt_with_where_nobody_knows_when_they_joined(office, clock, monkeypatch):
    if get_user_model().USERNAME_FIELD == "email":
        pytest.skip("here, everybody has an address")
    person = make_person("Ann", email="")
    monkeypatch.setattr(reasons, "_joined_at", lambda member: None)
    needs_help.rebuild()
    needs_help.deal_with(NeedsHelp.objects.get(), note="Called", by=office)

    clock.shift(timedelta(days=1))
    needs_help.rebuild()

    row = NeedsHelp.objects.get()
    assert (row.member, row.shelf, row.happened_at) == (person, Shelf.DONE, NOON)
