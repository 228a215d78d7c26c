"""Mailings that were refused or interrupted, and go on the next morning: nobody is lost, and nobody loses a link."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import chunks
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import MailingState, PasswordReset, ResetEmail, SkipReason

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

NIGHT = timedelta(hours=17)
MEMBERS = 30


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


@pytest.fixture
def mailing():
    members = [make_person(f"Member{number}") for number in range(MEMBERS)]
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=None)
    mailings.start(mailing)
    return mailing


def passes(mailing, clock, number=30):
    """As a sweeper makes them, every five minutes."""
    for _pass in range(number):
        outbox.drain()
        clock.shift(timedelta(minutes=5))
    mailing.refresh_from_db()


def addressees(messages):
    return Counter(re.search(r"^To: (\S+)", message, re.MULTILINE)[1] for message in messages)


def opens(message):
    token = re.search(r"/account/r/([\w-]+)", message)[1]
    return resets.open(token) is not None


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
@pytest.mark.slow
def test_greylisted_and_paused_overnight_everybody_gets_one_link_that_works(mailing, mailbox, clock, verb):
    mailbox.answers[verb] = "451 4.7.1 greylisted"
    passes(mailing, clock, 3)
    mailings.pause(mailing)
    mailbox.answers.clear()
    clock.shift(NIGHT)
    passes(mailing, clock, 1)
    mailings.go_on(mailing)

    passes(mailing, clock)

    assert (mailing.state, mailing.handed_over, mailing.skipped) == (MailingState.FINISHED, MEMBERS, 0)
    assert addressees(mailbox.messages) == {member.email: 1 for member in everybody()}
    assert all(opens(message) for message in mailbox.messages)
    assert PasswordReset.objects.live().count() == MEMBERS


def everybody():
    return [email.member for email in ResetEmail.objects.filter(replaced_at=None).select_related("member")]


@pytest.mark.slow
def test_who_may_have_a_copy_keeps_its_link_and_is_reached_by_try_again(mailing, mailbox, clock):
    mailbox.drop_after_data = True
    outbox.drain()
    mailings.pause(mailing)
    mailbox.drop_after_data = False
    dropped = addressees(mailbox.messages)
    clock.shift(NIGHT)
    mailings.go_on(mailing)
    passes(mailing, clock)
    kept = [opens(message) for message in mailbox.messages[: len(dropped)]]
    skipped = {each.reason: each.count for each in mailing.skips.all()}
    mailbox.messages.clear()

    again = mailings.try_again(mailing)
    passes(mailing, clock)

    assert (all(kept), skipped) == (True, {SkipReason.WINDOW_CLOSED: len(dropped)})
    assert (again, addressees(mailbox.messages)) == (len(dropped), dropped)
    assert all(opens(message) for message in mailbox.messages)
    assert (mailing.state, mailing.handed_over, mailing.skipped) == (MailingState.FINISHED, MEMBERS, 0)


@pytest.mark.slow
def test_rest_of_a_stopped_mailing_is_exactly_whom_it_had_not_come_to(mailing, mailbox, clock, monkeypatch):
    """Some were mailed, some were refused for now, one for good, and some were never tried."""
    stops_after = MEMBERS // 2
    original, refused = mailbox.handle_DATA, []

    async def handle_data(server, session, envelope):
        if envelope.rcpt_tos[0].startswith("member7@"):
            refused.append(envelope.rcpt_tos[0])
            return "550 5.1.1 no such mailbox"
        if envelope.rcpt_tos[0].startswith(("member3@", "member5@")):
            return "451 4.7.1 greylisted"
        return await original(server, session, envelope)

    mailbox.handle_DATA = handle_data
    # In whatever order their keys put them.
    outbox.drain(is_stopping=lambda: len(mailbox.messages) >= stops_after and bool(refused))
    mailings.stop(mailing, by=None)
    mailbox.handle_DATA = original
    mailed = addressees(mailbox.messages)
    mailbox.messages.clear()

    rest = mailings.draft_rest(mailing, by=None)
    mailings.start(rest)
    passes(rest, clock)

    everyone = {f"member{number}@members.example" for number in range(MEMBERS)}
    assert set(addressees(mailbox.messages)) == everyone - set(mailed) - {"member7@members.example"}
    assert (rest.state, rest.handed_over, rest.skipped) == (MailingState.FINISHED, rest.chosen, 0)


@pytest.mark.slow
def test_rest_of_a_mailing_stopped_before_its_first_chunk_is_everybody(mailing, mailbox, clock, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 7)
    mailings.stop(mailing, by=None)

    rest = mailings.draft_rest(mailing, by=None)
    mailings.start(rest)
    passes(rest, clock)

    assert (rest.chosen, rest.handed_over) == (MEMBERS, MEMBERS)


@pytest.mark.slow
def test_rest_of_a_mailing_that_was_tried_again_reaches_those_with_a_link(mailing, mailbox, clock):
    """Tried again and stopped at once: they have a link that works, which is why they were to be mailed again."""
    mailbox.drop_after_data = True
    outbox.drain()
    mailbox.drop_after_data = False
    clock.shift(NIGHT)
    passes(mailing, clock)
    again = mailings.try_again(mailing)
    mailings.stop(mailing, by=None)
    mailbox.messages.clear()

    rest = mailings.draft_rest(mailing, by=None)
    mailings.start(rest)
    passes(rest, clock)

    assert (again, len(mailbox.messages)) == (rest.chosen, again)
