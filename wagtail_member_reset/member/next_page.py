"""The page that a visitor wanted when they were asked to sign in, and to which they come back in the end."""

from __future__ import annotations

from urllib.parse import unquote

from django.urls import Resolver404
from django.utils.http import url_has_allowed_host_and_scheme

from .. import paths
from ..redact import has_link

# As long as the columns that keep it.
LONGEST = 200
OURS = "wagtail_member_reset"


def allowed(wanted: str) -> str:
    """
    The same page, if somebody may be sent there; else nothing, and nobody is told.

    It is a path on this very site, with its query. No host is compared, since whatever names one is left out. Our own
    pages are no place to come back to, and what holds a personal link must be kept nowhere.
    """
    wanted = wanted.partition("#")[0] if len(wanted) <= LONGEST else ""
    # Whatever decodes it once more, as some proxies and login pages do, must find a path of this site, too.
    decoded = unquote(unquote(wanted))
    if not all(map(_is_path, (wanted, unquote(wanted), decoded))):
        return ""
    return "" if has_link(decoded) or _is_ours(decoded.partition("?")[0]) else wanted


def _is_path(text: str) -> bool:
    is_local = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return is_local and text.isprintable() and url_has_allowed_host_and_scheme(text, allowed_hosts=None)


def _is_ours(path: str) -> bool:
    try:
        return OURS in paths.answering(path).namespaces
    except Resolver404:  # something else on this host may answer
        return False
