"""Where a link leads. The host comes from configuration, never from a request."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from ..conf import conf
from ..exceptions import SettingError

PLACEHOLDER_HOSTS = {"", "localhost", "127.0.0.1", "::1", "[::1]", "example.com"}


class HasRootURL(Protocol):
    """What is needed of a Wagtail site."""

    site_name: str
    hostname: str

    @property
    def root_url(self) -> str: ...


def base_url(site: HasRootURL | None) -> str:
    """
    Scheme and host of a member's links, without a final slash.

    Raises `SettingError` when neither the setting, nor a Wagtail site, nor
    `WAGTAILADMIN_BASE_URL` names one.
    """
    base = conf.BASE_URL or (site.root_url if site else "") or getattr(settings, "WAGTAILADMIN_BASE_URL", None)
    if not base:
        raise SettingError(
            "No address is known for links: set WAGTAIL_MEMBER_RESET_BASE_URL, "
            'for instance "https://club.example.com", or the hostname of the Wagtail site.'
        )
    return str(base).rstrip("/")


def url_of(token: str, *, site: HasRootURL | None, language: str) -> str:
    """The whole link, in the address form of the language it is written in."""
    return base_url(site) + _path("password_reset_confirm", language, token)


def page_url(name: str, *, site: HasRootURL | None, language: str) -> str:
    """The whole address of one of the members' pages, by its URL name."""
    return base_url(site) + _path(name, language)


def site_name(site: HasRootURL | None) -> str:
    """What the site is called, in mails and on the members' pages; at the least, its hostname."""
    name = (site.site_name if site else "") or getattr(settings, "WAGTAIL_SITE_NAME", "")
    return str(name or (site.hostname if site else "") or urlsplit(base_url(site)).hostname)


def sender_address() -> str:
    """The address that mails come from, for who looks for them in the spam folder."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def is_placeholder(site: HasRootURL | None) -> bool:
    """
    Whether links would lead to the address of a new project's site record, where no member can follow.

    Under DEBUG, who named a port or a host below `localhost` is somebody at work, who can.
    """
    if conf.BASE_URL:
        return False
    try:
        parts = urlsplit(base_url(site))
    except SettingError:
        return True
    return parts.netloc in PLACEHOLDER_HOSTS if settings.DEBUG else leads_nowhere(parts.hostname)


def leads_nowhere(hostname: str | None) -> bool:
    """Whether it is this machine for whoever asks, or an example: browsers take each name below `localhost` so."""
    return not hostname or hostname in PLACEHOLDER_HOSTS or hostname.endswith(".localhost")


def _path(name: str, language: str, *args: str) -> str:
    with translation.override(language or settings.LANGUAGE_CODE):
        try:
            return reverse(f"wagtail_member_reset:{name}", args=args)
        except NoReverseMatch:
            # Django's own text quotes the arguments, of which one is the token.
            raise SettingError(
                "The members' pages have no address: add "
                'path("account/", include("wagtail_member_reset.urls")) to the URL configuration.'
            ) from None
