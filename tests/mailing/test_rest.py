"""Whom a stopped mailing has not reached, and that nobody of them is mailed twice."""

import pytest

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import Choice, Kind, remaining
from wagtail_member_reset.mailing import rest as rests
from wagtail_member_reset.models import Mailing, ResetEmail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]


@pytest.fixture
def stopped():
    people = [make_person(f"Rest{number}") for number in range(4)]
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(each.pk for each in people)), by=None)
    mailings.start(mailing, wake=False)
    mailings.stop(mailing, by=None)
    return mailing


def emails_each():
    return sorted(map(len, map(list, _by_member().values())))


def _by_member():
    found = {}
    for email in ResetEmail.objects.filter(state="handed_over"):
        found.setdefault(email.member_id, []).append(email.pk)
    return found


def test_nobody_remains_who_waits_in_a_mailing_to_the_rest(stopped):
    mailings.start(mailings.draft_rest(stopped, by=None), wake=False)

    assert remaining(stopped) == []
    assert mailings.draft_rest(stopped, by=None) is None


def test_of_two_drafts_to_the_same_rest_the_second_mails_nobody(stopped):
    first, second = (mailings.draft_rest(stopped, by=None) for _turn in range(2))

    mailings.start(first, wake=False)
    previewed = mailings.preview(second).chosen
    mailings.start(second, wake=False)
    outbox.drain()

    assert (previewed, second.chosen) == (0, 0)
    assert emails_each() == [1, 1, 1, 1]


def test_draft_to_a_rest_that_was_mailed_meanwhile_mails_nobody(stopped):
    first, second = (mailings.draft_rest(stopped, by=None) for _turn in range(2))

    mailings.start(first)
    outbox.drain()
    mailings.start(second)
    outbox.drain()

    assert emails_each() == [1, 1, 1, 1]


def test_rest_of_a_rest_is_mailed_once_whichever_page_it_is_sent_from(stopped):
    rest = mailings.draft_rest(stopped, by=None)
    mailings.start(rest, wake=False)
    mailings.stop(rest, by=None)
    offered = len(remaining(stopped)), len(remaining(rest))

    mailings.start(mailings.draft_rest(rest, by=None), wake=False)

    assert offered == (4, 4)
    assert remaining(stopped) == remaining(rest) == []


def test_other_mailings_take_nobody_from_the_rest(stopped):
    mailings.start(mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None), wake=False)

    assert len(remaining(stopped)) == 4


def test_starting_a_mailing_to_the_rest_waits_for_another(stopped, django_assert_max_num_queries):
    """The row of the mailing that was stopped is written before anything is read."""
    rest = mailings.draft_rest(stopped, by=None)
    changed = Mailing.objects.filter(pk=stopped.pk)

    with django_assert_max_num_queries(4) as queries:
        rests.still_chosen(rest, is_starting=True)

    assert queries.captured_queries[0]["sql"].startswith("UPDATE") and changed.get().state == "stopped"
