"""The headers of the members' pages. They are ours, and do not wait for a middleware, unless the view set its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from ..conf import conf
from ..exceptions import SettingError

POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
REDIRECT_POLICY = "default-src 'none'; frame-ancestors 'none'"

View = Callable[..., HttpResponse]


def guarded(view: View) -> View:
    """For pages: kept by no cache, found by no search engine, framed by nobody, loading nothing from elsewhere."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        # Not no-referrer: on a page with a form it makes browsers hide the origin, which Django's CSRF check needs.
        response.setdefault("Referrer-Policy", "same-origin")
        if policy := _policy():
            response.setdefault("Content-Security-Policy", policy)
        return _common(response)

    return wrapped


def guarded_redirect(view: View) -> View:
    """For the address with the token in it: an empty answer, from which no page learns where it came from."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response["Content-Security-Policy"] = REDIRECT_POLICY
        return _common(response)

    return wrapped


def _policy() -> str:
    try:
        adapted = conf.CSP
    except SettingError:  # a check names it; a password that was just saved must not end in an error page
        adapted = {}
    if adapted is None:
        return ""
    return "; ".join(f"{name} {value}".strip() for name, value in {**POLICY, **adapted}.items())


def _common(response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    patch_vary_headers(response, ["Cookie"])
    response.setdefault("X-Robots-Tag", "noindex, nofollow")
    response.setdefault("X-Frame-Options", "DENY")
    response.setdefault("X-Content-Type-Options", "nosniff")
    response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    return response
