"""The cookie that stands in for the link: signed, timed, and without the token."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from .. import tokens
from ..exceptions import LinkProblem
from ..resets import Grant

# The browser keeps a `__Host-` cookie to this host and to https; over plain http there is no such thing.
SECURE_NAME, PLAIN_NAME = "__Host-mr_grant", "mr_grant"


def keep(response: HttpResponse, request: HttpRequest, found: Grant | LinkProblem) -> None:
    """Give the browser what the link turned out to be."""
    value = tokens.seal(found.selector, found.proof) if isinstance(found, Grant) else tokens.seal_problem(found)
    response.set_cookie(
        _name(request),
        value,
        max_age=tokens.GRANT_LIFETIME,
        path="/",
        secure=request.is_secure(),
        httponly=True,
        # Not Strict: after a click in webmail, the redirect is still part of a cross-site navigation.
        samesite="Lax",
    )


def held(request: HttpRequest) -> Grant | LinkProblem | None:
    """What the browser brings; None when it brings nothing, or nothing of ours from the last 30 minutes."""
    found = tokens.unseal(request.COOKIES.get(_name(request), ""))
    return Grant(*found) if isinstance(found, tuple) else found


def is_other(grant: Grant | LinkProblem | None, *, than: str) -> bool:
    """Whether this browser opened another link after the one whose form it sends; not if it brings nothing."""
    return grant is not None and (not isinstance(grant, Grant) or grant.selector != than)


def drop(response: HttpResponse, request: HttpRequest) -> None:
    name = _name(request)
    response.set_cookie(name, "", max_age=0, path="/", secure=request.is_secure(), httponly=True, samesite="Lax")


def _name(request: HttpRequest) -> str:
    return SECURE_NAME if request.is_secure() else PLAIN_NAME
