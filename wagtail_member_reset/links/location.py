"""
Where a link leads. The address comes from configuration, never from a request.

So it is the same from a page, a thread, a task and a command. Django's `reverse` knows only within a request at which
path a site is served, so the path comes from configuration, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port
from django.urls import NoReverseMatch, get_script_prefix, reverse, set_script_prefix
from django.utils import translation

from .. import languages
from ..conf import conf
from ..exceptions import SettingError
from ..sites import is_allowed_host

# Of `wagtail start`, and of nobody.
EXAMPLE = "example.com"
PLACEHOLDER_HOSTS = {"", "localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]", EXAMPLE}  # noqa: S104


class LocationProblem(str, Enum):
    """Why members could not follow their links, for who is to be told."""

    PLACEHOLDER = "placeholder"
    HOST = "host"  # of the Wagtail site; ALLOWED_HOSTS does not have it
    PATH = "path"  # the site is served below one that no setting names


class HasRootURL(Protocol):
    """What is needed of a Wagtail site."""

    site_name: str
    hostname: str

    @property
    def root_url(self) -> str: ...


def base_url(site: HasRootURL | None) -> str:
    """
    Where a member's links begin: scheme and host, and the path that the site is served at. Without a final slash.

    A path of the address that a setting names is the whole path; else FORCE_SCRIPT_NAME is. Raises `SettingError` when
    neither the setting, nor a Wagtail site, nor `WAGTAILADMIN_BASE_URL` names an address, and when the Wagtail site
    names a host that ALLOWED_HOSTS does not allow. That never gives way to another host.
    """
    base = conf.BASE_URL or (_url_of_site(site) if site else _url_of_admin())
    if not base:
        raise SettingError(
            "No address is known for links: set WAGTAIL_MEMBER_RESET_BASE_URL, "
            'for instance "https://club.example.com", or the hostname of the Wagtail site.'
        )
    path = str(settings.FORCE_SCRIPT_NAME or "").strip("/")
    return f"{base}/{path}" if path and not urlsplit(base).path else base


def has_refused_host(site: HasRootURL | None) -> bool:
    """
    Whether links would lead to the host of a Wagtail site that ALLOWED_HOSTS does not allow, as Django judges it.

    Staff may change that host. What `BASE_URL` names is configuration, and trusted: the pages of members may run under
    another host than the admin's.
    """
    if conf.BASE_URL or site is None:
        return False
    return not is_allowed_host(split_domain_port(site.root_url.partition("://")[2])[0])


def origin(site: HasRootURL | None) -> str:
    """Scheme and host of `base_url`, for a path as the address line of a browser has it. Raises as that does."""
    parts = urlsplit(base_url(site))
    return f"{parts.scheme}://{parts.netloc}"


def url_of(token: str, *, site: HasRootURL | None, language: str) -> str:
    """The whole link, in the address form of the language it is written in."""
    return base_url(site) + _path("password_reset_confirm", language, token)


def page_url(name: str, *, site: HasRootURL | None, language: str) -> str:
    """The whole address of one of the members' pages, by its URL name."""
    return base_url(site) + _path(name, language)


def admin_url(name: str, *args: object, site: HasRootURL | None) -> str:
    """
    The whole address of a page of the admin, by its URL name, at `WAGTAILADMIN_BASE_URL` or where members' links begin.

    Raises `SettingError` where no setting names a host, or the admin has no such page.
    """
    base = _url_of_admin() or base_url(site)
    path = "" if urlsplit(base).path else str(settings.FORCE_SCRIPT_NAME or "").strip("/")
    try:
        with _at_the_root():
            return f"{base}/{path}".rstrip("/") + reverse(name, args=args)
    except NoReverseMatch:
        raise SettingError("Wagtail's admin has no address.") from None


def site_name(site: HasRootURL | None) -> str:
    """What the site is called, in mails and on the members' pages; at the least, its hostname."""
    name = (site.site_name if site else "") or getattr(settings, "WAGTAIL_SITE_NAME", "")
    return str(name or (site.hostname if site else "") or urlsplit(base_url(site)).hostname)


def problem_of_location(site: HasRootURL | None) -> LocationProblem | None:
    """Why members could not follow links of this site. Asked within a request, which knows where the site is served."""
    if has_refused_host(site) and site is not None and not leads_nowhere(site.hostname):
        return LocationProblem.HOST
    if _leads_to_placeholder(site):
        return LocationProblem.PLACEHOLDER
    return LocationProblem.PATH if get_script_prefix() != "/" and not urlsplit(base_url(site)).path else None


def is_placeholder(site: HasRootURL | None) -> bool:
    """Whether links would lead to the address of a new project's site record, and no setting says where they lead."""
    return not conf.BASE_URL and _leads_to_placeholder(site)


def _leads_to_placeholder(site: HasRootURL | None) -> bool:
    """
    Whether links would lead where no member can follow.

    Under DEBUG, who named `localhost` in the setting, or in the site's record a port or a host below it, is somebody at
    work, who can.
    """
    try:
        parts = urlsplit(base_url(site))
    except SettingError:
        return True
    if not settings.DEBUG:
        return leads_nowhere(parts.hostname)
    return parts.hostname == EXAMPLE if conf.BASE_URL else parts.netloc in PLACEHOLDER_HOSTS


def leads_nowhere(hostname: str | None) -> bool:
    """Whether the host is `localhost`, a name below it (the visitor's own machine, for browsers), or `example.com`."""
    return not hostname or hostname in PLACEHOLDER_HOSTS or hostname.endswith(".localhost")


def _url_of_site(site: HasRootURL) -> str:
    """
    The site's own; on https where `WAGTAILADMIN_BASE_URL` has the same host there, since Site records behind TLS often
    keep port 80.
    """
    if has_refused_host(site):
        raise SettingError(
            f"Links would lead to {site.hostname}, the host of the Wagtail site, which ALLOWED_HOSTS does not allow: "
            'set WAGTAIL_MEMBER_RESET_BASE_URL, for instance "https://club.example.com", '
            "or the hostname of the Wagtail site."
        )
    admin, own = urlsplit(_url_of_admin()), urlsplit(site.root_url)
    is_safer = (own.scheme, admin.scheme) == ("http", "https") and own.hostname == admin.hostname
    return f"https://{admin.netloc}" if is_safer else site.root_url


def _url_of_admin() -> str:
    return str(getattr(settings, "WAGTAILADMIN_BASE_URL", None) or "").rstrip("/")


def _path(name: str, language: str, *args: str) -> str:
    with translation.override(languages.known(language) or settings.LANGUAGE_CODE), _at_the_root():
        try:
            return reverse(f"wagtail_member_reset:{name}", args=args)
        except NoReverseMatch:
            # Django's own text quotes the arguments, of which one is the token.
            raise SettingError(
                "The members' pages have no address: add "
                'path("account/", include("wagtail_member_reset.urls")) to the URL configuration.'
            ) from None


@contextmanager
def _at_the_root() -> Iterator[None]:
    """Without the path at which this thread's request came in, if any: `base_url` has it."""
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        yield
    finally:
        set_script_prefix(prefix)
