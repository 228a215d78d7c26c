"""The page that a member wanted when they were asked to sign in, and to which they come back."""

import html
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import OperationalError
from wagtail.models import Site

from wagtail_member_reset import outbox, resets
from wagtail_member_reset.member import next_page
from wagtail_member_reset.models import PasswordReset, ResetRequest

from .conftest import choose, path_of, url

WANTED = "/members/minutes/?page=2"
TOKEN = "0123456789abcdefghjkmnpqrstvwxyz01234567"
BAD = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/ok\\..\\evil",
    "https://evil.example/",
    "http://testserver/members/",  # even of this host: a path needs none
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/%09/evil.example",
    "/%2F/evil.example",
    "%2F%2Fevil.example",
    "/%2Fevil.example",
    "/%5Cevil.example",
    "/%255Cevil.example",
    "/%252Fevil.example",
    "/%00",
    "/\x00",
    "/\ud800",
    "/\u202egnp",
    "members/",
    "?page=2",
    "",
    "/" + "x" * 2048,
    "/" + "x" * 200,
    "/account/password-reset/",
    "/account/password-reset/set/?x=1",
    "/account/r/" + TOKEN,
    "/account%2Fr%2F" + TOKEN,
    "/login/?next=/account/r/" + TOKEN,
]


def ask(client, address, wanted=WANTED):
    return client.post(url("password_reset"), {"email": address, "next": wanted})


def sign_in_url(client):
    page = html.unescape(client.get(url("password_reset_complete")).content.decode())
    return page.split('class="mr-button" href="')[1].split('"')[0]


def wanted_by(address):
    return parse_qs(urlsplit(address).query).get("next")


def test_member_who_asked_from_a_page_signs_in_on_the_way_back_to_it(client, member, by_hand, mailoutbox, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/sign-in/?tab=members"
    form = html.unescape(client.get(url("password_reset"), {"next": WANTED}).content.decode())
    answer = ask(client, member.email)
    done = html.unescape(client.get(answer.url).content.decode())
    outbox.drain()
    reset = PasswordReset.objects.get(member=member)
    client.get(path_of(reset))
    choose(client, reset)

    assert f'<input type="hidden" name="next" value="{WANTED}">' in form
    assert f"{url('password_reset')}?{urlencode({'next': WANTED})}" in done
    assert ResetRequest.objects.get().next_path == ""  # resolved
    assert "minutes" not in mailoutbox[0].body + str(mailoutbox[0].alternatives)
    assert "minutes" not in path_of(reset)
    address = sign_in_url(client)
    assert address.startswith("/sign-in/?")
    assert parse_qs(urlsplit(address).query) == {"tab": ["members"], "next": [WANTED]}


def test_wagtails_own_sign_in_page_gets_it_in_place_of_the_first_page(client, member, by_hand):
    ask(client, member.email)
    outbox.drain()
    reset = PasswordReset.objects.get(member=member)
    client.get(path_of(reset))
    choose(client, reset)

    assert wanted_by(sign_in_url(client)) == [WANTED]


@pytest.mark.parametrize("wanted", BAD)
def test_bad_page_is_ignored_without_a_word(client, member, by_hand, wanted):
    plain = client.get(url("password_reset")).content
    sendable = wanted.replace("\ud800", "\ufffe")
    shown = client.get(url("password_reset"), {"next": sendable}).content
    answer = ask(client, member.email, sendable)

    assert next_page.allowed(wanted) == ""
    assert b'name="next"' not in shown
    assert len(shown) == len(plain)
    assert (answer.status_code, answer.url) == (302, url("password_reset_done"))
    assert ResetRequest.objects.get().next_path == ""
    outbox.drain()
    assert PasswordReset.objects.get(member=member).next_path == ""


@pytest.mark.parametrize("wanted", ["/", "/a?q=//x", "/mitglieder/%C3%BCber-uns/", "/a/?q=50%25", "/käse/"])
def test_good_page_is_kept_as_it_is(db, wanted):
    assert next_page.allowed(wanted) == wanted


def test_part_behind_the_hash_is_left_out(db):
    assert next_page.allowed("/a/?b#c") == "/a/?b"


def test_bad_page_on_a_row_leads_nowhere(client, reset):
    PasswordReset.objects.update(next_path="//evil.example")
    choose(client, reset)

    assert wanted_by(sign_in_url(client)) == ["/"]


def test_sign_in_page_elsewhere_is_told_nothing(client, reset, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "https://login.example/"
    PasswordReset.objects.update(next_path=WANTED)
    choose(client, reset)

    assert sign_in_url(client) == "https://login.example/"


def test_sign_in_page_is_no_place_to_come_back_to(client, reset, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/sign-in/"
    PasswordReset.objects.update(next_path="/sign-in/?next=/")
    choose(client, reset)

    assert sign_in_url(client) == "/sign-in/"


def test_page_of_one_member_is_not_told_to_another_browser(client, reset, django_user_model):
    PasswordReset.objects.update(next_path=WANTED)
    choose(client, reset)
    sign_in_url(client)

    assert wanted_by(sign_in_url(client)) == ["/"]  # told once


def test_link_that_is_sent_again_leads_to_the_page_wanted_last(client, member, sent, later, by_hand):
    reset = sent()
    later(timedelta(minutes=3))  # what a stranger asks for a moment after an email is not sent

    ask(client, member.email)
    outbox.drain()

    reset.refresh_from_db()
    assert (PasswordReset.objects.count(), reset.next_path) == (1, WANTED)


def test_link_of_another_site_is_told_no_page_of_this_one(member, sent, later, by_hand):
    reset, there = sent(), Site.objects.create(hostname="other.example", root_page=Site.objects.get().root_page)
    later(timedelta(minutes=3))

    resets.request(member.email, network="203.0.113.7", site=there, language="en", next_path=WANTED)
    outbox.drain()

    reset.refresh_from_db()
    assert (PasswordReset.objects.count(), reset.next_path) == (1, "")


def test_members_and_strangers_get_the_same_with_a_page(client, member, statements, by_hand):
    seen = {}
    for address in (member.email, "nobody@members.example"):
        with statements as said:
            answer = ask(client, address)
        seen[address] = (answer.status_code, answer.url, answer.content, said)

    assert seen[member.email] == seen["nobody@members.example"]


def test_page_survives_a_request_that_could_not_be_written(client, member, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(resets, "request", fail)

    answer = ask(client, member.email)

    assert answer.status_code == 503
    assert WANTED in html.unescape(answer.content.decode())
