"""The strict profile of docs/how-to/strict-profile.md: 24 hours, and no link for staff."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from tests.staff.pages import FETCH, LINK, edit_url, panel_words, url, words
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.exceptions import LinkProblem, Unredeemable
from wagtail_member_reset.models import PasswordReset

START = "2027-03-01T12:00:00+00:00"


@pytest.fixture(autouse=True)
def strict(settings):
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=24)
    settings.WAGTAIL_MEMBER_RESET_STATUS_WINDOW = timedelta(hours=16)
    settings.WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "never"


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.mark.slow
def test_nobody_is_shown_a_link_not_even_a_superuser(admin, office, member, sent):
    reset = sent()
    for person in (admin, office):
        client = Client()
        client.force_login(person)
        pages = [client.get(edit_url(member)), client.get(url("panel", member), **FETCH)]
        pages.append(client.post(url("reveal", member), **FETCH))

        assert not any(LINK.search(page.content.decode()) for page in pages)
        assert pages[-1].status_code == 403
        assert "Reset password email sent." in panel_words(client, member)
    reset.refresh_from_db()
    assert reset.shown_at is None


def test_after_the_window_eight_hours_remain(member, sent, clock, mailoutbox):
    reset = sent()
    token = LINK.search(mailoutbox[0].body)[0].rstrip("/")[-40:]
    clock.shift(timedelta(hours=16))
    remaining = reset.expires_at - timezone.now()

    assert remaining == timedelta(hours=8)
    assert resets.look(resets.open(token)) == reset
    clock.shift(remaining)
    with pytest.raises(Unredeemable) as refused:
        resets.look(resets.open(token))
    assert refused.value.problem == LinkProblem.EXPIRED


def test_every_word_about_the_lifetime_says_one_day(member, office, sent, clock, mailoutbox, client):
    sent()
    client.force_login(office)

    question = words(client.get(url("send", member), **FETCH).content.decode())
    done = words(client.get("/account/password-reset/sent/").content.decode())

    assert "2 March 2027" in mailoutbox[0].body or "March 2, 2027" in mailoutbox[0].body
    assert "1 day" in done
    assert not re.search(r"7 days|1 week", question + done + mailoutbox[0].body)


def test_sending_again_in_the_last_eight_hours_makes_a_new_link(member, office, sent, clock, mailoutbox):
    first = sent()
    clock.shift(timedelta(hours=16))

    second = resets.send(member, by=office)
    outbox.drain()

    first.refresh_from_db()
    assert (second.pk != first.pk, first.is_live) == (True, False)
    assert PasswordReset.objects.live().get() == second
    assert len({LINK.search(mail.body)[0] for mail in mailoutbox}) == 2
