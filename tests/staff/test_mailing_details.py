"""What is said of a mailing beside who gets it: its name, and later its text and times."""

from datetime import datetime, time, timedelta, timezone

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site
from wagtail.users.models import UserProfile

from tests.conftest import make_person
from tests.staff.pages import LINK, words
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import LONGEST_NAME, MOST_PER_HOUR, Choice, Kind, Source, naming
from wagtail_member_reset.mailing.reminders import start_due
from wagtail_member_reset.models import Mailing, MailingState, MailingUnmatched
from wagtail_member_reset.staff.mailing_details import DetailsForm
from wagtail_member_reset.staff.mailing_start import StartForm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]
MAILINGS = "/admin/member-reset/mailings/"
NEVER = Choice(kind=Kind.NEVER_SIGNED_IN)


def drafted(by, **details):
    return mailings.draft(NEVER, by=by, **details)


def said(answer):
    return words(answer.content.decode())


def test_form_proposes_a_name_and_takes_none_that_is_empty(mailing_office, client):
    assert 'name="name" value="Mailing of ' in client.get(f"{MAILINGS}new/").content.decode()

    for name in ("", "   ", "\u200b\u202e", "x" * 101):
        answer = client.post(f"{MAILINGS}new/", {"kind": "never_signed_in", "name": name})
        assert "Please correct this first" in said(answer)

    assert not Mailing.objects.exists()


def test_name_is_shown_on_the_preview_the_page_and_in_the_list_without_a_number(mailing_office, client):
    make_person("Mia")
    answer = client.post(f"{MAILINGS}new/", {"kind": "never_signed_in", "name": "Renewal <2027>"}, follow=True)
    mailing = Mailing.objects.get()

    preview = answer.content.decode()
    assert "Renewal &lt;2027&gt;" in preview and f"Mailing {mailing.pk}" not in preview
    mailings.start(mailing)
    page, listed = (client.get(each).content.decode() for each in (f"{MAILINGS}{mailing.pk}/", MAILINGS))
    assert "Renewal &lt;2027&gt;" in page and "Renewal &lt;2027&gt;" in listed
    assert "Renewal <2027>" not in page + listed


@pytest.mark.parametrize("kind", list(Kind))
def test_mailing_without_a_name_is_named_by_its_kind_and_date_and_no_number(kind):
    name = naming.default_name({"kind": kind.value, "mailing": None, "groups": []})

    assert name and "#" not in name and len(name) <= 100


def test_old_mailing_without_a_name_is_called_by_its_date(mailing_office, client):
    mailing = drafted(mailing_office)
    mailings.start(mailing)
    Mailing.objects.update(name="")

    assert "Mailing of " in said(client.get(MAILINGS))


def test_mailing_that_goes_on_from_another_bears_its_name_however_long(mailing_office, client):
    earlier = drafted(mailing_office, name="R" * 100)
    mailings.start(earlier)

    client.post(f"{MAILINGS}{earlier.pk}/again/")

    again = Mailing.objects.latest("pk")
    assert again.name.startswith("RRRR") and again.name.endswith("… (not got in yet)")
    assert len(again.name) == 100


def test_reminders_have_a_name(sent, member):
    sent()
    mailing = start_due(timedelta(days=400))

    assert mailing is None or mailing.name.startswith("Reminder, ")
    assert naming.name_of_reminder().startswith("Reminder, ")


def test_details_of_a_draft_are_changed_on_a_page_of_their_own(mailing_office, client):
    mailing = drafted(mailing_office, name="Before")
    page = f"{MAILINGS}{mailing.pk}/details/"
    assert page in client.get(f"{MAILINGS}{mailing.pk}/").content.decode()
    assert 'value="Before"' in client.get(page).content.decode()

    answer = client.post(page, {"name": "After\n\u202eall", "per_hour": "600", "again": "on"}, follow=True)

    mailing.refresh_from_db()
    assert (mailing.name, mailing.per_hour, mailing.again) == ("After all", 600, True)
    assert "After all" in said(answer)


def test_details_of_a_started_mailing_stay_as_they_are(mailing_office, client):
    make_person("Mia")
    mailing = drafted(mailing_office, name="Before")
    mailings.start(mailing)

    answer = client.post(f"{MAILINGS}{mailing.pk}/details/", {"name": "After"})

    mailing.refresh_from_db()
    assert answer.status_code == 302
    assert (mailing.name, mailing.state) == ("Before", MailingState.RUNNING)
    assert not mailings.change(mailing, name="After")


@pytest.mark.parametrize(
    "junk", [{}, {"name": "\x00"}, {"name": "x", "per_hour": "-1"}, {"name": "x", "per_hour": "1e9"}]
)
def test_junk_changes_nothing_of_a_draft(mailing_office, client, junk):
    mailing = drafted(mailing_office, name="Before")
    before = Mailing.objects.values().get()

    answer = client.post(f"{MAILINGS}{mailing.pk}/details/", junk)

    assert "Please correct this first" in said(answer)
    assert Mailing.objects.values().get(pk=mailing.pk) == before


def test_details_are_for_who_may_send_mailings_alone(office, client):
    mailing = drafted(office, name="Before")
    client.force_login(office)

    answers = [
        client.get(f"{MAILINGS}{mailing.pk}/details/"),
        client.post(f"{MAILINGS}{mailing.pk}/details/", {"name": "x"}),
    ]

    assert [each.status_code for each in answers] == [302, 302]
    assert Mailing.objects.get().name == "Before"


def test_paragraph_is_bounded_and_loses_what_nobody_sees(mailing_office, client):
    mailing = drafted(mailing_office)
    page = f"{MAILINGS}{mailing.pk}/details/"

    client.post(page, {"name": "x", "paragraph": " One\r\n\r\n\r\n\r\ntwo\u202e\x07 three\ue000 \r\n"})
    mailing.refresh_from_db()
    assert mailing.paragraph == "One\n\ntwo three"

    answer = client.post(page, {"name": "x", "paragraph": "x" * 1001})
    assert "Please correct this first" in said(answer)
    mailing.refresh_from_db()
    assert mailing.paragraph == "One\n\ntwo three"


def test_paragraph_is_in_the_preview_and_goes_on_with_the_mailing(mailing_office, client):
    make_person("Mia")
    mailing = drafted(mailing_office, paragraph="Spring <starts>.", per_hour=60)

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()
    assert "Spring &lt;starts&gt;." in page and "Spring <starts>" not in page
    mailings.start(mailing)
    client.post(f"{MAILINGS}{mailing.pk}/again/")

    again = Mailing.objects.latest("pk")
    assert (again.paragraph, again.per_hour) == ("Spring <starts>.", 60)


def test_start_time_is_that_of_the_site_and_not_of_the_readers_zone(mailing_office, client, time_machine):
    time_machine.move_to("2026-11-23 12:00+00:00", tick=False)
    profile = UserProfile.get_for_user(mailing_office)
    profile.current_time_zone = "America/New_York"
    profile.save()
    mailing = drafted(mailing_office)
    page = f"{MAILINGS}{mailing.pk}/details/"

    client.post(page, {"name": "x", "starts_at": "2026-11-24T09:30", "hours_from": "09:00", "hours_to": "17:00"})

    mailing.refresh_from_db()
    assert mailing.starts_at.isoformat() == "2026-11-24T08:30:00+00:00"
    assert (mailing.hours_from, mailing.hours_to) == (time(9), time(17))
    again = client.get(page).content.decode()
    assert 'value="2026-11-24T09:30"' in again and 'value="09:00"' in again
    assert "Berlin time" in again


BAD_TIMES = [
    ({"starts_at": "2026-11-23T12:59"}, "This time is in the past."),
    ({"starts_at": "0001-01-01T00:00"}, "This time is in the past."),
    ({"starts_at": "9999-12-31T23:59"}, "Choose a time within the next twelve months."),
    ({"starts_at": "2027-03-28T02:30"}, "it may not exist"),
    ({"starts_at": "soon"}, "Enter a valid date/time."),
    ({"starts_at": "\x00"}, "Enter a valid date/time."),
    ({"hours_from": "25:00", "hours_to": "26:00"}, "Enter a valid time."),
    ({"hours_from": "09:00"}, "Give both: from when and until when to send."),
    ({"hours_to": "09:00"}, "Give both: from when and until when to send."),
    ({"hours_from": "09:00", "hours_to": "09:00"}, "Choose two different times."),
]


@pytest.mark.parametrize(("bad", "problem"), BAD_TIMES)
def test_times_that_make_no_sense_are_refused_at_their_field(mailing_office, client, time_machine, bad, problem):
    time_machine.move_to("2026-11-23 12:00+00:00", tick=False)
    mailing = drafted(mailing_office)
    before = Mailing.objects.values().get()

    answer = client.post(f"{MAILINGS}{mailing.pk}/details/", {"name": "x", **bad})

    assert problem in said(answer)
    assert Mailing.objects.values().get() == before


def test_pages_say_when_a_mailing_starts_goes_on_and_within_which_hours(mailing_office, client, time_machine):
    time_machine.move_to("2026-11-23 12:00+00:00", tick=False)
    make_person("Mia")
    times = {"starts_at": datetime(2026, 11, 24, 8, tzinfo=timezone.utc), "hours_from": time(9), "hours_to": time(17)}
    mailing = drafted(mailing_office, **times)

    preview = said(client.get(f"{MAILINGS}{mailing.pk}/"))
    assert "Starts Nov. 24, 2026, 9 a.m. Sends from 9 a.m. to 5 p.m. (Berlin time) only." in preview
    mailings.start(mailing)
    page = said(client.get(f"{MAILINGS}{mailing.pk}/"))
    assert "Starts Nov. 24, 2026, 9 a.m." in page
    assert "Sending hours 9 a.m. to 5 p.m. (Berlin time)" in page
    assert "Starts Nov. 24, 2026, 9 a.m." in said(client.get(MAILINGS))
    time_machine.move_to("2026-11-24 20:00+00:00", tick=False)
    assert "Goes on Nov. 25, 2026, 9 a.m." in said(client.get(f"{MAILINGS}{mailing.pk}/"))


def test_mailing_that_goes_on_from_another_keeps_its_hours_and_not_its_start_time(mailing_office):
    make_person("Mia")
    start = datetime.now(tz=timezone.utc) + timedelta(days=1)
    mailing = drafted(mailing_office, starts_at=start, hours_from=time(9), hours_to=time(17))
    mailings.start(mailing)
    mailings.stop(mailing, by=mailing_office)

    rest = mailings.draft_rest(mailing, by=mailing_office)

    assert (rest.starts_at, rest.hours_from, rest.hours_to) == (None, time(9), time(17))
    assert rest.name == f"{mailing.name} (the rest)"


def test_site_without_time_zones_names_its_mailings_by_their_date(settings):
    settings.USE_TZ = False

    unnamed = mailings.drafted(NEVER, by=None)

    assert 'value="Mailing of ' in str(DetailsForm()["name"])
    assert unnamed.name.startswith("Not got in yet, ")
    assert naming.name_of_reminder().startswith("Reminder, ")


def test_people_are_said_to_be_from_where_they_were_picked(mailing_office, client):
    mia, said = make_person("Mia"), {}
    for source in (*Source, None):
        choice = Choice(kind=Kind.IDS, ids=(mia.pk,), source=source)
        draft = mailings.draft(choice, by=mailing_office)
        said[source] = [draft.name.partition(",")[0], words(client.get(f"{MAILINGS}{draft.pk}/").content.decode())]

    assert said[Source.LISTING][0] == "Picked from the listing"
    assert "People picked from the listing: 1 chosen." in said[Source.LISTING][1]
    assert said[Source.NEEDS_HELP][0] == "Picked from “Needs help”"
    assert "People picked from “Needs help”: 1 chosen." in said[Source.NEEDS_HELP][1]
    assert said[Source.COMMAND][0] == said[None][0] == "Selected people"
    assert "People chosen by a command: 1 chosen." in said[Source.COMMAND][1]
    assert "Selected people: 1 chosen." in said[None][1]


def test_rest_of_a_mailing_is_called_so_and_leads_back_to_it(mailing_office, client):
    stopped = mailings.draft(Choice(kind=Kind.IDS, ids=(make_person("Mia").pk,)), by=mailing_office, name="Renewal")
    mailings.start(stopped)
    mailings.stop(stopped, by=mailing_office)

    page = client.get(f"{MAILINGS}{mailings.draft_rest(stopped, by=mailing_office).pk}/").content.decode()

    assert "The rest of “Renewal”: 1 chosen." in words(page)
    assert f'href="{MAILINGS}{stopped.pk}/">Back' in page


def test_mailing_that_goes_on_from_another_keeps_its_site_and_language(mailing_office, client):
    root = Site.objects.get().root_page
    other = Site.objects.create(hostname="other.example", root_page=root)
    earlier = drafted(mailing_office, site=other, language="de", paragraph="Hallo", per_hour=50)
    mailings.start(earlier)

    client.post(f"{MAILINGS}{earlier.pk}/again/")

    again = Mailing.objects.latest("pk")
    assert (again.site, again.language, again.paragraph, again.per_hour) == (other, "de", "Hallo", 50)


def test_page_of_a_mailing_reads_no_lines_of_its_file(mailing_office, client):
    mailing = drafted(mailing_office)
    MailingUnmatched.objects.create(mailing=mailing, lines=[[1, "nobody@members.example", "x"]] * 10, count=10)
    mailings.start(mailing)

    with CaptureQueriesContext(connection) as asked:
        page = said(client.get(f"{MAILINGS}{mailing.pk}/"))

    assert "10 lines match no account" in page
    assert not [each for each in asked if '"lines"' in each["sql"] or "`lines`" in each["sql"]]


def test_name_and_limit_are_bounded_alike_wherever_they_are_given():
    name, pace = (DetailsForm.base_fields[field] for field in ("name", "per_hour"))

    assert name.max_length == LONGEST_NAME == Mailing._meta.get_field("name").max_length
    assert pace.max_value == StartForm.base_fields["pace"].max_value == MOST_PER_HOUR


@pytest.mark.parametrize("field", ["name", "paragraph"])
@pytest.mark.parametrize(
    "shape",
    [
        lambda link: f"Click {link} now",
        lambda link: link.rstrip("/").rpartition("/")[2].upper(),
        lambda link: f"{link[:-20]}\u200b\u202e{link[-20:]}",
        lambda link: link[:-20],
    ],
    ids=["link", "token", "invisible", "cut"],
)
def test_personal_link_is_refused_at_the_field(mailing_office, client, sent, member, mailoutbox, field, shape):
    sent(member)
    text = shape(LINK.search(mailoutbox[0].body)[0])
    draft = drafted(mailing_office)
    typed = {"name": "Renewal", "paragraph": "", field: text}

    page = said(client.post(f"{MAILINGS}{draft.pk}/details/", typed))
    new = said(client.post(f"{MAILINGS}new/", {"kind": "never_signed_in", **typed}))

    assert "This is a personal link" in page and "This is a personal link" in new
    assert [(each.name, each.paragraph) for each in Mailing.objects.all()] == [(draft.name, "")]


def test_other_addresses_and_long_words_are_no_personal_link(mailing_office, client):
    draft = drafted(mailing_office)
    text = "See https://club.example/renewal/2027/?ref=a1b2c3, /r/renewal, "
    text += "1234567890 1234567890 1234567890 1234567890"

    client.post(f"{MAILINGS}{draft.pk}/details/", {"name": "Renewal", "paragraph": text})

    draft.refresh_from_db()
    assert draft.paragraph == text


def test_name_of_a_mailing_loses_what_nobody_sees_and_what_turns_text_around(mailing_office, client):
    draft = drafted(mailing_office)

    client.post(f"{MAILINGS}{draft.pk}/details/", {"name": "Re\u202enew\u200bal\x1b\t 2027\u2066"})

    draft.refresh_from_db()
    assert draft.name == "Renewal 2027"
