"""The page that a member wanted when they were asked to sign in, and to which they come back."""

import html
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core import signing
from django.db import OperationalError
from django.test import Client

from wagtail_member_reset import outbox, resets
from wagtail_member_reset.member import next_page
from wagtail_member_reset.models import Origin, PasswordReset, Purpose, ResetRequest

from .conftest import choose, path_of, url

WANTED = "/members/minutes/?page=2"
COOKIE = "mr_next"
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
    "/%25252Fevil.example",
    "/%2525252525255Cevil.example",
    "/%" + "25" * 60 + "2Fx",
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


def follow(client, reset):
    """Open the link and set a password; where to sign in then."""
    client.get(path_of(reset))
    choose(client, reset)
    return sign_in_url(client)


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
    assert COOKIE not in answer.cookies
    assert ResetRequest.objects.count() == 1


@pytest.mark.parametrize("wanted", ["/", "/a?q=//x", "/mitglieder/%C3%BCber-uns/", "/a/?q=50%25", "/käse/"])
def test_good_page_is_kept_as_it_is(db, wanted):
    assert next_page.allowed(wanted) == wanted


def test_part_behind_the_hash_is_left_out(db):
    assert next_page.allowed("/a/?b#c") == "/a/?b"


def in_cookie(client, wanted, member):
    client.cookies[COOKIE] = signing.dumps(wanted, salt=next_page._salt(member.email), compress=True)


def test_bad_page_in_a_cookie_leads_nowhere(client, reset, member):
    in_cookie(client, "//evil.example", member)
    choose(client, reset)

    assert wanted_by(sign_in_url(client)) == ["/"]


@pytest.mark.parametrize("value", ["", "x", "IlwvIg:1:x", "x" * 5000])
def test_cookie_that_is_not_ours_leads_nowhere(client, reset, value):
    client.cookies[COOKIE] = value
    choose(client, reset)

    assert wanted_by(sign_in_url(client)) == ["/"]


def test_sign_in_page_elsewhere_is_told_nothing(client, reset, member, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "https://login.example/"
    in_cookie(client, WANTED, member)
    choose(client, reset)

    assert sign_in_url(client) == "https://login.example/"


def test_sign_in_page_is_no_place_to_come_back_to(client, reset, member, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/sign-in/"
    in_cookie(client, "/sign-in/?next=/", member)
    choose(client, reset)

    assert sign_in_url(client) == "/sign-in/"


def test_page_of_one_member_is_told_once(client, reset, member):
    in_cookie(client, WANTED, member)
    choose(client, reset)

    assert wanted_by(sign_in_url(client)) == [WANTED]
    assert wanted_by(sign_in_url(client)) == ["/"]
    assert client.cookies[COOKIE].value == ""


def test_page_is_forgotten_after_a_day(client, reset, member, later):
    in_cookie(client, WANTED, member)
    later(timedelta(days=1, seconds=1))
    choose(client, reset)

    assert wanted_by(sign_in_url(client)) == ["/"]


@pytest.mark.parametrize(
    "link",
    [
        {"by": "office"},
        {"by": "office", "purpose": Purpose.WELCOME},
        {"origin": Origin.IMPORT},
        {"origin": Origin.MAILING},
        {"origin": Origin.MEMBER},
    ],
    ids=str,
)
def test_stranger_chooses_no_page_for_anybody(client, member, office, sent, later, by_hand, mailoutbox, link):
    reset = sent(**{**link, "by": office if link.get("by") else None})
    later(timedelta(minutes=3))  # what anybody asks for a moment after an email is not sent
    stranger = Client()

    ask(stranger, member.email, "/go/?to=elsewhere")
    outbox.drain()

    assert (PasswordReset.objects.get(), len(mailoutbox)) == (reset, 2)  # the same link was sent again
    assert wanted_by(follow(client, reset)) == ["/"]


@pytest.mark.parametrize("first", ["member", "stranger"])
def test_page_that_the_member_wanted_is_not_the_one_that_a_stranger_did(
    client, member, later, by_hand, mailoutbox, first
):
    asked = {"member": (client, WANTED), "stranger": (Client(), "/go/?to=elsewhere")}
    for who in sorted(asked, key=lambda each: each != first):
        ask(asked[who][0], member.email, asked[who][1])
        outbox.drain()
        later(timedelta(minutes=3))

    assert len(mailoutbox) == 2
    assert wanted_by(follow(client, PasswordReset.objects.get())) == [WANTED]


def test_page_of_who_asked_for_another_address_is_nothing_to_this_link(client, member, sent):
    ask(client, "nobody@members.example")

    assert wanted_by(follow(client, sent())) == ["/"]


def test_page_of_another_spelling_of_the_address_is_kept(client, member, by_hand):
    ask(client, f" {member.email.upper()} ")
    outbox.drain()

    assert wanted_by(follow(client, PasswordReset.objects.get(member=member))) == [WANTED]


def test_page_wanted_last_counts_also_where_it_is_none(client, member, by_hand):
    ask(client, member.email)
    ask(client, member.email, "")
    outbox.drain()

    assert wanted_by(follow(client, PasswordReset.objects.get(member=member))) == ["/"]


def test_longest_page_fits_into_a_cookie(client, member, by_hand):
    longest = "/" + "\u732b" * 199
    ask(client, member.email, longest)
    outbox.drain()

    assert len(client.cookies[COOKIE].value) < next_page.LONGEST_COOKIE
    assert wanted_by(follow(client, PasswordReset.objects.get(member=member))) == [longest]


def test_cookie_is_for_this_host_and_no_script(client, member):
    ask(client, member.email)
    plain = client.cookies[COOKIE]
    secure = client.post(url("password_reset"), {"email": member.email, "next": WANTED}, secure=True).cookies[
        "__Host-mr_next"
    ]

    assert (plain["httponly"], plain["samesite"], plain["secure"]) == (True, "Lax", "")
    assert (secure["httponly"], secure["samesite"], secure["secure"], secure["path"]) == (True, "Lax", True, "/")
    assert member.email not in plain.value and "minutes" not in plain.value


def test_members_and_strangers_get_the_same_with_a_page(client, member, statements, by_hand):
    seen = {}
    for address in (member.email, "nobody@members.example"):
        with statements as said:
            answer = ask(client, address)
        cookie = answer.cookies[COOKIE]
        seen[address] = (
            answer.status_code,
            answer.url,
            answer.content,
            said,
            len(cookie.value),
            {**cookie, "expires": ""},
        )

    assert seen[member.email] == seen["nobody@members.example"]


def test_page_survives_a_request_that_could_not_be_written(client, member, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(resets, "request", fail)

    answer = ask(client, member.email)

    assert answer.status_code == 503
    assert WANTED in html.unescape(answer.content.decode())
