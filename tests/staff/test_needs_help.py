"""The list of who needs help: who sees whom, what it costs, and what staff note."""

import html
import re

import pytest
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone
from wagtail.admin.utils import get_user_display_name

from tests.conftest import grant, make_person, use_backend
from tests.staff.pages import words
from wagtail_member_reset import moments, resets
from wagtail_member_reset.models import Need, NeedsHelp, Shelf
from wagtail_member_reset.staff import needs_help_words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]


def url(name="needs_help", *args):
    return reverse(f"wagtail_member_reset_admin:{name}", args=args)


def listed(person, need=Need.NO_SUCH_ADDRESS, **fields):
    return NeedsHelp.objects.create(member=person, reason=need, happened_at=timezone.now(), **fields)


def seen(client, person):
    return client.get(url("needs_help_aside", person.pk)).context["seen"]


def page(client, **query):
    answer = client.get(url(), query)
    assert answer.status_code == 200
    return answer.content.decode()


def export(client, **query):
    return b"".join(client.get(url(), {"export": "csv", **query}).streaming_content).decode()


@pytest.fixture
def junior(enter):
    return enter(grant(make_person("Juno"), "access_admin", "send_passwordreset"))


def test_row_says_the_reason_and_what_to_do(office_client, member):
    listed(member)

    said = page(office_client)

    assert "mia@members.example" in said and "No such address" in said and "Correct the address" in said


def test_what_to_do_leads_to_where_it_is_done_and_says_for_whom(office_client, junior, member):
    row = listed(member)
    named = f'aria-label="Correct the address: {needs_help_words.name(row)}">Correct the address</a>'

    for client in (office_client, junior):
        said = page(client)
        [address] = re.findall(f'<td><a href="([^"]+)" {re.escape(named)}', said)
        there = client.get(html.unescape(address).partition("#")[0])
        assert there.status_code == 200 and "mia@members.example" in there.content.decode()


def test_list_is_shown_where_nothing_can_be_written(office_client, member, monkeypatch, caplog):
    listed(member, look_since=timezone.now())

    def locked(*arguments, **fields):
        raise OperationalError("database is locked")

    monkeypatch.setattr(QuerySet, "update", locked)

    assert "mia@members.example" in page(office_client)
    assert "OperationalError" in caplog.text


@pytest.mark.parametrize("name", ["needs_help", "needs_help_domains", "needs_help_mailing"])
def test_look_at_the_list_is_no_transaction(name):
    assert resolve(url(name)).func._non_atomic_requests == {"default"}


def test_loud_reasons_stand_first_and_quiet_ones_apart(office_client):
    for name, need in (("Quentin", Need.EXPIRED), ("Fay", Need.FAILED), ("Nora", Need.NO_SUCH_ADDRESS)):
        listed(make_person(name), need)

    loud, quiet = page(office_client), page(office_client, show="quiet")

    assert "quentin@" not in loud and loud.index("nora@") < loud.index("fay@")
    assert "quentin@" in quiet and "nora@" not in quiet


def test_who_is_beyond_reach_is_in_no_list_and_no_export(junior, member, admin):
    listed(member)
    listed(admin)

    for said in (page(junior), page(junior, q="Ana"), export(junior)):
        assert "ana@members.example" not in said
    assert "mia@members.example" in export(junior)
    assert junior.post(url("needs_help_aside", admin.pk), {"shelf": "done"}).status_code in (302, 403)
    assert NeedsHelp.objects.get(pk=admin.pk).shelf == Shelf.OPEN


def test_list_is_for_nobody_without_the_right(enter, member):
    listed(member)
    client = enter(grant(make_person("Eddy"), "access_admin"))

    answers = [client.get(url()), client.get(url(), {"export": "csv"}), client.get(url("needs_help_aside", member.pk))]

    assert {answer.status_code for answer in answers} == {302}
    assert url() not in client.get(reverse("wagtailadmin_home")).content.decode()


def test_menu_leads_there(office_client):
    assert url() in office_client.get(reverse("wagtailadmin_home")).content.decode()


@pytest.mark.parametrize("reader", ["office_client", "junior"])
def test_page_costs_the_same_for_few_and_for_many(request, reader):
    client, costs = request.getfixturevalue(reader), []
    for number in (3, 60):
        for each in range(number):
            listed(make_person(f"P{number}x{each}"))
        with CaptureQueriesContext(connection) as queries:
            page(client)
        costs.append(len(queries))

    assert costs[0] == costs[1] <= 12


def test_pages_show_everybody_once(office_client):
    people = [listed(make_person(f"P{each}x"), Need.FAILED if each % 2 else Need.REFUSED) for each in range(110)]
    seen, query = [], {}
    while True:
        answer = office_client.get(url(), query)
        seen += [row.pk for row in answer.context["object_list"]]
        if not answer.context["next_url"]:
            break
        query = dict(pair.split("=") for pair in answer.context["next_url"].partition("?")[2].split("&"))
        query = {name: value.replace("%3A", ":").replace("%2B", "+") for name, value in query.items()}

    assert sorted(map(str, seen)) == sorted(str(row.pk) for row in people)


@pytest.mark.parametrize(
    "query",
    [
        {"after": "10_2026_x"},
        {"after": "x"},
        {"after": "1_9999-12-31T23:59:59-12:00_1"},
        {"after": "1_0001-01-01T00:00:00+12:00_1"},
        {"after": f"1_2026-11-23T12:00:00+00:00_{'9' * 40}"},
        {"after": "1_2026-11-23T12:00:00_1"},
        {"reason": "999"},
        {"show": "?"},
        {"q": "\0"},
    ],
)
def test_made_up_addresses_show_the_list(office_client, member, query):
    listed(member)

    assert "mia@members.example" in page(office_client, **query)


def test_search_and_reason_narrow_the_list(office_client, member):
    listed(member)
    listed(make_person("Fay"), Need.FAILED)

    assert "fay@members.example" not in page(office_client, q="mia sample")
    assert "mia@members.example" not in page(office_client, reason=Need.FAILED.value)


def test_staff_set_a_person_aside_with_a_note(office_client, office, member):
    listed(member)
    form = office_client.get(url("needs_help_aside", member.pk))

    office_client.post(
        url("needs_help_aside", member.pk), {"seen": form.context["seen"], "shelf": "done", "note": "Called"}
    )

    row = NeedsHelp.objects.get()
    assert (row.shelf, row.note, row.noted_by) == (Shelf.DONE, "Called", office)
    page(office_client)  # says that it is noted
    assert "mia@members.example" not in page(office_client) and "Called" in page(office_client, show="done")


def test_note_is_one_line_and_keeps_no_link(office_client, member, sent):
    link = resets.link(sent())
    listed(member)
    form = office_client.get(url("needs_help_aside", member.pk))
    note = f"Gave her {link}\n\u202eover the phone\uffff"

    office_client.post(
        url("needs_help_aside", member.pk), {"seen": form.context["seen"], "shelf": "later", "note": note}
    )

    said = NeedsHelp.objects.get().note
    assert link[-20:] not in said and "over the phone" in said
    assert said.isprintable()


def test_who_may_not_help_a_person_does_not_learn_whether_they_need_it(junior, admin):
    before = junior.get(url("needs_help_aside", admin.pk))
    listed(admin)
    after = junior.get(url("needs_help_aside", admin.pk))

    assert (before.status_code, before.url) == (after.status_code, after.url)


def test_note_is_kept_with_back_to_the_list(office_client, member):
    listed(member, shelf=Shelf.DONE, note="Called", noted_at=timezone.now())
    address = url("needs_help_aside", member.pk)
    seen = office_client.get(address).context["seen"]

    office_client.post(address, {"seen": seen, "shelf": "open", "note": "Called, no answer"})

    row = NeedsHelp.objects.get()
    assert (row.shelf, row.note) == (Shelf.OPEN, "Called, no answer")


def test_what_a_colleague_has_changed_meanwhile_stays(office_client, member, admin):
    listed(member)
    seen = office_client.get(url("needs_help_aside", member.pk)).context["seen"]
    NeedsHelp.objects.update(shelf=Shelf.DONE, noted_by=admin, noted_at=timezone.now(), note="Called")

    office_client.post(url("needs_help_aside", member.pk), {"seen": seen, "shelf": "later", "note": ""})

    assert NeedsHelp.objects.get().note == "Called"


@pytest.mark.parametrize("key", ["9" * 30, "x", "-1"])
def test_nobody_is_set_aside_by_a_key_that_no_account_has(office_client, member, key):
    listed(member)

    answer = office_client.post(url("needs_help_aside", key), {"seen": "", "shelf": "done", "note": "Called"})

    assert answer.status_code == 404
    assert NeedsHelp.objects.get().shelf == Shelf.OPEN


def domains(client, **query):
    """What the page by mail domain says, and where each of its lines leads."""
    answer = client.get(url("needs_help_domains"), query)
    assert answer.status_code == 200
    said = re.findall(r'<li><a href="([^"]+)">([^<]+ at [^<]+)</a></li>', answer.content.decode())
    return [(html.unescape(address), words) for address, words in said]


@pytest.fixture
def with_reports(settings):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    use_backend(settings, "anymail.backends.postmark.EmailBackend")
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "token", "WEBHOOK_SECRET": "a:b"}


@pytest.mark.usefixtures("with_reports")
def test_domains_say_how_many_and_lead_to_the_people(office_client):
    for name in ("Ann", "Ben", "Cleo"):
        listed(make_person(name), domain="bigcorp.example")
    listed(make_person("Dan"), Need.COMPLAINED, domain="members.example", has_arrived=True)
    listed(make_person("Eve"), Need.FAILED, domain="members.example")
    listed(make_person("Fay"), Need.REFUSED, domain="alone.example")
    listed(make_person("Nad"), Need.FAILED)

    said = domains(office_client)

    assert [words for _address, words in said] == [
        "3 at bigcorp.example, none delivered",
        "2 at members.example, 1 delivered",
        "1 at alone.example, not delivered",
    ]
    people = office_client.get(said[0][0]).content.decode()
    assert "cleo@" in people and "dan@" not in people and "Only people at bigcorp.example" in people


def test_domains_keep_what_was_chosen(office_client):
    listed(make_person("Ann"), Need.FAILED, domain="one.example")
    listed(make_person("Ben"), Need.REFUSED, domain="two.example")
    listed(make_person("Cleo"), Need.EXPIRED, domain="three.example")

    [(address, words)] = domains(office_client, reason=Need.FAILED.value)
    [(_address, quiet)] = domains(office_client, show="quiet")

    assert "one.example" in words and "reason=50" in address and "three.example" in quiet


def test_domains_tell_nothing_of_people_beyond_reach(junior, member, admin):
    listed(member, domain="members.example")
    listed(admin, domain="members.example")

    assert [words.partition(",")[0] for _address, words in domains(junior)] == ["1 at members.example"]


def test_domains_cost_the_same_for_few_and_for_many(office_client):
    costs = []
    for number in (2, 40):
        for each in range(number):
            listed(make_person(f"P{number}x{each}"), domain=f"d{number}x{each}.example")
        with CaptureQueriesContext(connection) as queries:
            domains(office_client)
        costs.append(len(queries))

    assert costs[0] == costs[1] <= 12


SILENCE = "This site gets no delivery reports"


def test_page_says_that_the_site_gets_no_delivery_reports(office_client, member):
    listed(member, domain="members.example")

    assert SILENCE in page(office_client) and SILENCE in page(office_client, show="quiet")
    assert SILENCE in office_client.get(url("needs_help_domains")).content.decode()
    assert [words for _address, words in domains(office_client)] == ["1 at members.example"]


@pytest.mark.usefixtures("with_reports")
def test_page_says_nothing_of_the_kind_where_reports_come_in(office_client, member):
    listed(member, domain="members.example")

    assert SILENCE not in page(office_client)
    assert SILENCE not in office_client.get(url("needs_help_domains")).content.decode()


def test_who_is_set_aside_is_listed_with_when_and_by_whom(office_client, office, member):
    row = listed(member)
    office_client.post(
        url("needs_help_aside", member.pk), {"shelf": "later", "note": "on leave", "seen": seen(office_client, member)}
    )
    row.refresh_from_db()
    noted = f"{moments.date_and_time(row.noted_at)} by {get_user_display_name(office)}"

    later = page(office_client, show="later")
    office_client.post(url("needs_help_aside", member.pk), {"shelf": "done", "seen": seen(office_client, member)})
    done = page(office_client, show="done")

    assert noted in later and moments.date_and_time(row.until) in later
    assert "Shown again" in later and "Shown again" not in done
    assert f" by {get_user_display_name(office)}" in done


def test_page_to_note_says_whom_it_is_about_since_when_and_how_it_stands(office_client, office, member):
    row = listed(member)

    before = words(office_client.get(url("needs_help_aside", member.pk)).content.decode())
    NeedsHelp.objects.update(shelf=Shelf.LATER, until=row.happened_at, noted_at=row.happened_at, noted_by=office)
    after = words(office_client.get(url("needs_help_aside", member.pk)).content.decode())

    when = moments.date_and_time(row.happened_at)
    assert f"Email {member.email} Reason No such address When {when} State Open" in before
    assert f"State Later: shown again on {when} Noted {when} by {get_user_display_name(office)}" in after


def test_setting_aside_is_as_quiet_as_what_to_do(office_client, member):
    row = listed(member)

    said = page(office_client)

    label = f"Later or dealt with: {needs_help_words.name(row)}"
    assert (
        f'<td><a href="{url("needs_help_aside", member.pk)}" aria-label="{label}">Later or dealt with</a></td>' in said
    )
    assert said.count('class="title-wrapper"') == 1


@pytest.mark.parametrize("need", [Need.REFUSED, Need.FAILED])
def test_list_advises_nothing_against_what_the_tab_says(office_client, member, need):
    """The tab knows the cause, and may say that the address is right, or that another email is of no use."""
    listed(member, need)

    advice = {Need.REFUSED: "See why, and copy the link", Need.FAILED: "Copy the link, or send again"}[need]
    assert f">{advice}</a>" in page(office_client)
