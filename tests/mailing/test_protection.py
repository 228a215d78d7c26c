"""Mailings that pause by themselves where too many addresses do not exist, or too many mark the email as spam."""

import pytest
from django.utils import timezone
from model_bakery import baker

from tests.conftest import grant, make_person, use_backend
from tests.reports.test_webhook import report
from wagtail_member_reset import mailing as rows
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import Choice, Kind, chunks
from wagtail_member_reset.models import EmailState, Mailing, MailingState, PauseReason

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

NO_SUCH = {"event_type": "bounced", "mta_response": "550 5.1.1 User unknown"}
RUNNING, PAUSED = MailingState.RUNNING, MailingState.PAUSED


def running(**counters):
    """Of a thousand, so many were handed over."""
    made = baker.make(Mailing, state=RUNNING, chosen=1000, created_by=None, site=None, **counters)
    baker.make("wagtail_member_reset.MailingChunk", mailing=made, members=[1])
    return made


def after(mailing, **changes):
    rows.count(mailing.pk, **changes)
    mailing.refresh_from_db()
    return mailing.state, mailing.paused_because


@pytest.mark.parametrize(
    ("before", "told", "because"),
    [
        # The service reports deliveries: those that nothing is known of do not count.
        ({"handed_over": 500, "delivered": 95, "bounced": 4, "hard_bounces": 4}, {"bounced": 1, "hard_bounces": 1}, "hard_bounces"),  # noqa: E501
        ({"handed_over": 500, "delivered": 94, "bounced": 4, "hard_bounces": 4}, {"bounced": 1, "hard_bounces": 1}, ""),
        ({"handed_over": 500, "delivered": 96, "bounced": 3, "hard_bounces": 3}, {"bounced": 1, "hard_bounces": 1}, ""),
        # It reports bounces alone, or our own server refuses.
        ({"handed_over": 100, "bounced": 4, "hard_bounces": 4}, {"bounced": 1, "hard_bounces": 1}, "hard_bounces"),
        ({"handed_over": 200, "bounced": 4, "hard_bounces": 4}, {"bounced": 1, "hard_bounces": 1}, ""),
        ({"handed_over": 95, "failed": 4, "hard_bounces": 4}, {"failed": 1, "hard_bounces": 1}, "hard_bounces"),
        # Full mailboxes are no matter of the addresses.
        ({"handed_over": 500, "delivered": 80, "bounced": 30}, {"bounced": 9}, ""),
        ({"handed_over": 500, "delivered": 200, "complaints": 1}, {"complaints": 1}, "complaints"),
        ({"handed_over": 500, "delivered": 200}, {"complaints": 1}, ""),
        ({"handed_over": 3000, "delivered": 2500, "complaints": 1}, {"complaints": 1}, ""),
    ],
)  # fmt: skip
def test_mailing_pauses_by_itself_at_the_share_and_from_a_hundred_on(before, told, because):
    assert after(running(**before), **told) == (PAUSED if because else RUNNING, because)


def test_after_going_on_it_pauses_again_only_when_the_share_has_doubled():
    mailing = running(handed_over=900, delivered=95, bounced=4, hard_bounces=4)
    after(mailing, bounced=1, hard_bounces=1)

    assert mailings.go_on(mailing, wake=False)
    assert after(mailing, bounced=4, hard_bounces=4) == (RUNNING, "")
    assert after(mailing, bounced=3, hard_bounces=3) == (PAUSED, PauseReason.HARD_BOUNCES)


def test_pause_by_hand_and_going_on_leave_the_limits_as_they_are():
    mailing = running(handed_over=900, delivered=95, bounced=4, hard_bounces=4)
    mailings.pause(mailing)
    after(mailing, bounced=1, hard_bounces=1)

    mailings.go_on(mailing, wake=False)

    assert after(mailing, bounced=1, hard_bounces=1) == (PAUSED, PauseReason.HARD_BOUNCES)


def rest_of(mailing):
    """What a stop and "Send to the remaining" make of it."""
    mailings.stop(mailing, by=None)
    rest = mailings.draft_rest(mailing, by=None)
    mailings.start(rest, wake=False)
    return rest


@pytest.fixture
def harmful(member):
    """A mailing that has paused by itself at 5 of 100, before one person."""
    mailing = running(handed_over=900, delivered=95, bounced=4, hard_bounces=4, choice={"kind": "all"})
    mailing.chunks.update(members=[member.pk if isinstance(member.pk, int) else str(member.pk)])
    after(mailing, bounced=1, hard_bounces=1)
    return mailing


def test_rest_of_a_mailing_that_paused_by_itself_pauses_as_if_that_had_been_resumed(harmful):
    rest = rest_of(harmful)

    assert after(rest, handed_over=100, bounced=4, hard_bounces=4) == (RUNNING, "")
    # With those before, 21 of 200.
    assert after(rest, bounced=12, hard_bounces=12) == (PAUSED, PauseReason.HARD_BOUNCES)
    assert "too many emails went to addresses that do not exist" in mailings.progress(rest).why_paused


def test_stopping_again_and_again_is_no_way_around_the_share(harmful):
    first_rest = rest_of(harmful)
    after(first_rest, handed_over=99, bounced=14, hard_bounces=14)
    assert (first_rest.state, first_rest.hard_bounces) == (RUNNING, 14)

    assert after(rest_of(first_rest), handed_over=9, bounced=9, hard_bounces=9) == (PAUSED, PauseReason.HARD_BOUNCES)


def test_late_report_of_the_stopped_mailing_counts_for_its_rest(harmful):
    rest = rest_of(harmful)
    rows.count(harmful.pk, bounced=6, hard_bounces=6)

    assert after(rest, handed_over=1, failed=1, hard_bounces=1) == (PAUSED, PauseReason.HARD_BOUNCES)


@pytest.fixture
def service(settings, monkeypatch):
    """A mail service that takes everything; reports are played. Chunks are small, as reports come in between."""
    use_backend(settings, "anymail.backends.test.EmailBackend")
    monkeypatch.setattr(chunks, "CHUNK", 100)


def played(mailing, dead):
    """Send chunk by chunk, and report each email; how many reports, until it paused or ended."""
    reported = 0
    for is_busy in mailings.work(mailing):
        handed_over = mailing.emails.filter(state=EmailState.HANDED_OVER, events=None).select_related("reset")
        for email in handed_over.order_by("pk"):
            report(email, **(NO_SUCH if email.recipient in dead else {}), esp_name="Test", timestamp=timezone.now())
            reported += 1
        mailing.refresh_from_db()
        if not is_busy or mailing.state != RUNNING:
            break
    return reported


@pytest.mark.parametrize(
    "members", [pytest.param(1000, marks=pytest.mark.slow), pytest.param(10_000, marks=pytest.mark.soak)]
)
def test_8_percent_dead_pause_within_200_verdicts_and_no_dead_address_is_mailed_twice(
    service, office, mailoutbox, monkeypatch, members
):
    # In an order by chance, fewer than 10 of the first 200 are dead once in thirty times.
    monkeypatch.setattr(mailings, "in_mixed_order", lambda choice, **_options: iter(choice.ids))
    grant(office, "bulk_send_passwordreset")
    people = [make_person(f"Member{number}") for number in range(members)]
    dead = {person.email for number, person in enumerate(people) if number % 100 < 8}
    choice = Choice(kind=Kind.IDS, ids=tuple(person.pk for person in people))
    first = mailings.draft(choice, by=office)
    mailings.start(first, wake=False)

    before_pause = played(first, dead)
    outbox.drain()
    outbox.drain()
    notices = [message for message in mailoutbox if message.to == [office.email]]
    assert mailings.go_on(first, wake=False)
    after_pause = played(first, dead)
    sent_before = len(mailoutbox)
    second = mailings.draft(choice, by=office, again=True)
    mailings.start(second, wake=False)
    played(second, dead)

    assert before_pause <= 200
    assert len(notices) == 1
    assert before_pause + after_pause == members
    assert first.hard_bounces == len(dead)
    mailed = {address for message in mailoutbox[sent_before:] for address in message.to}
    assert not mailed & dead
    assert len(mailed - {office.email}) == members - len(dead)
