"""The last page, and the way to sign in that it shows."""

import pytest

from .conftest import url


def test_complete_page_leads_to_the_way_in(client, db, settings):
    settings.WAGTAIL_FRONTEND_LOGIN_URL = "/members/enter/"

    page = client.get(url("password_reset_complete")).content.decode()

    assert "<h1>Your password is saved</h1>" in page
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
