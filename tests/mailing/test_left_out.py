"""Two mailings for the same people: each person gets the email of one, unless the second was drafted after it."""

import pytest

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, ResetEmail, SkipReason

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]


@pytest.fixture
def people(db):
    return [make_person("Mia"), make_person("Ole")]


def drafted(people, **details):
    return mailings.draft(Choice(kind=Kind.IDS, ids=tuple(person.pk for person in people)), by=None, **details)


def started(*drafts):
    for draft in drafts:
        mailings.start(draft, wake=False)
    outbox.drain()
    for draft in drafts:
        draft.refresh_from_db()


def test_of_two_drafts_for_the_same_people_everybody_gets_one_email(people, mailoutbox):
    first, second = drafted(people, again=True), drafted(people, again=True)

    started(first, second)

    assert sorted(mail.to[0] for mail in mailoutbox) == ["mia@members.example", "ole@members.example"]
    assert (second.state, second.handed_over, second.waiting) == ("finished", 0, 0)
    assert mailings.progress(second).skips == {SkipReason.EMAILED_SINCE: 2}


def test_preview_of_the_second_says_so_before_it_starts(people):
    first, second = drafted(people[:1], again=True), drafted(people, again=True)
    started(first)

    preview = mailings.preview(second)

    assert (preview.emails, preview.skips) == (1, {SkipReason.EMAILED_SINCE: 1})


def test_email_that_waits_in_the_first_counts_and_one_that_was_not_sent_does_not(people):
    first, second = drafted(people, again=True), drafted(people, again=True)
    started(first)
    waits, failed = ResetEmail.objects.order_by("pk")
    ResetEmail.objects.filter(pk=waits.pk).update(state=EmailState.QUEUED)
    ResetEmail.objects.filter(pk=failed.pk).update(state=EmailState.FAILED)

    assert mailings.preview(second).emails == 1


def test_who_drafts_anew_after_a_mailing_mails_the_same_people_again(people, mailoutbox):
    started(drafted(people))

    started(drafted(people, again=True))

    assert len(mailoutbox) == 4


def test_single_email_since_the_draft_does_not_count(people, mailoutbox):
    mailing = drafted(people, again=True)
    resets.send(people[0], by=None)

    started(mailing)

    assert (mailing.handed_over, len(mailoutbox)) == (2, 3)
