"""What can be wrong with an installation, said at start, with the way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import PasswordResetView
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register
from django.db import Error as DatabaseError
from django.db import connections, router
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils import timezone
from wagtail.models import Site

from . import links, tasks
from .conf import PREFIX, conf
from .delivery import provider
from .exceptions import SettingError
from .models import EmailState, PasswordReset, ResetEmail
from .staff import viewset

# Never reuse an id: sites silence them by number.
SETTINGS = {
    "LINK_LIFETIME": "E001",
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
}
ROUTE = 'path("account/", include("wagtail_member_reset.urls"))'
# Reset pages of others, by URL name, with the line that leads their visitors to ours.
OTHER_PAGES = {
    "wagtailadmin_password_reset": "the Wagtail admin's",
    "password_reset": "Django's",
    "admin_password_reset": "the Django admin's",
}
OVERDUE = timedelta(minutes=10)
# A code that is mailed lives 24 hours: https://pages.nist.gov/800-63-4/sp800-63b.html#savedrecovery
STRICT_LIFETIME = timedelta(hours=24)
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
# These lead nowhere. Django's tests set "locmem" by themselves, so that one says nothing.
FOR_DEVELOPMENT = {f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased")}
FOR_DEVELOPMENT.add("anymail.backends.console.EmailBackend")


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, number in SETTINGS.items():
        try:
            getattr(conf, name)
        except SettingError as error:
            found.append(_error(error, number))
    return found or list(_window_in_lifetime())


@register(Tags.urls)
def check_urls(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        reverse("wagtail_member_reset:password_reset")
    except NoReverseMatch:
        hint = f"Add {ROUTE} to the URL configuration, above wagtail_urls."
        return [Error("The members' pages have no address.", hint=hint, id="wagtail_member_reset.E020")]
    return list(_other_reset_pages())


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
    if delivery == "tasks" and not tasks.is_configured():
        hint = 'Configure a backend with workers in TASKS, or set it to "auto" or "thread".'
        message = f'{PREFIX}DELIVERY is "tasks", but TASKS has no backend whose workers run beside the site.'
        return [Error(message, hint=hint, id="wagtail_member_reset.E021")]
    return []


@register()
def check_sign_in(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    others = [path for path in settings.AUTHENTICATION_BACKENDS if path != MODEL_BACKEND]
    if not others or getattr(settings, f"{PREFIX}MAY_RESET", None) is not None:
        return []
    hint = (
        f"If some people sign in there and must not get a password of this site, set {PREFIX}MAY_RESET to the dotted "
        "path of a callable that says who may. Else set it to wagtail_member_reset.conf.anyone."
    )
    message = f"People may sign in by {', '.join(others)}, too, and a reset would give each of them a password."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W010")]


@register()
def check_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        base = conf.BASE_URL or ""
    except SettingError:  # it has a message of its own
        base = ""
    return [*_mail_backend(), *_mail_service(), *_plain_http(base)]


@register(Tags.security, deploy=True)
def check_webhook(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    name = provider.service()
    path = provider.webhook(name)
    if not path or not provider.is_open_to_anybody(path):
        return []
    hint = (
        'Set ANYMAIL = {"WEBHOOK_SECRET": "user:password"}, with long random words, and give the service the address '
        f"https://user:password@…{path}."
    )
    message = f"Anybody may post delivery reports to {path}: {name} has no secret and no signature there."
    return [Error(message, hint=hint, id="wagtail_member_reset.E024")]


@register(Tags.database)
def check_database(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Asks the tables, so it runs with `migrate` and `check --database default` alone."""
    if not databases:
        return []
    try:
        return [*_address_of_links(), *_overdue_mails(), *_unchecked_rows(databases)]
    except DatabaseError:  # before the first migration there is nothing to ask
        return []


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
    message = f"{signs[0]} says that a proxy stands in front, and the limits count all of its visitors as one."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W011")]


@register(Tags.security, deploy=True)
def check_passwords(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.AUTH_PASSWORD_VALIDATORS:
        return []
    hint = "Set AUTH_PASSWORD_VALIDATORS as a new Django project has it: members see its rules on our page."
    message = "AUTH_PASSWORD_VALIDATORS is empty, so that a member may choose any password, even one letter."
    return [Warning(message, hint=hint, id="wagtail_member_reset.W012")]


@register(Tags.security, deploy=True)
def check_lifetime(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        lifetime = conf.LINK_LIFETIME
    except SettingError:
        return []
    if lifetime <= STRICT_LIFETIME:
        return []
    hint = (
        f"A site bound to either sets {PREFIX}LINK_LIFETIME = timedelta(hours=24) and "
        f'{PREFIX}LINK_DISPLAY = "never"; see "The strict profile" in the README. Every other one may silence this.'
    )
    hours = round(lifetime.total_seconds() / 3600)
    message = f"Links live {hours} hours, longer than the 24 of NIST SP 800-63B, which ASVS 5.0 follows."
    return [Info(message, hint=hint, id="wagtail_member_reset.I002")]


def _error(error: SettingError, number: str) -> Error:
    # The value that is quoted may have a colon of its own: what is left to do begins with its verb.
    problem, way_out = re.split(r": (?=set |write )", str(error), maxsplit=1)
    return Error(f"{problem}.", hint=way_out[:1].upper() + way_out[1:], id=f"wagtail_member_reset.{number}")


def _window_in_lifetime() -> Iterator[CheckMessage]:
    if conf.STATUS_WINDOW > conf.LINK_LIFETIME:
        yield Warning(
            f"{PREFIX}STATUS_WINDOW, {conf.STATUS_WINDOW}, is longer than LINK_LIFETIME, {conf.LINK_LIFETIME}.",
            hint="Staff would be told of a link that no longer works: shorten the one or lengthen the other.",
            id="wagtail_member_reset.W002",
        )


def _other_reset_pages() -> Iterator[CheckMessage]:
    if getattr(settings, "WAGTAIL_PASSWORD_RESET_ENABLED", True):
        names = OTHER_PAGES
    else:
        names = {name: whose for name, whose in OTHER_PAGES.items() if not name.startswith("wagtailadmin")}
    for name, whose in names.items():
        try:
            path = reverse(name)
            view = getattr(resolve(path).func, "view_class", None)
        except (NoReverseMatch, Resolver404):
            continue
        if view is not None and issubclass(view, PasswordResetView):
            line = (
                f'path("{path.lstrip("/")}", RedirectView.as_view(pattern_name="wagtail_member_reset:password_reset"))'
            )
            yield Warning(
                f"{path} still serves {whose} own password reset, which sends nothing, silently, "
                "to accounts without a password, and tells strangers by its time who has an account.",
                hint=f"Put {line} above it in the URL configuration.",
                id="wagtail_member_reset.W003",
            )


def _mail_backend() -> Iterator[CheckMessage]:
    path = provider.backend_path()
    if path in FOR_DEVELOPMENT and not settings.DEBUG:
        yield Warning(
            f"The mail backend is {path}, so that no email reaches a member.",
            hint="Set the backend of your mail service, for instance Anymail's, or DEBUG = True for development.",
            id="wagtail_member_reset.W006",
        )
    if path == provider.SMTP and provider.timeout() is None:
        yield Warning(
            "EMAIL_TIMEOUT is None: a mail server that falls silent would hold up the site's mails for ever.",
            hint='Set EMAIL_TIMEOUT = 30, or with MAILERS "OPTIONS": {"timeout": 30}.',
            id="wagtail_member_reset.W007",
        )


def _mail_service() -> Iterator[CheckMessage]:
    name = provider.service()
    if where := provider.CLICK_TRACKING.get(name):
        yield Warning(
            f"{name} cannot be told with a mail not to rewrite its links, and a rewritten link is known to {name}.",
            hint=f"See that click tracking is off in {where}. Then silence this check.",
            id="wagtail_member_reset.W008",
        )
    if name in provider.REPORTING and not provider.webhook(name):
        yield Info(
            f"{name} could report what becomes of an email, but Anymail's webhooks have no address here.",
            hint='Add path("anymail/", include("anymail.urls")) to the URL configuration and tell the service of it.',
            id="wagtail_member_reset.I001",
        )


def _unchecked_rows(databases: Any) -> Iterator[CheckMessage]:
    alias = router.db_for_write(PasswordReset)
    if alias in databases and not connections[alias].features.supports_table_check_constraints:
        yield Warning(
            "This database ignores CHECK constraints, which keep a link from standing half ended.",
            hint="Use MySQL 8.0.16, MariaDB 10.2, PostgreSQL or SQLite, or newer ones of these.",
            id="wagtail_member_reset.W013",
        )


def _plain_http(base: str) -> Iterator[CheckMessage]:
    is_local = urlsplit(base).hostname in links.PLACEHOLDER_HOSTS
    if base.startswith("http://") and not is_local and not settings.DEBUG:
        yield Warning(
            f"Links to members begin with {base}, so that they travel in the open.",
            hint=f'Serve the site over https, and set {PREFIX}BASE_URL = "https://{base[7:]}".',
            id="wagtail_member_reset.W009",
        )


def _address_of_links() -> Iterator[CheckMessage]:
    site = Site.objects.filter(is_default_site=True).first()
    try:
        links.base_url(site)
    except SettingError as error:
        yield _error(error, "E023")
        return
    if links.is_placeholder(site):
        yield Warning(
            f"Links to members lead to {links.base_url(site)}, where nobody can follow them.",
            hint=f'Set the hostname of the Wagtail site (Settings, Sites) or {PREFIX}BASE_URL = "https://…".',
            id="wagtail_member_reset.W004",
        )
    elif not conf.BASE_URL:
        # The record of a site behind TLS often keeps port 80, which makes its links begin with http.
        yield from _plain_http(links.base_url(site))


def _overdue_mails() -> Iterator[CheckMessage]:
    limit = timezone.now() - OVERDUE
    waiting = ResetEmail.objects.filter(state=EmailState.QUEUED, next_attempt_at__lt=limit).count()
    if waiting:
        yield Warning(
            f"{waiting} password reset emails are due since more than {OVERDUE}.",
            hint=(
                "Run deliver_member_resets from cron or with --loop, or start the workers of TASKS. "
                "Under uWSGI, the thread needs enable-threads = true."
            ),
            id="wagtail_member_reset.W005",
        )
