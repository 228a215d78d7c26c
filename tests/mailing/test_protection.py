"""Mailings that pause by themselves where too many addresses do not exist, or too many mark the email as spam."""

import pytest
from model_bakery import baker

from wagtail_member_reset import mailing as rows
from wagtail_member_reset import mailings
from wagtail_member_reset.models import Mailing, MailingState, PauseReason

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

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
