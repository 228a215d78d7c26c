"""What is written to Wagtail's log seldom: nobody fills it by trying, and one change is one entry."""

from datetime import timedelta

import pytest
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from tests.staff.pages import history
from wagtail_member_reset import audit, mailings, resets


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


def test_refusals_are_logged_once_an_hour_for_each_person_and_member(member, imported_member, office, admin, clock):
    for _time in range(3):
        for person in (office, admin):
            resets.note_refused(member, by=person)
            resets.note_refused(imported_member, by=person)
        clock.shift(timedelta(minutes=19))
    once = history(member), history(imported_member)
    clock.shift(timedelta(minutes=4))

    resets.note_refused(member, by=office)

    assert once == (["refuse", "refuse"], ["refuse", "refuse"])
    assert history(member) == ["refuse"] * 3


def test_refusals_of_one_person_are_logged_for_so_many_members_and_no_more(office, admin, monkeypatch):
    monkeypatch.setattr(audit, "MOST_REFUSED", 3)
    people = [make_person(f"Person{number}") for number in range(5)]

    for person in people:
        resets.note_refused(person, by=office)
    resets.note_refused(people[4], by=admin)

    assert [history(person) for person in people] == [["refuse"]] * 3 + [[], ["refuse"]]


def test_refused_mailings_are_logged_once_an_hour(office, clock):
    for _time in range(3):
        mailings.note_refused(by=office)
    clock.shift(timedelta(hours=1))
    mailings.note_refused(by=office)

    assert history(office) == ["refuse_mailing"] * 2


def test_one_change_of_an_address_that_several_notice_is_one_entry(member, office, admin, clock):
    for person in (office, office, admin):
        resets.note_address_changed(member, by=person)
    clock.shift(audit.NOTICED_GAP)
    resets.note_address_changed(member, by=office)

    entries = ModelLogEntry.objects.filter(action=audit.ADDRESS_CHANGED).order_by("pk")
    assert [entry.user for entry in entries] == [office, admin, office]
