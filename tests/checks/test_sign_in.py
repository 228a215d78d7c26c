"""W010: backends by which people sign in elsewhere, so that a reset would give them a password of this site."""

import sys
from types import ModuleType

import pytest
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.checks import run_checks

STOCK = "django.contrib.auth.backends.ModelBackend"


class ByAddress(ModelBackend):
    """As sites let people sign in with their address: the password is the account's."""

    def authenticate(self, request, username=None, password=None, **kwargs):
        return super().authenticate(request, username, password, **kwargs)


class Rights(BaseBackend):
    """Says what people may do and signs nobody in."""

    def has_perm(self, user_obj, perm, obj=None):
        return False


class BySaml(ModelBackend):
    """As djangosaml2, mozilla-django-oidc and django-cas-ng come."""

    def authenticate(self, request, session_info=None, **kwargs):
        return None


def stand_in(monkeypatch, module, bases):
    """A backend of a package that is not installed here, at its real address."""
    found = ModuleType(module)
    found.Backend = type("Backend", bases, {"__module__": module, "authenticate": lambda self, request, **given: None})
    for depth in range(1, module.count(".") + 2):
        name = ".".join(module.split(".")[:depth])
        monkeypatch.setitem(sys.modules, name, found if name == module else ModuleType(name))
    return f"{module}.Backend"


def warnings():
    return [check for check in run_checks() if check.id == "wagtail_member_reset.W010"]


def test_other_ways_to_sign_in_are_named_until_it_is_said_who_may_be_reset(settings):
    settings.AUTHENTICATION_BACKENDS = [STOCK, "django_auth_ldap.backend.LDAPBackend"]
    (warning,) = warnings()
    settings.WAGTAIL_MEMBER_RESET_MAY_RESET = "wagtail_member_reset.conf.anyone"

    assert "django_auth_ldap.backend.LDAPBackend" in warning.msg
    assert "ModelBackend" not in warning.msg
    assert warnings() == []


@pytest.mark.parametrize(
    "path",
    [
        STOCK,
        "django.contrib.auth.backends.AllowAllUsersModelBackend",
        f"{__name__}.ByAddress",
        f"{__name__}.Rights",
    ],
)
def test_backends_that_ask_for_the_accounts_password_or_nothing_are_fine(settings, path):
    settings.AUTHENTICATION_BACKENDS = [path]

    assert warnings() == []


@pytest.mark.parametrize(
    ("module", "bases"),
    [
        ("axes.backends", (ModelBackend,)),
        ("axes.backends", (object,)),
        ("guardian.backends", (object,)),
        ("allauth.account.auth_backends", (ModelBackend,)),
    ],
)
def test_backends_that_sign_nobody_in_elsewhere_are_fine(settings, monkeypatch, module, bases):
    settings.AUTHENTICATION_BACKENDS = [STOCK, stand_in(monkeypatch, module, bases)]

    assert warnings() == []


@pytest.mark.parametrize("path", ["django.contrib.auth.backends.RemoteUserBackend", f"{__name__}.BySaml"])
def test_model_backend_that_asks_for_something_else_is_named(settings, path):
    settings.AUTHENTICATION_BACKENDS = [STOCK, path]

    (warning,) = warnings()

    assert path in warning.msg


def test_allauth_is_named_where_it_lets_people_in_with_accounts_elsewhere(settings, monkeypatch):
    path = stand_in(monkeypatch, "allauth.account.auth_backends", (ModelBackend,))
    settings.AUTHENTICATION_BACKENDS = [STOCK, path]
    monkeypatch.setattr("wagtail_member_reset.checks.security.apps.is_installed", "allauth.socialaccount".__eq__)

    (warning,) = warnings()

    assert path in warning.msg
