"""
The page that a visitor wanted when they were asked to sign in, and to which they come back in the end.

Their own browser keeps it, from the request to the new password, in a signed cookie. On a row, whoever knows the
address could have chosen where the member's link leads in the end.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import unquote

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404
from django.utils.http import url_has_allowed_host_and_scheme

from .. import paths
from ..accounts import address_key
from ..ids import SALT
from ..redact import has_link
from . import cookies

LONGEST = 200
# For how long the browser keeps it: most emails are followed within the day.
LIFETIME = timedelta(days=1)
LONGEST_COOKIE = 3000
COOKIE = "mr_next"
# No proxy and no sign-in page decodes what it is given more often than this.
MOST_DECODED = 10
OURS = "wagtail_member_reset"


def allowed(wanted: str) -> str:
    """
    The same page, if somebody may be sent there; else nothing, and nobody is told.

    It is a path on this very site, with its query. No host is compared, since whatever names one is left out. Our own
    pages are no place to come back to, and what holds a personal link must be kept nowhere.
    """
    wanted = wanted.partition("#")[0] if len(wanted) <= LONGEST else ""
    # Whatever decodes it once more, as some proxies and login pages do, must find a path of this site, too.
    read = wanted
    for _time in range(MOST_DECODED):
        if not _is_path(read) or has_link(read) or _is_ours(read.partition("?")[0]):
            return ""
        before, read = read, unquote(read)
        if read == before:
            return wanted
    return ""


def keep(response: HttpResponse, request: HttpRequest, wanted: str, *, address: str) -> None:
    """Have the browser keep the page that somebody wanted who asked for a link to `address`; or none any more."""
    if wanted:
        value = signing.dumps(wanted, salt=_salt(address), compress=True)
        cookies.keep(response, request, COOKIE, value, LIFETIME)
    else:
        drop(response, request)


def kept(request: HttpRequest, *, address: str) -> str:
    """The page that was wanted in this browser by who asked for a link to this very address; else nothing."""
    value = cookies.brought(request, COOKIE)
    if not value or len(value) > LONGEST_COOKIE:
        return ""
    try:
        return allowed(str(signing.loads(value, salt=_salt(address), max_age=LIFETIME)))
    except signing.BadSignature:
        return ""


def drop(response: HttpResponse, request: HttpRequest) -> None:
    if cookies.brought(request, COOKIE):
        cookies.keep(response, request, COOKIE, "", timedelta())


def _salt(address: str) -> str:
    """One for each address: the page of who asked for theirs is nothing to a link that went to another one."""
    return f"{SALT}next:{address_key(address)}"


def _is_path(text: str) -> bool:
    is_local = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return is_local and text.isprintable() and url_has_allowed_host_and_scheme(text, allowed_hosts=None)


def _is_ours(path: str) -> bool:
    try:
        return OURS in paths.answering(path).namespaces
    except Resolver404:  # something else on this host may answer
        return False
