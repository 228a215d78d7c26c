import pytest
from django.http import HttpResponse
from django.urls import resolve
from django.utils.cache import has_vary_header

from wagtail_member_reset.member.headers import guarded
from wagtail_member_reset.models import State

from .conftest import SET, choose, path_of, url

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
COMMON = {
    "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PAGE = {**COMMON, "Referrer-Policy": "same-origin", "Content-Security-Policy": POLICY}
LINK = {
    **COMMON,
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
PAGES = ["password_reset", "password_reset_done", "password_reset_set", "password_reset_complete"]


@pytest.fixture(params=["with the site's middleware", "without any"])
def bare(request, settings):
    if request.param == "without any":
        settings.MIDDLEWARE = []


def headers_of(response, like):
    return {name: response.get(name) for name in like}


@pytest.mark.parametrize("name", PAGES)
def test_pages_carry_their_headers_by_themselves(client, db, bare, name):
    assert headers_of(client.get(url(name)), PAGE) == PAGE


@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_link_carries_its_headers_by_itself(client, sent, bare, method):
    response = getattr(client, method)(path_of(sent()))

    assert headers_of(response, LINK) == LINK


def test_form_and_redirects_carry_the_headers_of_pages(client, sent):
    reset = sent()
    client.get(path_of(reset))

    responses = [
        client.post(url("password_reset"), {"email": "mia@members.example"}),
        client.get(SET),
        choose(client, reset, "password"),
        choose(client, reset),
        client.put(SET),
    ]

    assert [response.status_code for response in responses] == [302, 200, 200, 302, 405]
    assert [headers_of(response, PAGE) for response in responses] == [PAGE] * 5


@pytest.mark.parametrize("name", PAGES)
def test_answers_differ_by_cookie(client, db, name):
    assert has_vary_header(client.get(url(name)), "Cookie")


def test_site_may_replace_and_add_directives(client, db, settings):
    settings.WAGTAIL_MEMBER_RESET_CSP = {"style-src": "'self' https://cdn.example", "report-to": "ours"}

    policy = client.get(url("password_reset"))["Content-Security-Policy"]

    assert policy == POLICY.replace("style-src 'self'", "style-src 'self' https://cdn.example") + "; report-to ours"


def test_site_may_send_no_policy_of_ours(client, db, settings):
    settings.WAGTAIL_MEMBER_RESET_CSP = None

    assert "Content-Security-Policy" not in client.get(url("password_reset")).headers


def test_wrong_policy_setting_does_not_break_a_password_that_is_saved(client, member, sent, settings):
    settings.WAGTAIL_MEMBER_RESET_CSP = "none"
    reset = sent()
    client.get(path_of(reset))

    response = choose(client, reset)

    reset.refresh_from_db()
    assert (response.status_code, response["Content-Security-Policy"]) == (302, POLICY)
    assert reset.state == State.USED


def test_headers_that_a_view_has_set_are_left_alone(rf):
    own = {
        "Referrer-Policy": "origin",
        "Content-Security-Policy": "default-src 'self'",
        "X-Frame-Options": "SAMEORIGIN",
    }

    response = guarded(lambda request: HttpResponse(headers=own))(rf.get("/"))

    assert headers_of(response, own) == own


def test_shared_cache_keeps_nothing(sent, settings, client, imported_member):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "shared"}}
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    client.get(path_of(sent()))
    mine = client.get(SET)
    client.cookies.clear()

    nobodys = client.get(SET)

    assert mine.context["reset"].member.email == "mia@members.example"
    assert "mia@members.example" not in nobodys.content.decode()


@pytest.mark.parametrize("path", ["/account/password-reset/", SET, "/account/r/abc"])
def test_view_that_writes_brings_its_own_transactions(path):
    assert "default" in resolve(path).func._non_atomic_requests


@pytest.mark.parametrize("name", [*PAGES, "link"])
def test_page_loads_nothing_from_elsewhere_and_has_no_inline_code(client, sent, name):
    reset = sent()
    client.get(path_of(reset))

    page = client.get(path_of(reset) if name == "link" else url(name), follow=True).content.decode()

    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert "<script>" not in page
    assert "//" not in page.replace("<!doctype html>", "")
