"""Erasing one person while workers send a mailing to them: erased or refused, and never in between."""

import pytest

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, personal_data
from wagtail_member_reset.exceptions import ErasureRefused
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import MailingChunk, PasswordReset, ResetEmail

from .test_races import ROUNDS, all_at_once

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.mark.slow
def test_person_is_erased_whole_or_not_at_all_and_the_mailing_counts_everybody(by_hand):
    for number in range(ROUNDS):
        people = [make_person(f"Mia{number}x{each}") for each in range(3)]
        mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(person.pk for person in people)), by=None)
        mailings.start(mailing)

        answers = all_at_once(*[outbox.drain] * 3, *[lambda: personal_data.erase(people[0], by=None)] * 2, outbox.drain)

        refused = [isinstance(answer, ErasureRefused) for answer in answers[3:5]]
        outbox.drain()
        mailing.refresh_from_db()
        assert (mailing.state, mailing.chosen, mailing.handled) == ("finished", 3, 3)
        assert not MailingChunk.objects.filter(mailing=mailing).exists()
        theirs = PasswordReset.objects.filter(member=people[0]), ResetEmail.objects.filter(member=people[0])
        if not all(refused):
            assert not any(rows.exists() for rows in theirs)
        else:
            assert all(rows.exists() for rows in theirs)
