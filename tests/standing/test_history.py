"""What happened, step by step, with who and when."""

from datetime import datetime, timedelta, timezone

import pytest
import time_machine
from anymail.signals import AnymailTrackingEvent, tracking

from tests.conftest import make_person
from wagtail_member_reset import outbox, resets, tokens
from wagtail_member_reset.models import PasswordReset, ResetEmail
from wagtail_member_reset.standing.history import MOST_LINKS, Step

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def report(kind, *, at=None):
    email = ResetEmail.objects.with_link().order_by("pk").last()
    event = AnymailTrackingEvent(
        event_type=kind, recipient=email.recipient, metadata={"member_reset": str(email.public_id)}, timestamp=at
    )
    tracking.send(sender=None, event=event, esp_name="Postmark")


def grant_of(reset):
    return resets.open(tokens.mint(PasswordReset.objects.get(pk=reset.pk)))


def steps(member, story=0):
    return [(entry.step, entry.by) for entry in resets.stories(member)[story].entries]


def test_nothing_sent_is_no_story_and_one_query(member, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert resets.stories(member) == []


def test_each_step_is_told_with_who_took_it(member, office, sent, clock):
    reset = sent()
    clock.shift(timedelta(minutes=1))
    report("delivered")
    clock.shift(timedelta(minutes=1))
    resets.note_shown(reset, by=office)
    clock.shift(timedelta(minutes=1))
    resets.note_copied(reset, by=office)
    clock.shift(timedelta(minutes=5))
    grant = grant_of(reset)
    clock.shift(timedelta(minutes=1))
    resets.redeem(grant, password="a new password 9")
    clock.shift(timedelta(minutes=1))
    outbox.drain()

    assert steps(member) == [
        (Step.CREATED, office),
        (Step.HANDED_OVER, None),
        (Step.REPORTED, None),
        (Step.SHOWN, office),
        (Step.COPIED, office),
        (Step.OPENED, None),
        (Step.USED, None),
        (Step.CONFIRMED, None),
    ]
    assert resets.stories(member)[0].awaited == []


def test_link_asked_for_on_the_website_is_nobodys_of_the_staff(member, clock):
    resets.request(member.email, network="192.0.2.7", site=None, language="en")
    outbox.drain()

    (story,) = resets.stories(member)
    assert (story.reset.origin, story.entries[0].by) == ("member", None)


def test_sending_again_is_a_step_of_the_same_link(member, office, sent, clock):
    sent()
    colleague = make_person("Olga")
    clock.shift(timedelta(hours=1))
    sent(by=colleague)

    assert [step for step in steps(member) if step[0] == Step.SENT_AGAIN] == [(Step.SENT_AGAIN, colleague)]
    assert len(resets.stories(member)) == 1


def test_newer_link_begins_a_story_and_ends_the_earlier_one(member, office, sent, clock):
    first = sent()
    resets.note_copied(first, by=office)
    clock.shift(timedelta(hours=17))
    second = sent()

    newer, older = resets.stories(member)
    assert (newer.reset.pk, older.reset.pk) == (second.pk, first.pk)
    assert [entry.step for entry in older.entries][-2:] == [Step.COPIED, Step.CLOSED]
    assert Step.COPIED not in [entry.step for entry in newer.entries]


def test_cancelled_link_says_by_whom(member, office, sent, clock):
    resets.revoke(sent(), by=office)

    assert steps(member)[-1] == (Step.CLOSED, office)


def test_expired_link_says_so_and_waits_for_nothing(member, sent, clock):
    sent()
    clock.shift(timedelta(days=8))

    (story,) = resets.stories(member)
    assert (story.entries[-1].step, story.awaited) == (Step.EXPIRED, [])


@pytest.mark.parametrize(("opened", "awaited"), [(False, [Step.OPENED, Step.USED]), (True, [Step.USED])])
def test_live_link_waits_for_what_may_still_come(member, sent, clock, opened, awaited):
    reset = sent()
    if opened:
        grant_of(reset)

    assert resets.stories(member)[0].awaited == awaited


@pytest.mark.parametrize(("seconds", "doubtful"), [(5, True), (59, True), (60, False), (3600, False)])
def test_link_opened_at_once_may_have_been_a_scanner(member, sent, clock, seconds, doubtful):
    reset = sent()
    clock.shift(timedelta(seconds=seconds))
    grant_of(reset)

    (opened,) = [entry for entry in resets.stories(member)[0].entries if entry.step == Step.OPENED]
    assert opened.is_doubtful is doubtful


def test_link_that_was_used_was_opened_by_a_person(member, sent, clock):
    resets.redeem(grant_of(sent()), password="a new password 9")

    (opened,) = [entry for entry in resets.stories(member)[0].entries if entry.step == Step.OPENED]
    assert opened.is_doubtful is False


def test_report_by_a_clock_that_is_slow_stands_after_the_hand_over(member, sent, clock):
    sent()
    report("delivered", at=NOON - timedelta(seconds=1))

    assert [entry.step for entry in resets.stories(member)[0].entries] == [
        Step.CREATED,
        Step.HANDED_OVER,
        Step.REPORTED,
    ]


def test_mail_that_did_not_leave_says_why(member, office, clock):
    resets.send(member, by=office)
    ResetEmail.objects.update(state="failed", attempts=1, result_code="smtp_550", result_text="5.1.1 unknown")

    entry = resets.stories(member)[0].entries[-1]
    assert (entry.step, entry.verdict.cause.value, entry.verdict.text) == (
        Step.DID_NOT_LEAVE,
        "no_such_mailbox",
        "5.1.1 unknown",
    )


def test_five_links_cost_what_one_costs(member, office, sent, clock, django_assert_num_queries):
    sent()
    with django_assert_num_queries(4):
        resets.stories(member)
    for _ in range(MOST_LINKS + 2):
        clock.shift(timedelta(hours=17))
        resets.note_copied(sent(), by=office)
        for kind in ("queued", "sent", "delivered", "opened"):
            report(kind)

    with django_assert_num_queries(4):
        told = resets.stories(member)

    assert len(told) == MOST_LINKS
    assert told[0].reset.issued_at > told[-1].reset.issued_at
