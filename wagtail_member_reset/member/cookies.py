"""How our cookies are given to a browser, and read: to this host alone, and to no script."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .. import paths

# The browser keeps such a cookie to this host and to https; over plain http there is no such thing.
HOST = "__Host-"


def keep(response: HttpResponse, request: HttpRequest, name: str, value: str, lifetime: timedelta) -> None:
    """Give the browser a cookie; with a lifetime of nothing, take it."""
    is_secure = _is_secure(request)
    response.set_cookie(
        HOST + name if is_secure else name,
        value,
        max_age=lifetime,
        # Browsers take a `__Host-` cookie for the whole host alone.
        path="/" if is_secure else paths.home(),
        secure=is_secure,
        httponly=True,
        # Not Strict: after a click in webmail, the redirect is still part of a cross-site navigation.
        samesite="Lax",
    )


def brought(request: HttpRequest, name: str) -> str:
    """The value that the browser brings; empty for none."""
    return request.COOKIES.get(HOST + name if _is_secure(request) else name, "")


def _is_secure(request: HttpRequest) -> bool:
    """Whether the browser came by https. Where a proxy does not tell, the site says so of its session's cookie."""
    return request.is_secure() or settings.SESSION_COOKIE_SECURE
