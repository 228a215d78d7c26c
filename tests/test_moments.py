"""Times in words: whose day midnight is, which of two, whose zone, and one full stop after it."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone as django_timezone
from django.utils import translation

from tests.conftest import make_person
from tests.languages import catalogues
from wagtail_member_reset import moments
from wagtail_member_reset.reports import Cause, Outcome, Verdict
from wagtail_member_reset.staff import wording


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("zone", "moment", "told"),
    [
        ("Europe/Berlin", "2026-11-30T23:00", "Nov. 30, 2026, 11:59 p.m."),
        ("UTC", "2026-12-01T00:00", "Nov. 30, 2026, 11:59 p.m."),
        ("Asia/Kolkata", "2026-11-30T18:30", "Nov. 30, 2026, 11:59 p.m."),
        ("Europe/London", "2026-10-25T00:30", "Oct. 25, 2026, 1:30 a.m. UTC+1"),
        ("Europe/London", "2026-10-25T01:30", "Oct. 25, 2026, 1:30 a.m. UTC+0"),
        ("America/New_York", "2026-11-01T05:30", "Nov. 1, 2026, 1:30 a.m. UTC-4"),
        ("America/St_Johns", "2026-11-01T04:00", "Nov. 1, 2026, 1:30 a.m. UTC-2:30"),
        ("Australia/Lord_Howe", "2026-04-04T14:45", "April 5, 2026, 1:45 a.m. UTC+11"),
        ("Australia/Lord_Howe", "2026-04-04T15:15", "April 5, 2026, 1:45 a.m. UTC+10:30"),
        # Midnight itself is one of the hours that come twice.
        ("America/Havana", "2026-11-01T04:00", "Oct. 31, 2026, 11:59 p.m."),
        ("America/Havana", "2026-11-01T05:00", "Nov. 1, 2026, 12:59 a.m. UTC-4"),
        # The clock is set back at midnight, to 11 p.m.
        ("Asia/Beirut", "2026-10-24T21:00", "Oct. 24, 2026, 11 p.m. UTC+2"),
        ("Asia/Beirut", "2026-10-24T22:00", "Oct. 24, 2026, 11:59 p.m. UTC+2"),
        # The clock is set on at midnight, to 1 a.m.
        ("Asia/Beirut", "2026-03-28T22:00", "March 29, 2026, 1 a.m."),
    ],
)
def test_deadline_is_told_so_that_nobody_is_late(zone, moment, told):
    with django_timezone.override(ZoneInfo(zone)):
        assert moments.deadline(at(moment)) == told


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Berlin", "Berlin time"),
        ("America/New_York", "New York time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
        ("America/Port-au-Prince", "Port-au-Prince time"),
        ("US/Eastern", "Eastern time"),
        ("Brazil/East", "Brazil (East) time"),
        ("Japan", "Japan time"),
        ("PRC", "PRC time"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("GMT", "UTC"),
        ("Etc/GMT+5", "UTC-5"),
        ("Etc/GMT-14", "UTC+14"),
        ("CET", "CET"),
        ("EST5EDT", "EST5EDT"),
    ],
)
def test_zone_reads_as_people_say_it(zone, said):
    assert moments.zone_in_words(zone) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("We will try again on %(when)s. Urgent?", "We will try again on 2:07 p.m. Urgent?"),
        ("until %(when)s; then", "until 2:07 p.m.; then"),
        ("(%(when)s).", "(2:07 p.m.)."),
        ("%(name)s. %(when)s.", "Mia. 2:07 p.m."),
    ],
)
def test_time_that_ends_in_a_full_stop_ends_its_sentence(text, said):
    assert moments.sentence(text, when="2:07 p.m.", name="Mia") == said


@pytest.mark.parametrize("language", ["en", "en-gb", "de", "el", "cy", "hu", "bs", "ms", "ka", "gd", "es", "pt-br"])
@pytest.mark.parametrize("cause", [Cause.NONE, Cause.ASKED_LATER])
def test_no_sentence_of_the_tab_ends_in_two_full_stops(language, cause):
    verdict = Verdict(outcome=Outcome.RETRYING, cause=cause, at=at("2026-11-30T13:07"))

    with translation.override(language):
        text = wording.words(verdict, name="Mia Sample Jr.").text

    assert ".." not in text
    assert ". Urgent?" in text or language in catalogues.SHIPPED


def test_naive_midnight_is_the_evening_before(settings):
    settings.USE_TZ = False

    assert moments.deadline(datetime(2026, 12, 1, 0, 0)) == "Nov. 30, 2026, 11:59 p.m."  # noqa: DTZ001


def test_a_real_moment_in_utc_never_comes_twice():
    assert moments.offset_if_twice(datetime(2026, 10, 25, 2, 30, tzinfo=timezone.utc)) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["\u202eaiM", "Mia\u2066\r\n"])
def test_name_turns_no_sentence_of_staff(name):
    assert wording.person(make_person("Mia", first_name=name)) in ("aiM", "Mia")
