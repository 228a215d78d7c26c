"""The cookies that stand in for the link, before and after it is used: signed, timed, and without the token."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .. import paths, tokens
from ..exceptions import LinkProblem
from ..resets import Grant

# The browser keeps a `__Host-` cookie to this host and to https; over plain http there is no such thing.
# Django's error reports hide the values of cookies that are called a secret.
SECURE_NAME, PLAIN_NAME = "__Host-mr_grant_secret", "mr_grant_secret"
SECURE_USED, PLAIN_USED = "__Host-mr_used_secret", "mr_used_secret"


def keep(response: HttpResponse, request: HttpRequest, found: Grant | LinkProblem) -> None:
    """Give the browser what the link turned out to be."""
    value = tokens.seal(found.selector, found.proof) if isinstance(found, Grant) else tokens.seal_problem(found)
    _set(response, request, _name(request), value, tokens.GRANT_LIFETIME)


def held(request: HttpRequest) -> Grant | LinkProblem | None:
    """What the browser brings; None when it brings nothing, or nothing of ours from the last 30 minutes."""
    found = tokens.unseal(request.COOKIES.get(_name(request), ""))
    return Grant(*found) if isinstance(found, tuple) else found


def is_other(grant: Grant | LinkProblem | None, *, than: str) -> bool:
    """Whether this browser opened another link after the one whose form it sends; not if it brings nothing."""
    return grant is not None and (not isinstance(grant, Grant) or grant.selector != than)


def drop(response: HttpResponse, request: HttpRequest, *, used: Grant) -> None:
    """Take the grant of a link that was used, and leave what says so: a browser's Back leads to the form again."""
    _set(response, request, _name(request), "", timedelta())
    _set(response, request, _used_name(request), tokens.seal_used(used.selector), tokens.USED_LIFETIME)


def forget_selector(response: HttpResponse, request: HttpRequest) -> None:
    """Keep that a link was used, and no longer which: who comes to this browser next learns no name."""
    _set(response, request, _used_name(request), tokens.seal_used(""), tokens.USED_LIFETIME)


def used(request: HttpRequest) -> str | None:
    """The selector of the link that this browser used a moment ago, empty once it was told; else None."""
    return tokens.unseal_used(request.COOKIES.get(_used_name(request), ""))


def _set(response: HttpResponse, request: HttpRequest, name: str, value: str, lifetime: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=lifetime,
        # Browsers take a `__Host-` cookie for the whole host alone.
        path="/" if name.startswith("__Host-") else paths.home(),
        secure=_is_secure(request),
        httponly=True,
        # Not Strict: after a click in webmail, the redirect is still part of a cross-site navigation.
        samesite="Lax",
    )


def _name(request: HttpRequest) -> str:
    return SECURE_NAME if _is_secure(request) else PLAIN_NAME


def _used_name(request: HttpRequest) -> str:
    return SECURE_USED if _is_secure(request) else PLAIN_USED


def _is_secure(request: HttpRequest) -> bool:
    """Whether the browser came by https. Where a proxy does not tell, the site says so of its session's cookie."""
    return request.is_secure() or settings.SESSION_COOKIE_SECURE
