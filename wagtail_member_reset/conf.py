from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parseaddr
from typing import Any, Literal, cast

import django
from django.conf import settings
from django.utils.module_loading import import_string

from .exceptions import SettingError

PREFIX = "WAGTAIL_MEMBER_RESET_"
DELIVERIES = ("auto", "thread", "tasks", "command")
IDENTITY_CHECKS = ("off", "optional", "required")
LINK_DISPLAYS = ("inline", "reveal", "never")
DEFAULT_LIMITS = {"ip": "20/h", "address": "5/h", "all": "300/min"}
DEFAULT_STAFF_LIMITS = {"account": "20/d", "person": "500/d"}
PASSWORD_SETTINGS = (
    "WAGTAILUSERS_PASSWORD_ENABLED",
    "WAGTAIL_PASSWORD_MANAGEMENT_ENABLED",
    "WAGTAIL_PASSWORD_RESET_ENABLED",
)
UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
RATE = re.compile(r"([0-9]{1,9})/(s|min|h|d)")

Delivery = Literal["auto", "thread", "tasks", "command"]
IdentityCheck = Literal["off", "optional", "required"]
LinkDisplay = Literal["inline", "reveal", "never"]
Rate = tuple[int, timedelta]


def anyone(member: object) -> bool:
    return True


class Conf:
    """
    The settings, read live, so that a test or a site may change them at any time.

    Each property raises `SettingError`, with the way out in its text, when the
    site's value cannot be used; the system checks say the same at start.
    """

    @property
    def LINK_LIFETIME(self) -> timedelta:
        """How long a link works, from its issue. Default: 7 days."""
        return self._duration("LINK_LIFETIME", timedelta(days=7))

    @property
    def WELCOME_LIFETIME(self) -> timedelta:
        """How long a welcome link works, and so the link of its reminder. Default: LINK_LIFETIME."""
        if self._get("WELCOME_LIFETIME", None) is None:
            return self.LINK_LIFETIME
        return self._duration("WELCOME_LIFETIME", timedelta(days=7))

    @property
    def STATUS_WINDOW(self) -> timedelta:
        """How long staff see that a link went out, and may have it sent again. Default: 16 hours."""
        return self._duration("STATUS_WINDOW", timedelta(hours=16))

    @property
    def RETENTION(self) -> timedelta:
        """How long rows are kept after their link has ended, before a purge. Default: 30 days."""
        return self._duration("RETENTION", timedelta(days=30))

    @property
    def REMINDER(self) -> timedelta | None:
        """How long before a welcome link runs out unused a reminder goes out; None for never. Default: None."""
        if self._get("REMINDER", None) is None:
            return None
        value = self._duration("REMINDER", timedelta(days=2))
        if value >= (lives := self.WELCOME_LIFETIME):
            raise self._error("REMINDER", value, f"set a timedelta shorter than a welcome link lives, {lives}")
        return value

    @property
    def BASE_URL(self) -> str | None:
        """
        Scheme and host of every link, with the path that the site is served at, if any; None takes the Wagtail
        site's. Default: None.
        """
        value = self._get("BASE_URL", None)
        if value is None:
            return None
        if not isinstance(value, str) or not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", value):
            raise self._error("BASE_URL", value, 'set scheme and host, for instance "https://club.example.com"')
        return value.rstrip("/")

    @property
    def PASSWORDS_ENABLED(self) -> bool:
        """
        Whether members have passwords of this site. Default: yes, unless Wagtail's own three settings all say no.

        WAGTAILUSERS_PASSWORD_ENABLED alone only hides the fields in which staff set passwords.
        """
        return self._flag("PASSWORDS_ENABLED", any(getattr(settings, name, True) for name in PASSWORD_SETTINGS))

    @property
    def WELCOME_ON_CREATE(self) -> bool:
        """Whether the form for a new user offers the welcome link. Default: True."""
        return self._flag("WELCOME_ON_CREATE", True)

    @property
    def SETTINGS_TAB(self) -> bool:
        """Whether the app installs its tab and its create form by itself. Default: True."""
        return self._flag("SETTINGS_TAB", True)

    @property
    def LINK_DISPLAY(self) -> LinkDisplay:
        """How staff who may see a link get it: in the page, after a click, or not at all. Default: "inline"."""
        return cast(LinkDisplay, self._choice("LINK_DISPLAY", LINK_DISPLAYS))

    @property
    def IDENTITY_CHECK(self) -> IdentityCheck:
        """Whether staff say how they checked who asks, before a link is shown or an address changed. Default: "off"."""
        return cast(IdentityCheck, self._choice("IDENTITY_CHECK", IDENTITY_CHECKS))

    @property
    def DELIVERY(self) -> Delivery:
        """What carries the mails: a thread, the task backend, only the command, or what fits. Default: "auto"."""
        return cast(Delivery, self._choice("DELIVERY", DELIVERIES))

    @property
    def MAY_RESET(self) -> Callable[[Any], bool]:
        """Which accounts may be reset at all: dotted path of `(member) -> bool`. Default: everyone."""
        path = self._get("MAY_RESET", None)
        return anyone if path is None else cast(Callable[[Any], bool], self._callable("MAY_RESET", path))

    @property
    def MEMBER_LANGUAGE(self) -> Callable[[Any], object] | None:
        """A member's own language: dotted path of `(member) -> str | None`. Default: what their Wagtail profile has."""
        path = self._get("MEMBER_LANGUAGE", None)
        return None if path is None else self._callable("MEMBER_LANGUAGE", path)

    @property
    def SUPPORT_CONTACT(self) -> str:
        """Who helps a member without email: an address or a URL. Default: the address of DEFAULT_FROM_EMAIL."""
        value = self._get("SUPPORT_CONTACT", None)
        if value is None:
            return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        if not isinstance(value, str) or not value.strip() or "\n" in value:
            raise self._error("SUPPORT_CONTACT", value, "set an email address or a URL, on one line")
        return value.strip()

    @property
    def FROM_DOMAINS(self) -> tuple[str, ...]:
        """
        The domains from which staff may have a site's emails sent; a subdomain only where it is listed.
        Default: none but that of DEFAULT_FROM_EMAIL.
        """
        value = self._get("FROM_DOMAINS", ())
        if not isinstance(value, (list, tuple)) or not all(
            isinstance(domain, str) and re.fullmatch(r"[\w-]+(\.[\w-]+)*", domain) for domain in value
        ):
            raise self._error("FROM_DOMAINS", value, 'set a list of domains, for instance ["club.example"]')
        return tuple(value)

    @property
    def MAILER(self) -> str:
        """Which of MAILERS, which Django has from 6.1 on, sends our emails. Default: "default"."""
        value = self._get("MAILER", None)
        if value is None:
            return "default"
        if django.VERSION < (6, 1) or not hasattr(settings, "MAILERS"):
            raise self._error("MAILER", value, "set MAILERS, which Django has from 6.1 on, or leave this setting out")
        if not isinstance(value, str) or value not in settings.MAILERS:
            aliases = ", ".join(f'"{alias}"' for alias in settings.MAILERS)
            raise self._error("MAILER", value, f"set an alias of MAILERS, which has {aliases or 'none'}")
        return value

    @property
    def CSP(self) -> Mapping[str, str] | None:
        """
        Directives that replace ours in the Content-Security-Policy of the members' pages;
        None sends no such header. Default: no change to ours.
        """
        value = self._get("CSP", {})
        if value is None:
            return None
        if not isinstance(value, Mapping) or not all(
            isinstance(text, str) and not re.search(r"[;,\r\n]", text) for item in value.items() for text in item
        ):
            raise self._error("CSP", value, 'set a dict such as {"style-src": "\'self\' https://cdn.example.com"}')
        return value

    @property
    def TRUSTED_PROXIES(self) -> int:
        """How many proxies of the site's own append to X-Forwarded-For. Default: 0, the header is not read."""
        value = self._get("TRUSTED_PROXIES", 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._error("TRUSTED_PROXIES", value, "set the number of proxies in front of Django, 0 for none")
        return value

    @property
    def REQUEST_LIMITS(self) -> dict[str, Rate]:
        """Requests allowed on the public page: per network, per address typed, and in all."""
        return self._rates("REQUEST_LIMITS", DEFAULT_LIMITS)

    @property
    def STAFF_LIMITS(self) -> dict[str, Rate]:
        """
        Mails that staff may send by hand: to one account, and one person of staff to all.

        Mailings do not count for these; together, they send no more to one account either.
        """
        return self._rates("STAFF_LIMITS", DEFAULT_STAFF_LIMITS)

    @property
    def MAILING_CONNECTIONS(self) -> int:
        """How many connections to the mail server a mailing uses side by side, at most. Default: 4."""
        value = self._get("MAILING_CONNECTIONS", 4)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 50:
            raise self._error("MAILING_CONNECTIONS", value, "set a number from 1 to 50")
        return value

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, PREFIX + name, default)

    def _callable(self, name: str, path: Any) -> Callable[[Any], object]:
        try:
            found = import_string(path)
        except (ImportError, TypeError, AttributeError) as error:
            raise self._error(name, path, "set the dotted path of a callable") from error
        if not callable(found):
            raise self._error(name, path, "set the dotted path of a callable")
        return cast(Callable[[Any], object], found)

    def _duration(self, name: str, default: timedelta) -> timedelta:
        value = self._get(name, default)
        if not isinstance(value, timedelta) or value <= timedelta(0):
            raise self._error(name, value, "set a positive timedelta, for instance timedelta(days=7)")
        return value

    def _flag(self, name: str, default: bool) -> bool:
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise self._error(name, value, "set True or False")
        return value

    def _choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._get(name, choices[0])
        if value not in choices:
            raise self._error(name, value, "set one of " + ", ".join(f'"{choice}"' for choice in choices))
        return cast(str, value)

    def _rates(self, name: str, default: Mapping[str, str]) -> dict[str, Rate]:
        value = self._get(name, default)
        if not isinstance(value, Mapping) or not set(value) <= set(default):
            keys = ", ".join(f'"{key}"' for key in default)
            raise self._error(name, value, f"set a dict with some of {keys}")
        return {key: self._rate(name, rate) for key, rate in {**default, **value}.items()}

    def _rate(self, name: str, value: Any) -> Rate:
        match = RATE.fullmatch(value) if isinstance(value, str) else None
        if not match:
            raise self._error(name, value, 'write each limit as a number per s, min, h or d: "20/h"')
        return int(match[1]), UNITS[match[2]]

    def _error(self, name: str, value: Any, way_out: str) -> SettingError:
        return SettingError(f"{PREFIX}{name} is {value}: {way_out}.")


conf = Conf()
