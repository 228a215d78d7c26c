"""The cookies that stand in for the link, before and after it is used: signed, timed, and without the token."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse

from .. import tokens
from ..exceptions import LinkProblem
from ..resets import Grant
from . import cookies

# Django's error reports hide the values of cookies that are called a secret.
GRANT, USED = "mr_grant_secret", "mr_used_secret"


def keep(response: HttpResponse, request: HttpRequest, found: Grant | LinkProblem) -> None:
    """Give the browser what the link turned out to be."""
    value = tokens.seal(found.selector, found.proof) if isinstance(found, Grant) else tokens.seal_problem(found)
    cookies.keep(response, request, GRANT, value, tokens.GRANT_LIFETIME)


def held(request: HttpRequest) -> Grant | LinkProblem | None:
    """What the browser brings; None when it brings nothing, or nothing of ours from the last 30 minutes."""
    found = tokens.unseal(cookies.brought(request, GRANT))
    return Grant(*found) if isinstance(found, tuple) else found


def is_other(grant: Grant | LinkProblem | None, *, than: str) -> bool:
    """Whether this browser opened another link after the one whose form it sends; not if it brings nothing."""
    return grant is not None and (not isinstance(grant, Grant) or grant.selector != than)


def drop(response: HttpResponse, request: HttpRequest, *, used: Grant) -> None:
    """Take the grant of a link that was used, and leave what says so: a browser's Back leads to the form again."""
    cookies.keep(response, request, GRANT, "", timedelta())
    cookies.keep(response, request, USED, tokens.seal_used(used.selector), tokens.USED_LIFETIME)


def forget_selector(response: HttpResponse, request: HttpRequest) -> None:
    """Keep that a link was used, and no longer which: who comes to this browser next learns no name."""
    cookies.keep(response, request, USED, tokens.seal_used(""), tokens.USED_LIFETIME)


def used(request: HttpRequest) -> str | None:
    """The selector of the link that this browser used a moment ago, empty once it was told; else None."""
    return tokens.unseal_used(cookies.brought(request, USED))
