"""The form that was opened in time and sent when the link is no longer the one to use."""

from datetime import timedelta

from django.test import Client

from wagtail_member_reset import resets

from .conftest import SET, choose, path_of, state_of, token_of


def test_of_two_links_in_two_tabs_only_the_last_opened_can_be_sent(client, member, imported_member, sent):
    first, second = sent(), sent(imported_member)
    client.get(path_of(first))
    client.get(path_of(second))
    before = state_of(member), state_of(imported_member)

    refused = choose(client, first)

    assert refused.context["problem"] == "other_link"
    assert (state_of(member), state_of(imported_member)) == before


def test_damaged_link_in_another_tab_does_not_blame_the_form(client, member, reset):
    client.get("/account/r/damaged")
    before = state_of(member)

    refused = choose(client, reset)

    assert refused.context["problem"] == "other_link"
    assert state_of(member) == before


def test_form_opened_in_time_and_sent_too_late(client, member, sent, later):
    reset = sent()
    path = path_of(reset)
    later(timedelta(days=7, minutes=-10))
    client.get(path)
    shown = client.get(SET)
    later(timedelta(minutes=11))
    before = state_of(member)

    refused = choose(client, reset)

    assert "reset" in shown.context
    assert refused.context["problem"] == "expired"
    assert state_of(member) == before


def test_grant_ends_after_half_an_hour_and_the_link_starts_another(client, member, reset, later):
    path = path_of(reset)
    later(timedelta(minutes=31))
    before = state_of(member)

    refused = choose(client, reset)

    assert refused.context["problem"] == "no_grant"
    assert state_of(member) == before
    assert client.get(path, follow=True).context["reset"] == reset


def test_new_link_ends_a_form_that_is_open(client, member, office, reset):
    resets.rotate(member, by=office)
    before = state_of(member)

    refused = choose(client, reset)

    assert refused.context["problem"] == "superseded"
    assert state_of(member) == before


def test_second_use_is_refused(client, member, reset):
    second = Client()
    second.get(path_of(reset))
    choose(client, reset)
    before = state_of(member)

    refused = choose(second, reset, "another harbour 8")

    assert refused.context["problem"] == "used"
    assert state_of(member) == before


class Rival:
    """A password validator that is overtaken: while it thinks, somebody else uses the link."""

    reset = None

    def validate(self, password, user=None):
        token, Rival.reset = token_of(Rival.reset), None
        resets.redeem(resets.open(token), password="the rival was faster")

    def get_help_text(self):
        return ""


def test_loser_of_a_race_is_told_so(client, member, reset, settings):
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": "tests.member.test_late.Rival"}]
    Rival.reset = reset

    refused = choose(client, reset)

    member.refresh_from_db()
    assert refused.context["problem"] == "used"
    assert member.check_password("the rival was faster")
