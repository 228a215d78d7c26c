"""Why a mailing paused by itself is said as long as it is so, and to everybody as far as they may know."""

import re

import pytest
from model_bakery import baker

from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import pause_unwanted_mailing, why_paused
from wagtail_member_reset.models import Mailing, MailingState, PauseReason
from wagtail_member_reset.staff import mailing_words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]


def running(**details):
    made = baker.make(Mailing, state=MailingState.RUNNING, chosen=1000, created_by=None, site=None, **details)
    baker.make("wagtail_member_reset.MailingChunk", mailing=made, members=[1])
    return made


def test_pause_by_hand_gives_no_reason_whatever_it_paused_for_before():
    mailing = running()
    pause_unwanted_mailing(mailing.pk, {"sender"})
    mailing.refresh_from_db()
    before = mailings.progress(mailing).why_paused

    mailings.go_on(mailing, wake=False)
    mailings.pause(mailing)

    assert "refused this site’s emails as unwanted" in before
    assert mailings.progress(mailing).why_paused == ""
    assert pause_unwanted_mailing(mailing.pk, {"sender"}) is False


def test_going_on_after_a_pause_for_something_else_raises_no_limit():
    mailing = running(handed_over=10, bounced=2, hard_bounces=2, complaints=1)
    pause_unwanted_mailing(mailing.pk, {"sender"})

    mailings.go_on(mailing, wake=False)

    assert (mailing.bounce_limit, mailing.complaint_limit) == (0.05, 0.001)


@pytest.mark.parametrize("reason", PauseReason.values)
def test_each_reason_is_said_without_figures_too(reason):
    mailing = running(paused_because=reason, handed_over=777, hard_bounces=77, complaints=7)

    assert why_paused(mailing).startswith("Sending was paused automatically")
    assert mailing_words.why_paused(mailing).startswith("Sending was paused automatically")
    assert not re.search(r"\d", mailing_words.why_paused(mailing))
