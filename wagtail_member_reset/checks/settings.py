"""Whether the settings can be used, and whether pages and tab are where they belong."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.urls import NoReverseMatch, Resolver404, reverse

from .. import accounts, links, outbox, paths
from ..conf import PREFIX, conf
from ..exceptions import SettingError
from ..staff import viewset
from .common import error_of, nowhere

SETTINGS = {
    "LINK_LIFETIME": "E001",
    "WELCOME_LIFETIME": "E019",
    "FROM_DOMAINS": "E026",
    "MAILER": "E027",
    "STATUS_WINDOW": "E002",
    "BASE_URL": "E003",
    "WELCOME_ON_CREATE": "E004",
    "SETTINGS_TAB": "E005",
    "LINK_DISPLAY": "E006",
    "MAY_RESET": "E007",
    "DELIVERY": "E008",
    "CSP": "E009",
    "TRUSTED_PROXIES": "E010",
    "REQUEST_LIMITS": "E011",
    "RETENTION": "E012",
    "SUPPORT_CONTACT": "E013",
    "STAFF_LIMITS": "E014",
    "MAILING_CONNECTIONS": "E015",
    "REMINDER": "E016",
    "PASSWORDS_ENABLED": "E017",
    "IDENTITY_CHECK": "E018",
    "MEMBER_LANGUAGE": "E028",
}
PAGES = ("password_reset", "password_reset_done", "password_reset_set", "password_reset_complete")
ROUTE = 'path("account/", include("wagtail_member_reset.urls"))'


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, number in SETTINGS.items():
        try:
            getattr(conf, name)
        except SettingError as error:
            # Where it goes by LINK_LIFETIME, that is what is wrong.
            if name != "WELCOME_LIFETIME" or str(error).startswith(PREFIX + name):
                found.append(error_of(error, number))
    return found or list(_window_in_lifetime())


@register(Tags.models)
def check_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    model = get_user_model()
    if accounts.address_column(model):
        return []
    hint = "Set EMAIL_FIELD of the user model to the name of its EmailField."
    message = (
        f'{model._meta.label} says that its address is "{model.get_email_field_name()}", which is no text field of the '
        "database: staff cannot correct it or search by a part of it, and a request on the website reads all accounts."
    )
    return [Error(message, hint=hint, id="wagtail_member_reset.E030")]


@register(Tags.urls)
def check_urls(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        addresses = {name: reverse(f"wagtail_member_reset:{name}") for name in PAGES}
    except NoReverseMatch:
        hint = f"Add {ROUTE} to the URL configuration, above wagtail_urls."
        return [Error("The members' pages have no address.", hint=hint, id="wagtail_member_reset.E020")]
    if not (taken := [path for name, path in addresses.items() if not _is_ours(path, name)]):
        return []
    message = f"Something else answers in place of the members' pages: {', '.join(taken)}."
    hint = f"Move {ROUTE} up in the URL configuration, above wagtail_urls and whatever else takes every address."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W033")]


def _is_ours(path: str, name: str) -> bool:
    try:
        found = paths.answering(path)
    except Resolver404:
        return False
    return (found.app_names[-1:], found.url_name) == (["wagtail_member_reset"], name)


@register(Tags.urls, deploy=True)
def check_base_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Before deployment alone: a developer's own address is right until then."""
    try:
        base = conf.BASE_URL
    except SettingError:  # it has a message of its own
        return []
    if not base or not links.leads_nowhere(urlsplit(base).hostname):
        return []
    return [nowhere(base, f'Set {PREFIX}BASE_URL to the address that members know, as "https://club.example".')]


@register()
def check_tab(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        if not conf.SETTINGS_TAB or viewset.is_installed():
            return []
    except (SettingError, ImportError):  # either has a message of its own
        return []
    hint = (
        "Something set `user_viewset` after this app was ready. Add "
        "wagtail_member_reset.staff.viewset.MemberResetMixin as the first base of the site's own UserViewSet, "
        f"or set {PREFIX}SETTINGS_TAB = False to do without the tab."
    )
    return [Warning("The user edit view has no Settings tab.", hint=hint, id="wagtail_member_reset.W001")]


@register()
def check_delivery(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        delivery = conf.DELIVERY
    except SettingError:
        return []
    if delivery == "tasks" and not outbox.has_task_backend():
        hint = 'Configure a backend with workers in TASKS, or set it to "auto" or "thread".'
        message = f'{PREFIX}DELIVERY is "tasks", but TASKS has no backend whose workers run beside the site.'
        return [Error(message, hint=hint, id="wagtail_member_reset.E021")]
    return []


def _window_in_lifetime() -> Iterator[CheckMessage]:
    lifetimes = {"LINK_LIFETIME": conf.LINK_LIFETIME, "WELCOME_LIFETIME": conf.WELCOME_LIFETIME}
    name, shortest = min(lifetimes.items(), key=itemgetter(1))
    if shortest < conf.STATUS_WINDOW:
        yield Warning(
            f"{PREFIX}STATUS_WINDOW, {conf.STATUS_WINDOW}, is longer than {name}, {shortest}.",
            hint="Staff would be told of a link that no longer works: shorten the one or lengthen the other.",
            id="wagtail_member_reset.W002",
        )
