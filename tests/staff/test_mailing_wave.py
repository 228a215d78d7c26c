"""What the preview of a large mailing offers: a first wave, and a pace."""

from datetime import time

import pytest

from tests.conftest import make_person
from tests.staff.pages import start, words
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import Mailing, MailingState, PauseReason
from wagtail_member_reset.staff import mailing_start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]
MAILINGS = "/admin/member-reset/mailings/"


@pytest.fixture(autouse=True)
def small_waves(monkeypatch):
    monkeypatch.setattr(mailing_start, "FIRST_WAVE", 3)
    monkeypatch.setattr(mailing_start, "OFFERED_FROM", 8)


def draft_of(number):
    keys = [make_person(f"M{number}x{each}").pk for each in range(number)]
    return mailings.draft(Choice(kind=Kind.IDS, ids=tuple(keys)), by=None)


def now(mailing):
    mailing.refresh_from_db()
    return mailing.state, mailing.paused_because, mailing.handed_over


AFTER_WAVE = (MailingState.PAUSED, PauseReason.FIRST_WAVE, 3)


def test_started_by_it_is_told_of_the_pause(mailing_office, mailoutbox):
    mailing = draft_of(9)
    mailing.wave_left, mailing.created_by = 3, mailing_office
    mailings.start(mailing)

    outbox.drain()

    [notice] = [mail for mail in mailoutbox if mail.to == [mailing_office.email]]
    assert "after the first wave, as you wanted: 3 emails were sent." in notice.body


def test_wave_is_offered_for_a_large_mailing_and_kept_when_ticked(mailing_office, client):
    small, large = draft_of(7), draft_of(8)

    assert 'name="first_wave"' not in client.get(f"{MAILINGS}{small.pk}/").content.decode()
    page = client.get(f"{MAILINGS}{large.pk}/").content.decode()
    assert 'name="first_wave"' in page
    assert "Send 3 emails first, then pause" in words(page)
    start(client, large, {"first_wave": "on"})

    outbox.drain()
    assert now(large) == AFTER_WAVE


def test_from_5000_on_the_preview_says_what_that_means_and_suggests_a_pace(mailing_office, client, monkeypatch):
    monkeypatch.setattr(mailing_start, "MANY", 8)
    mailing = draft_of(8)

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()
    assert "To Gmail and Outlook, whoever sends 5,000 emails a day is a bulk sender." in words(page)
    assert 'name="pace" value="500"' in page
    start(client, mailing, {"pace": "500"})

    mailing.refresh_from_db()
    assert (mailing.per_hour, mailing.state) == (500, MailingState.RUNNING)


def test_mailing_with_a_limit_is_suggested_no_other(mailing_office, client, monkeypatch):
    monkeypatch.setattr(mailing_start, "MANY", 8)
    mailing = draft_of(8)
    Mailing.objects.update(per_hour=100)

    page = client.get(f"{MAILINGS}{mailing.pk}/").content.decode()
    start(client, mailing, {"pace": "500"})

    mailing.refresh_from_db()
    assert 'name="pace"' not in page
    assert mailing.per_hour == 100


@pytest.mark.parametrize("junk", ["0", "-5", "x", "1e9", "99999999999999999999"])
def test_pace_that_is_none_starts_nothing(mailing_office, client, junk):
    mailing = draft_of(2)

    answer = start(client, mailing, {"pace": junk}, follow=True)

    assert "Nothing was sent: look at the preview again." in words(answer.content.decode())
    assert now(mailing) == (MailingState.DRAFT, "", 0)


def test_preview_of_picked_people_leads_to_a_draft_with_name_text_and_times(mailing_office, client):
    from django.contrib.auth import get_user_model
    from django.urls import reverse

    mia, model = make_person("Mia"), get_user_model()._meta
    path = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, "send_member_resets"])

    answer = client.post(f"{path}?id={mia.pk}&next=/admin/users/", {"draft": "1"}, follow=True)

    mailing = Mailing.objects.get()
    assert answer.redirect_chain[-1][0] == f"{MAILINGS}{mailing.pk}/details/"
    assert (mailing.state, mailing.created_by) == (MailingState.DRAFT, mailing_office)
    client.post(f"{MAILINGS}{mailing.pk}/details/", {"name": "Renewal", "paragraph": "Spring"})
    start(client, mailing)
    mailing.refresh_from_db()
    assert (mailing.name, mailing.paragraph, mailing.chosen) == ("Renewal", "Spring", 1)


def test_pace_says_how_long_it_takes_only_where_it_sends_at_any_hour(mailing_office, client, monkeypatch):
    monkeypatch.setattr(mailing_start, "MANY", 8)
    monkeypatch.setattr(mailing_start, "suggested_pace", lambda _emails: 4)
    mailing, said = draft_of(8), []
    for hours in (None, time(9)):
        Mailing.objects.update(hours_from=hours, hours_to=hours and time(10))
        said.append(words(client.get(f"{MAILINGS}{mailing.pk}/").content.decode()))

    assert "Send at most 4 emails per hour: it takes about 2 hours" in said[0]
    assert "Send at most 4 emails per hour" in said[1] and "it takes about" not in said[1]
