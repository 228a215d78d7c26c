import pytest
from django.core import signing

from wagtail_member_reset import resets, tokens
from wagtail_member_reset.exceptions import LinkProblem
from wagtail_member_reset.member import grants

from .conftest import SET, choose, path_of, state_of, token_of


@pytest.mark.parametrize(("secure", "name"), [(True, "__Host-mr_grant_secret"), (False, "mr_grant_secret")])
def test_cookie_is_kept_to_this_site_and_half_an_hour(client, sent, secure, name):
    cookie = client.get(path_of(sent()), secure=secure).cookies[name]

    attributes = {key: cookie[key] for key in ("max-age", "path", "domain", "samesite", "httponly", "secure")}
    assert attributes == {
        "max-age": 1800,
        "path": "/",
        "domain": "",
        "samesite": "Lax",
        "httponly": True,
        "secure": True if secure else "",
    }


def test_cookies_are_secure_wherever_the_sessions_is(client, sent, settings):
    """Also behind a proxy that does not say that the visitor came by https."""
    settings.SESSION_COOKIE_SECURE = True
    reset = sent()
    opened = client.get(path_of(reset)).cookies

    redeemed = choose(client, reset)

    assert (redeemed.status_code, redeemed.url) == (302, "/account/password-reset/complete/")
    assert opened["__Host-mr_grant_secret"]["secure"]
    assert redeemed.cookies["__Host-mr_used_secret"]["secure"]
    assert {*opened, *redeemed.cookies} == {"__Host-mr_grant_secret", "__Host-mr_used_secret"}


def test_cookie_is_small_and_holds_no_token(client, sent):
    token = token_of(reset := sent())

    value = client.get(path_of(reset)).cookies["mr_grant_secret"].value

    assert len(value) < 200
    assert token[12:38] not in value


@pytest.mark.parametrize("secure", [True, False])
def test_browser_brings_back_what_was_found(client, rf, sent, secure):
    reset = sent()
    client.get(path_of(reset), secure=secure)
    request = rf.get("/", secure=secure)
    request.COOKIES = {name: cookie.value for name, cookie in client.cookies.items()}

    assert grants.held(request) == resets.open(token_of(reset))


def test_problem_is_brought_back_as_a_problem(client, rf):
    client.get("/account/r/abc")
    request = rf.get("/")
    request.COOKIES = {name: cookie.value for name, cookie in client.cookies.items()}

    assert grants.held(request) == LinkProblem.DAMAGED


FORGED = {
    "empty": lambda good: "",
    "no signature": lambda good: good.rsplit(":", 1)[0],
    "another signature": lambda good: good[:-4] + "AAAA",
    "another proof": lambda good: good.replace(".", ".0", 1),
    "another salt": lambda good: signing.TimestampSigner(salt="other").sign(good.split(":")[0]),
    "the token": lambda good: "x" * 40,
    "64 KB": lambda good: "a" * 65_536,
    "odd letters": lambda good: "\xff\xfeé:" + good + "\xff",
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_cookie_opens_nothing(client, member, sent, forge):
    reset = sent()
    good = client.get(path_of(reset)).cookies["mr_grant_secret"].value
    client.cookies["mr_grant_secret"] = forge(good)
    before = state_of(member)

    shown = client.get(SET)
    sent_anyway = client.post(SET, {"link": reset.selector, "new_password1": "a quiet harbour 7"})

    assert (shown.context["problem"], sent_anyway.context["problem"]) == ("no_grant", "no_grant")
    assert state_of(member) == before


def test_signed_grant_with_a_wrong_proof_opens_nothing(client, member, sent):
    reset = sent()
    client.cookies["mr_grant_secret"] = tokens.seal(reset.selector, "0" * 64)
    before = state_of(member)

    refused = client.post(SET, {"link": reset.selector, "new_password1": "a quiet harbour 7"})

    assert refused.context["problem"] == "unknown"
    assert state_of(member) == before


def test_dropped_cookie_is_dropped_under_its_own_name(client, sent):
    reset = sent()
    client.get(path_of(reset), secure=True)

    response = client.post(SET, {"link": reset.selector, "new_password1": "a quiet harbour 7"}, secure=True)

    cookie = response.cookies["__Host-mr_grant_secret"]
    assert (cookie.value, cookie["max-age"], cookie["secure"], cookie["path"]) == ("", 0, True, "/")
