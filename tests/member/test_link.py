"""The address with the token in it: always the same empty answer."""

import logging
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import OperationalError, connection
from django.test import Client

from wagtail_member_reset import resets, tokens
from wagtail_member_reset.exceptions import LinkProblem

from .conftest import SET, path_of, token_of

COOKIE = "mr_grant_secret"


def well_spelled(selector="0" * 12, secret="1" * 26):
    return selector + secret + tokens._check(selector, secret)


def held(client):
    return tokens.unseal(client.cookies[COOKIE].value) if COOKIE in client.cookies else None


def answer_of(response):
    return response.status_code, response.headers, response.content


JUNK = {
    "short": "abc",
    "64 KB": "a" * 65_536,
    "slashes": "///",
    "query-like": "%3Ftoken=1",
    "line break": "abc%0Adef",
    "nul": "abc%00def",
    "not UTF-8": "%ff%fe",
    "markup": quote("<script>alert(1)</script>"),
    "path": "../../admin/",
}


@pytest.mark.usefixtures("clock_stands_still")
def test_good_bad_and_damaged_links_get_the_same_answer(client, sent):
    good = answer_of(client.get(path_of(sent())))

    others = [answer_of(client.get(f"/account/r/{junk}")) for junk in [*JUNK.values(), well_spelled()]]

    assert good[0] == 302
    assert good[1]["Location"] == SET
    assert good[2] == b""
    assert others == [good] * len(others)


@pytest.mark.parametrize(
    "glued",
    ["&utm_source=x", "&gt;", "[1]", ")", ".", "%3E", "%22", "%253E", "%E3%80%82", "Note", "</a>", "/", "__;!!a$"],
)
def test_link_opens_whatever_was_glued_to_it(client, sent, glued):
    reset = sent()

    client.get(path_of(reset) + glued)

    assert client.get(SET).context["reset"] == reset


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_costs_no_query(client, db, junk, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get(f"/account/r/{junk}")

    assert held(client) == LinkProblem.DAMAGED


def test_link_costs_few_queries(client, sent, django_assert_max_num_queries):
    reset = sent()

    with django_assert_max_num_queries(4):
        client.get(path_of(reset))

    assert held(client) == (reset.selector, tokens.parse(token_of(reset)).proof)


MANGLED = {
    "upper case": lambda token: token.upper(),
    "final slash": lambda token: token + "/",
    "full stop": lambda token: token + ".",
    "bracket": lambda token: token + ")>",
    "wrapped": lambda token: token[:17] + "%0D%0A" + token[17:],
    "quoted-printable": lambda token: token[:17] + "=%0D%0A" + token[17:],
    "space": lambda token: token[:17] + "%20" + token[17:] + "%20",
    "soft hyphen": lambda token: token[:17] + quote("\u00ad\u200b") + token[17:],
    "look-alikes": lambda token: token.replace("0", "o").replace("1", "I"),
    "token twice": lambda token: token + token,
    "link twice": lambda token: f"{token}https://club.example/account/r/{token}",
    "link in link": lambda token: quote(f"https://club.example/account/r/{token}"),
}


@pytest.mark.parametrize("mangle", MANGLED.values(), ids=MANGLED)
def test_link_opens_however_mail_programs_spell_it(client, sent, mangle):
    reset = sent()

    client.get("/account/r/" + mangle(token_of(reset)))

    assert held(client)[0] == reset.selector


def test_only_who_has_the_secret_learns_more(client, sent):
    reset = sent()
    resets.revoke(reset, by=None)

    client.get("/account/r/" + well_spelled(reset.selector))
    wrong_secret = client.get(SET)
    client.get("/account/r/" + well_spelled())
    no_such_link = client.get(SET)

    assert wrong_secret.context["problem"] == no_such_link.context["problem"] == "unknown"


def test_opening_is_noted_once(client, sent, later):
    reset = sent()
    path = path_of(reset)

    client.get(path)
    reset.refresh_from_db()
    first = reset.opened_at
    later(timedelta(minutes=1))
    client.get(path)

    reset.refresh_from_db()
    assert first is not None
    assert reset.opened_at == first


def test_head_sets_no_cookie_and_notes_nothing(client, sent):
    reset = sent()

    response = client.head(path_of(reset))

    reset.refresh_from_db()
    assert (response.status_code, response.url, dict(response.cookies)) == (302, SET, {})
    assert reset.opened_at is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "ODD"])
def test_no_method_makes_an_error_whose_address_is_logged(sent, method, caplog):
    reset, strict = sent(), Client(enforce_csrf_checks=True)
    caplog.set_level(logging.DEBUG)

    response = strict.generic(method, path_of(reset), "new_password1=x")

    reset.refresh_from_db()
    assert (response.status_code, response.url, dict(response.cookies)) == (302, SET, {})
    assert reset.opened_at is None
    assert token_of(reset) not in caplog.text


def test_failing_database_is_no_error_page(client, sent, caplog):
    path, token = path_of(reset := sent()), token_of(reset)

    def fail(execute, sql, params, many, context):
        raise OperationalError(f"no connection, while asked for {token}")

    caplog.set_level(logging.DEBUG)

    with connection.execute_wrapper(fail):
        response = client.get(path)

    assert (response.status_code, response.url) == (302, SET)
    assert "Please try again in a few minutes" in client.get(SET).content.decode()
    assert "OperationalError" in caplog.text
    assert token not in caplog.text


def test_link_of_another_member_takes_the_place_of_the_first(client, sent, imported_member):
    mine, theirs = sent(), sent(imported_member)

    client.get(path_of(mine))
    client.get(path_of(theirs))

    assert held(client)[0] == theirs.selector
