"""When drafts are forgotten: two weeks after somebody last worked on them."""

from datetime import timedelta

import pytest

from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import Choice, Kind, purge_mailings
from wagtail_member_reset.models import Mailing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]


@pytest.fixture
def draft(time_machine):
    time_machine.move_to("2026-11-27 16:00:00+00:00", tick=False)  # a Friday
    return mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)


def test_draft_of_friday_is_there_on_monday_and_gone_after_two_weeks(draft, time_machine):
    kept = []
    for days in (3, 11, 1):
        time_machine.shift(timedelta(days=days))
        purge_mailings()
        kept.append(Mailing.objects.exists())

    assert kept == [True, True, False]


def test_change_of_a_draft_keeps_it_for_two_weeks_more(draft, time_machine):
    time_machine.shift(timedelta(days=13))
    mailings.change(draft, paragraph="Dear all")
    time_machine.shift(timedelta(days=13))

    assert purge_mailings() == 0
    assert Mailing.objects.exists()
