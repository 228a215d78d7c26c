"""What makes an installation weaker than it need be."""

from __future__ import annotations

from inspect import signature
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.checks import CheckMessage, Tags, Warning, register
from django.utils.module_loading import import_string

from .. import outbox
from ..conf import PREFIX, conf
from ..exceptions import SettingError
from .common import asked_of_tables

# Backends that refuse or allow, or ask for this site's own password: their module's first name, where the class
# does not show it. With its app for other services' accounts, allauth signs people in elsewhere.
ASKING_HERE = ("axes.", "guardian.", "allauth.account.")
ALLAUTH_ELSEWHERE = "allauth.socialaccount"
# Fewer may be somebody who tries the page out.
FEWEST_REQUESTS = 20


@register()
def check_sign_in(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    others = [path for path in settings.AUTHENTICATION_BACKENDS if _signs_in_elsewhere(path)]
    if not others or getattr(settings, f"{PREFIX}MAY_RESET", None) is not None:
        return []
    hint = (
        f"If some people sign in there and must not get a password of this site, set {PREFIX}MAY_RESET to the dotted "
        "path of a callable that says who may. Else set it to wagtail_member_reset.conf.anyone."
    )
    message = f"People may sign in by {', '.join(others)}, too, and a reset would give each of them a password."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W010")]


def _signs_in_elsewhere(path: str) -> bool:
    """
    Whether people may be signed in by something else than a password that this site keeps.

    To be a `ModelBackend` says little: OpenID Connect, SAML and CAS come as such. Those that ask for a password by name
    are taken to compare it with the account's.
    """
    try:
        backend = import_string(path)
    except ImportError:  # not installed here: its name is all there is
        return True
    modules = [f"{base.__module__}." for base in backend.__mro__]
    if any(module.startswith("allauth.account.") for module in modules) and apps.is_installed(ALLAUTH_ELSEWHERE):
        return True
    if any(module.startswith(ASKING_HERE) for module in modules):
        return False
    signs_in = getattr(backend, "authenticate", BaseBackend.authenticate)
    if signs_in is BaseBackend.authenticate:
        return False
    return not (issubclass(backend, ModelBackend) and "password" in signature(signs_in).parameters)


@register(Tags.security)
def check_visitors(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whether visitors can be told apart: behind a proxy, all of them come from its address."""
    signs = [name for name in ("USE_X_FORWARDED_HOST", "SECURE_PROXY_SSL_HEADER") if getattr(settings, name, None)]
    try:
        if not signs or conf.TRUSTED_PROXIES:
            return []
    except SettingError:  # it has a message of its own
        return []
    hint = (
        f"Set {PREFIX}TRUSTED_PROXIES to the number of proxies in front of Django that append to X-Forwarded-For, "
        "usually 1. If REMOTE_ADDR is the visitor's own address all the same, silence this check."
    )
    message = f"{signs[0]} says that a proxy stands in front, and the limits cannot tell its visitors apart."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W011")]


@register(Tags.database)
def check_what_arrives(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The same by what came in on the last day. Asks the tables, so with `check --database default` alone."""
    if not databases or settings.DEBUG:
        return []
    shared, every = asked_of_tables(outbox.count_shared_requests, otherwise=(0, 0))
    if every < FEWEST_REQUESTS or shared < every:
        return []
    hint = (
        f"Set {PREFIX}TRUSTED_PROXIES to the number of proxies in front of Django, and have these append to "
        "X-Forwarded-For. If all visitors are in a network of your own, silence this check."
    )
    message = f"All {every} requests of the last day came from private addresses: no visitor has a limit of their own."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W019")]


@register(Tags.security, deploy=True)
def check_passwords(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.AUTH_PASSWORD_VALIDATORS:
        return []
    hint = "Set AUTH_PASSWORD_VALIDATORS as a new Django project has it: members see its rules on our page."
    message = "AUTH_PASSWORD_VALIDATORS is empty, so that a member may choose any password, even one letter."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W012")]
