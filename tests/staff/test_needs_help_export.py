"""Who needs help as a file: what stands in it, what a spreadsheet makes of it, and what 100,000 rows cost."""

import csv
from datetime import datetime
from datetime import timezone as zones
from io import BytesIO, StringIO

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone, translation
from openpyxl import load_workbook
from wagtail.users.models import UserProfile

from tests.bench.meter import Meter
from tests.conftest import grant, make_person
from wagtail_member_reset.models import Need, NeedsHelp
from wagtail_member_reset.staff import spreadsheets

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
KINDS = ["csv", "xlsx"]
MEBIBYTE = 1024 * 1024
MOST = {"csv": 10 * MEBIBYTE, "xlsx": 20 * MEBIBYTE}


def listed(person, need=Need.NO_SUCH_ADDRESS, **fields):
    NeedsHelp.objects.create(member=person, reason=need, happened_at=timezone.now(), **fields)
    return person


def answered(client, kind, page="needs_help", **query):
    answer = client.get(reverse(f"wagtail_member_reset_admin:{page}"), {"export": kind, **query})
    assert answer.status_code == 200 and answer.streaming
    return answer


def table(client, kind, **query):
    """The cells as a spreadsheet reads them, without the headings."""
    content = b"".join(answered(client, kind, **query).streaming_content)
    if kind == "csv":
        return list(csv.reader(StringIO(content.decode("utf-8-sig"))))[1:]
    cells = load_workbook(BytesIO(content)).active.iter_rows(values_only=True)
    return [[cell or "" for cell in row] for row in cells][1:]


@pytest.mark.parametrize("kind", KINDS)
def test_file_has_a_row_for_each_person_as_the_list_has(office_client, office, kind):
    ann = listed(make_person("Ann"), Need.FAILED, note="Call back", noted_by=office, noted_at=timezone.now())
    listed(make_person("Ben"))
    listed(make_person("Eve"), Need.EXPIRED)

    rows = table(office_client, kind)
    [[_name, *cells]] = table(office_client, kind, reason=Need.FAILED.value)

    assert [row[1] for row in rows] == ["ben@members.example", "ann@members.example"]
    assert cells[0:2] + cells[3:4] == [ann.email, "Failed", "Copy the link, or send again"]
    assert cells[2] == timezone.localdate().isoformat() and cells[4].startswith("Call back (")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_a_file_is_computed_or_a_link(office_client, member, kind):
    listed(member, note="a;=1+1,@x", noted_at=timezone.now())
    type(member).objects.filter(pk=member.pk).update(first_name="=cmd", last_name="")

    [row] = table(office_client, kind)

    has_names = type(member).USERNAME_FIELD != "email"  # else it is called by its address
    assert row[0].startswith("'=cmd") is has_names
    assert row[5] == "a;'=1+1,'@x" and not any("://" in cell for cell in row)


def test_workbook_has_texts_alone(office_client, member):
    for number, note in enumerate(("#N/A", "=1", "12", "bell\a", "TRUE")):
        listed(make_person(f"P{number}"), note=note, noted_at=timezone.now())

    content = b"".join(answered(office_client, "xlsx").streaming_content)

    cells = [cell for row in load_workbook(BytesIO(content)).active.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_beyond_reach_is_in_no_file(enter, member, admin, kind):
    client = enter(grant(make_person("Juno"), "access_admin", "send_passwordreset"))
    listed(member)
    listed(admin)

    assert [row[1] for row in table(client, kind)] == ["mia@members.example"]


def test_page_offers_both_with_its_filters(office_client, member):
    listed(member)

    said = office_client.get(reverse("wagtail_member_reset_admin:needs_help"), {"q": "mia"}).content.decode()

    assert "?q=mia&amp;export=csv" in said and "?q=mia&amp;export=xlsx" in said


@pytest.mark.parametrize("kind", KINDS)
def test_file_has_the_days_of_where_the_reader_is(office_client, office, member, kind):
    NeedsHelp.objects.create(
        member=member, reason=Need.FAILED, happened_at=datetime(2026, 11, 23, 12, tzinfo=zones.utc)
    )
    profile = UserProfile.get_for_user(office)
    profile.current_time_zone = "Pacific/Auckland"
    profile.save()

    [row] = table(office_client, kind)

    assert row[3] == "2026-11-24"


def test_stream_speaks_the_language_of_its_reader_and_leaves_no_trace():
    def lines():
        while True:
            yield [translation.get_language()]

    with translation.override("de"):
        stream = iter(spreadsheets.as_csv("list", lines()))
    said = [next(stream).decode() for _each in range(3)]

    assert said[1:] == ["de\r\n", "de\r\n"] and translation.get_language() == "en"


@pytest.mark.parametrize("kind", KINDS)
def test_page_by_mail_domain_has_the_same_files(office_client, member, kind):
    listed(member, domain="members.example")

    assert table(office_client, kind, page="needs_help_domains") == table(office_client, kind)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [20_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_many_rows_take_little_memory(office_client, rows):
    model, at = get_user_model(), timezone.now()
    for start in range(0, rows, 5000):
        names = [f"member{number:06}" for number in range(start, start + 5000)]
        people = [model(email=f"{name}@members.example", first_name="Mia", last_name=name) for name in names]
        for person, name in zip(people, names, strict=True):
            if model.USERNAME_FIELD != "email":
                person.username = name
        made = model.objects.bulk_create(people)
        listed = [NeedsHelp(member=each, reason=Need.FAILED, happened_at=at, domain="members.example") for each in made]
        NeedsHelp.objects.bulk_create(listed)
    del people, made, listed
    growth = {}
    for kind in KINDS:
        table(office_client, kind, q="member000001")
        with Meter() as meter:
            assert sum(map(len, answered(office_client, kind).streaming_content)) > MEBIBYTE * rows / 100_000
        growth[kind] = meter.growth

    assert all(growth[kind] <= MOST[kind] for kind in KINDS), growth


@pytest.mark.parametrize("letter", ["\ufffe", "\uffff", "\x0b", "\x7f"])
def test_letters_that_no_workbook_may_hold_spoil_nobodys_file(office_client, letter):
    listed(make_person("Ann", last_name=f"Sam{letter}ple"))
    listed(make_person("Ben"))

    assert len(table(office_client, "xlsx")) == 2
