"""The last page, and the way to sign in that it shows."""

import html
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test import Client

from wagtail_member_reset import tokens

from .conftest import SET, choose, path_of, url

HAS_USERNAME = get_user_model().USERNAME_FIELD != "email"


def complete(client):
    return html.unescape(client.get(url("password_reset_complete")).content.decode())


def names(page, member):
    return f"Your username: <strong>{member.get_username()}</strong>" in page


def test_last_page_names_the_name_to_sign_in_with_in_that_browser_alone(client, member, reset):
    choose(client, reset)

    assert not names(complete(Client()), member)
    assert names(complete(client), member) is HAS_USERNAME


def test_last_page_names_nobody_whose_address_does(client, member, reset, settings):
    settings.ACCOUNT_LOGIN_METHODS = {"email"}
    form = html.unescape(client.get(SET).content.decode())
    choose(client, reset)

    page = complete(client)

    assert 'name="username" value="mia@members.example"' in form  # what a password manager keeps
    assert "ser name:" not in form + page


def test_name_is_told_once(client, member, reset):
    choose(client, reset)

    told = [names(complete(client), member) for _ in range(2)]

    assert told == [HAS_USERNAME, False]
    assert "may be set already" in client.get(SET).content.decode()


def test_name_is_forgotten_after_ten_minutes(client, member, reset, later):
    choose(client, reset)
    later(timedelta(minutes=10, seconds=1))

    assert not names(complete(client), member)


def test_browser_keeps_no_more_than_which_link_it_used(client, reset):
    used = choose(client, reset).cookies["mr_used_secret"]

    attributes = {key: used[key] for key in ("max-age", "path", "samesite", "httponly")}
    assert attributes == {"max-age": 600, "path": "/", "samesite": "Lax", "httponly": True}
    assert used.value.split(":")[0] == reset.selector
    assert tokens.unseal(used.value) is None


@pytest.mark.parametrize("value", ["", "x", "x" * 65_536, "selector", "grant"])
def test_name_is_told_to_nobody_who_did_not_use_the_link(client, member, sent, value):
    reset = sent()
    grant = client.get(path_of(reset)).cookies["mr_grant_secret"].value
    client.cookies["mr_used_secret"] = {"selector": reset.selector, "grant": grant}.get(value, value)

    assert not names(complete(client), member)


def test_signed_selector_of_a_link_that_was_not_used_names_nobody(client, member, sent):
    client.cookies["mr_used_secret"] = tokens.seal_used(sent().selector)

    assert not names(complete(client), member)


def test_last_page_is_shown_without_a_database_too(client, member, reset):
    choose(client, reset)

    def away(*args):
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        page = complete(client)

    assert "<h1>Your password is saved</h1>" in page
    assert not names(page, member)


@pytest.mark.parametrize("way", ["back", "second submit"])
def test_back_after_saving_says_so_and_leads_to_signing_in(client, member, reset, settings, way):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/members/enter/"
    choose(client, reset)
    member.refresh_from_db()
    before = member.password

    response = client.get(SET) if way == "back" else choose(client, reset, "another harbour 8")

    page = html.unescape(response.content.decode())
    member.refresh_from_db()
    assert "<h1>Your password may be set already</h1>" in page
    assert '<a class="mr-button" href="/members/enter/">Sign in</a>' in page
    assert "Nothing was changed now" in page
    assert not names(page, member)  # who comes back may be somebody else
    assert member.password == before


def test_page_without_a_grant_says_that_a_password_may_be_set_already(client, db, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/members/enter/"

    page = client.get(SET).content.decode()

    assert "it may be set already: try to sign in" in page
    assert 'href="/members/enter/">Sign in</a>' in page


def test_next_link_is_opened_as_ever_after_one_was_used(client, reset, sent):
    choose(client, reset)
    client.get(path_of(following := sent()))

    assert client.get(SET).context["reset"] == following


def test_complete_page_promises_no_sign_in_and_says_who_helps(client, reset):
    """The site may have locked the account after wrong attempts, as django-axes does."""
    choose(client, reset)

    page = html.unescape(complete(client))

    assert "You can sign in" not in page
    assert "signing in may be blocked for a while, even with the right password" in page
    assert '<a href="mailto:office@club.example">' in page


def test_complete_page_leads_to_the_way_in(client, db, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/members/enter/"

    page = client.get(url("password_reset_complete")).content.decode()

    # Nobody has saved one in this browser.
    assert "<h1>Sign in with your password</h1>" in page
    assert '<a class="mr-button" href="/members/enter/">Sign in</a>' in page


@pytest.mark.parametrize(
    ("chosen", "leads_to"),
    [
        ({}, "/_util/login/?next=/"),
        ({"LOGIN_URL": "/enter/"}, "/enter/"),
        ({"LOGIN_URL": "wagtailadmin_login"}, "/admin/login/"),
        ({"LOGIN_URL": "no-such-view"}, "/_util/login/?next=/"),
        ({"LOGIN_URL": "/enter/", "WAGTAIL_FRONTEND_LOGIN_URL": "no-such-view"}, "/enter/"),
        ({"ROOT_URLCONF": "tests.member.login_urls"}, "/accounts/login/"),
        ({"ROOT_URLCONF": "tests.member.bare_urls"}, ""),
    ],
)
def test_way_in_is_never_a_dead_end(client, db, settings, chosen, leads_to):
    for name, value in chosen.items():
        setattr(settings, name, value)

    page = client.get("/account/password-reset/complete/")

    assert page.status_code == 200
    assert page.context["login_url"] == leads_to
