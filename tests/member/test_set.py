"""The page on which a member chooses the password."""

import html
import logging
import re

import pytest
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from tests.conftest import make_person
from wagtail_member_reset import outbox
from wagtail_member_reset.models import State

from .conftest import PASSWORD, SET, choose, path_of, state_of, token_of, url


def text_of(response):
    return html.unescape(response.content.decode())


def test_chosen_password_is_saved_and_the_link_is_used(client, member, reset, mailoutbox):
    response = choose(client, reset)
    outbox.drain()

    member.refresh_from_db()
    reset.refresh_from_db()
    assert (response.status_code, response.url) == (302, url("password_reset_complete"))
    assert member.check_password(PASSWORD)
    assert reset.state == State.USED
    assert mailoutbox[-1].subject == "Your password at Example Club was changed"


def test_password_of_an_imported_member_is_saved(client, imported_member, sent):
    reset = sent(imported_member)
    client.get(path_of(reset))

    choose(client, reset)

    imported_member.refresh_from_db()
    assert imported_member.check_password(PASSWORD)


def test_password_is_saved_as_typed(client, member, reset):
    choose(client, reset, "  spaces around, and an ümlaut  ")

    member.refresh_from_db()
    assert member.check_password("  spaces around, and an ümlaut  ")


def test_grant_is_dropped_with_the_password(client, reset):
    response = choose(client, reset)

    cookie = response.cookies["mr_grant_secret"]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", 0, "/")
    assert client.get(SET).context["problem"] == "no_grant"


def test_nobody_is_logged_in(client, reset):
    choose(client, reset)

    assert SESSION_KEY not in client.session


def test_every_other_device_is_signed_out(client, admin, sent):
    other = Client()
    other.force_login(admin)
    before = other.get(reverse("wagtailadmin_home")).status_code
    reset = sent(admin)
    client.get(path_of(reset))

    choose(client, reset)

    assert (before, other.get(reverse("wagtailadmin_home")).status_code) == (200, 302)


def test_page_is_made_for_people_and_password_managers(client, member, reset):
    page = text_of(client.get(SET))

    assert "<h1>Choose a new password</h1>" in page
    assert "For the account <strong>mia@members.example</strong>" in page
    assert len(re.findall('type="password"', page)) == 1
    assert 'autocomplete="new-password"' in page
    assert 'maxlength="4096"' in page
    assert re.search(f'name="username" value="{re.escape(member.get_username())}" autocomplete="username"', page)


def test_user_name_is_told_where_it_is_not_the_address(client, member, reset):
    page = text_of(client.get(SET))

    told = f"Username: <strong>{member.get_username()}</strong>"
    assert (told in page) is (get_user_model().USERNAME_FIELD != "email")


def test_welcome_speaks_of_the_first_password(client, member, sent):
    client.get(path_of(sent(purpose="welcome")))

    assert "<h1>Choose your password</h1>" in text_of(client.get(SET))


def test_rules_are_the_ones_of_the_site(client, reset, settings):
    settings.AUTH_PASSWORD_VALIDATORS = [
        {
            "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
            "OPTIONS": {"min_length": 13},
        },
        {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    ]

    page = text_of(client.get(SET))

    rules = re.findall("<li([^>]*)>([^<]*)</li>", page)
    assert rules == [
        (
            ' data-mr-check="length" data-mr-value="13"',
            "Your password must contain at least 13 characters.",
        ),
        (' data-mr-check="numeric" data-mr-value="0"', "Your password can’t be entirely numeric."),
        ("", "Your password can’t be a commonly used password."),
    ]


REFUSED = {
    "empty": ("", "Please enter a new password."),
    "common": ("password", "This password is too common."),
    "short": ("7 birds", "at least 8 characters"),
    "numeric": ("8305719264", "entirely numeric"),
    "like the address": ("mia@members.example", "too similar"),
    "nul": ("a quiet\x00harbour", "Null characters are not allowed."),
    "1 MB": ("a" * 1_000_000, "at most 4096 characters"),
}


@pytest.mark.parametrize(("password", "why"), REFUSED.values(), ids=REFUSED)
def test_password_that_breaks_a_rule_changes_nothing(client, member, reset, password, why):
    before = state_of(member)

    response = choose(client, reset, password)

    page = text_of(response)
    assert response.status_code == 200
    assert "<title>Error: Choose a new password" in page
    assert 'role="alert"' in page
    assert re.search(f'<a [^>]*href="#id_new_password1">[^<]*{re.escape(why)}', page)
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="password-error password-rules"' in page
    assert password not in page or password in ("", "password", "mia@members.example")
    assert state_of(member) == before


def test_second_try_after_an_error_is_accepted(client, member, reset):
    choose(client, reset, "password")

    choose(client, reset)

    member.refresh_from_db()
    assert member.check_password(PASSWORD)


def test_scanners_use_nothing_up(client, member, reset):
    before = state_of(member)

    for _ in range(3):
        client.get(path_of(reset))
        client.get(SET)
        client.head(SET)
        client.post(SET)
        client.post(SET, {"link": reset.selector})
        client.options(SET)

    assert state_of(member) == before
    assert client.get(SET).context["reset"] == reset


def test_extra_fields_are_nobody_elses_business(client, member, reset, imported_member):
    before = state_of(imported_member)

    response = choose(
        client, reset, username=imported_member.get_username(), next="https://evil.example/", email="x@y.z"
    )

    member.refresh_from_db()
    assert response.url == url("password_reset_complete")
    assert member.check_password(PASSWORD)
    assert member.email == "mia@members.example"
    assert state_of(imported_member) == before


def test_form_needs_its_csrf_token(member, sent):
    strict, reset = Client(enforce_csrf_checks=True), sent()
    strict.get(path_of(reset))
    before = state_of(member)

    response = choose(strict, reset)

    assert response.status_code == 403
    assert state_of(member) == before


def test_token_and_password_are_in_no_page_log_or_session(client, member, sent, caplog, settings):
    caplog.set_level(logging.DEBUG)
    client.force_login(make_person("Sam", password="sam's password 1"))
    reset = sent()
    token, bodies = token_of(reset), []

    client.get(path_of(reset))
    bodies.append(client.get(SET))
    bodies.append(choose(client, reset, "password"))
    bodies.append(choose(client, reset))
    bodies.append(client.get(url("password_reset_complete")))
    client.get(f"/account/r/{token}")
    bodies.append(client.get(SET))

    secret = token[12:38]
    assert not [body for body in bodies if secret in body.content.decode() + str(body.headers) + str(body.cookies)]
    assert secret not in caplog.text
    assert PASSWORD not in caplog.text
    assert not [session for session in Session.objects.all() if secret in str(session.get_decoded())]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
@pytest.mark.parametrize(
    "name", ["password_reset", "password_reset_done", "password_reset_set", "password_reset_complete"]
)
def test_other_methods_are_refused(client, db, name, method):
    assert getattr(client, method)(url(name)).status_code == 405
