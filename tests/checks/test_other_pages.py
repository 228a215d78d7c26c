"""W003: reset pages of others that are still routed, found wherever they stand."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import PasswordResetView
from django.core.checks import run_checks
from django.urls import include, path, re_path
from django.views.generic import FormView, RedirectView, View

from tests.urls import urlpatterns


class OwnResetView(PasswordResetView):
    """As a site derives one."""


class Api(View):
    """Called like one, and none."""

    __qualname__ = "PasswordResetView"


def found(**options):
    options = {"include_deployment_checks": True, **options}
    return [check for check in run_checks(**options) if check.id == "wagtail_member_reset.W003"]


def paths(*routes, settings):
    settings.ROOT_URLCONF = (*routes, *urlpatterns)
    return [re.match(r"(\S+) still serves", warning.msg)[1] for warning in found()]


def test_reset_page_of_wagtail_is_pointed_out_before_deployment_alone():
    (warning,) = found()

    assert warning.msg.startswith(
        "/admin/password_reset/ still serves wagtail.admin.views.account.PasswordResetView, which sends nothing"
    )
    assert "Import RedirectView from django.views.generic" in warning.hint
    assert found(include_deployment_checks=False) == []


@pytest.mark.parametrize(
    ("route", "address"),
    [
        (path("accounts/", include("django.contrib.auth.urls")), "/accounts/password_reset/"),
        (path("django-admin/lost/", PasswordResetView.as_view(), name="admin_password_reset"), "/django-admin/lost/"),
        (path("people/", include(([path("lost/", OwnResetView.as_view(), name="x")], "people"))), "/people/lost/"),
        (path("nameless/", PasswordResetView.as_view()), "/nameless/"),
        (re_path(r"^old/lost-password\.html$", PasswordResetView.as_view()), "/old/lost-password.html"),
        (path("open/", login_not_required(PasswordResetView.as_view())), "/open/"),
    ],
)
def test_reset_pages_of_django_are_found_wherever_they_stand(settings, route, address):
    assert paths(route, settings=settings) == [address, "/admin/password_reset/"]


@pytest.mark.parametrize("module", ["allauth.account.views", "allauth.account.views._password_reset"])
def test_reset_page_of_allauth_is_found_by_what_it_is(settings, module):
    """Older and newer releases."""
    view = type("PasswordResetView", (FormView,), {"__module__": module})
    routes = [path("password/reset/", view.as_view(), name="account_reset_password")]
    settings.ROOT_URLCONF = (path("accounts/", include(routes)), *urlpatterns)

    warning = found()[0]

    assert warning.msg == (
        f"/accounts/password/reset/ still serves {module}.PasswordResetView, whose emails and links the Settings tab "
        "knows nothing of."
    )


@pytest.mark.parametrize("address", ["/admin/password_reset/", "/accounts/password_reset/"])
def test_line_in_the_hint_leads_to_our_page_and_ends_the_warning(client, settings, address):
    routes = (path("accounts/", include("django.contrib.auth.urls")), *urlpatterns)
    settings.ROOT_URLCONF = routes
    lines = [re.search(r"path\(.*\)\)", warning.hint)[0] for warning in found()]
    above = [eval(line, {"path": path, "RedirectView": RedirectView}) for line in lines]

    settings.ROOT_URLCONF = (*above, *routes)

    assert len(above) == 2
    assert found() == []
    assert client.get(address)["Location"] == "/account/password-reset/"


@pytest.mark.parametrize("name", ["WAGTAIL_PASSWORD_RESET_ENABLED", "WAGTAIL_PASSWORD_MANAGEMENT_ENABLED"])
def test_reset_page_that_wagtail_switched_off_is_fine(client, settings, name):
    setattr(settings, name, False)

    assert found() == []
    assert client.get("/admin/password_reset/").status_code == 404


def test_pages_that_reset_nothing_are_fine(settings):
    own = path("own/", RedirectView.as_view(url="/"), name="password_reset")
    routes = (own, path("api/", Api.as_view()), path("django-admin/", admin.site.urls))

    assert paths(*routes, settings=settings) == ["/admin/password_reset/"]


def test_page_whose_address_differs_from_visitor_to_visitor_is_passed_over(settings):
    route = path("clubs/<slug:club>/password_reset/", PasswordResetView.as_view())

    assert paths(route, settings=settings) == ["/admin/password_reset/"]
