"""Where members sign in."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import global_settings, settings
from django.http import QueryDict
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, reverse

from .. import paths


def url(next_path: str = "") -> str:
    """Where members sign in, on the way to the page that they wanted; empty where there is no such place."""
    login = _login_url()
    path, _mark, query = login.partition("?")
    # Another host has no page of ours, and who signs in is not to come back to where that is done.
    if not next_path or not _is_here(path) or next_path.partition("?")[0] == path:
        return login
    asked = QueryDict(query, mutable=True)
    asked["next"] = next_path
    return f"{path}?{asked.urlencode(safe='/')}"


def _is_here(path: str) -> bool:
    return path.startswith("/") and not path.startswith("//")


def _login_url() -> str:
    """The page set for the website, else Django's setting, else Wagtail's own page."""
    chosen = [getattr(settings, "WAGTAIL_FRONTEND_LOGIN_URL", None)]
    if settings.LOGIN_URL != global_settings.LOGIN_URL or _is_routed(str(settings.LOGIN_URL)):
        chosen.append(settings.LOGIN_URL)
    for target in filter(None, chosen):
        try:
            return _below(resolve_url(target))
        except NoReverseMatch:
            continue
    try:
        # Without `next`, Django goes on to LOGIN_REDIRECT_URL, which leads nowhere unless the site has set it.
        return f"{reverse('wagtailcore_login')}?next={quote(paths.home())}"
    except NoReverseMatch:
        return ""


def _below(path: str) -> str:
    """The same below the path that the site is served at, where a setting leaves that out of one of its own pages."""
    home = paths.home()
    is_outside = path.startswith("/") and not path.startswith(home)
    return home + path.removeprefix("/") if is_outside and _is_routed(path.partition("?")[0]) else path


def _is_routed(path: str) -> bool:
    """Whether a view of the site's own answers: Wagtail's pages match every address, also those without a page."""
    try:
        return paths.answering(path).url_name != "wagtail_serve"
    except Resolver404:
        return False
