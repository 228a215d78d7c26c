"""Reset pages of others that the site still serves beside ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.views import PasswordResetView
from django.core.checks import CheckMessage, Tags, Warning, register
from django.urls import Resolver404, URLResolver, get_resolver, resolve
from django.utils.regex_helper import normalize


@register(Tags.urls, deploy=True)
def check_other_pages(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Before deployment alone: while a site is built, its pages come and go."""
    found = dict(_reset_pages(get_resolver()))
    return [_warning(path, view) for path, view in found.items() if _is_answered_by(path, view)]


def _reset_pages(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, type]]:
    """Path and class of every reset page that is routed, whatever it is called and in whichever namespace."""
    for pattern in resolver.url_patterns:
        regex = prefix + pattern.pattern.regex.pattern.removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from _reset_pages(pattern, regex)
        elif (view := _reset_view(pattern.callback)) and (path := _path_of(regex)):
            yield path, view


def _reset_view(callback: Any) -> type | None:
    view = getattr(callback, "view_class", None)
    if view is None or not (issubclass(view, PasswordResetView) or _allauths(view)):
        return None
    # Wagtail routes its page in any case, which answers 404 where it is switched off.
    is_wagtails = any(base.__module__.startswith("wagtail.") for base in view.__mro__)
    return None if is_wagtails and not _wagtail_resets() else view


def _allauths(view: type) -> bool:
    # By name, since allauth is no dependency; its module became a folder in the meantime.
    return any(base.__name__ == "PasswordResetView" and base.__module__.startswith("allauth.") for base in view.__mro__)


def _wagtail_resets() -> bool:
    """As Wagtail decides it."""
    managed = getattr(settings, "WAGTAIL_PASSWORD_MANAGEMENT_ENABLED", True)
    return bool(getattr(settings, "WAGTAIL_PASSWORD_RESET_ENABLED", managed))


def _path_of(regex: str) -> str:
    """An address that the regular expression matches; none where a part of it differs from visitor to visitor."""
    path, parameters = normalize(regex)[0]
    return "" if parameters else f"/{path}"


def _is_answered_by(path: str, view: type) -> bool:
    """Not where something else answers, as a redirect to ours that stands above it."""
    try:
        return getattr(resolve(path).func, "view_class", None) is view
    except Resolver404:
        return False


def _warning(path: str, view: type) -> CheckMessage:
    if issubclass(view, PasswordResetView):
        trouble = (
            "which sends nothing, silently, to accounts without a password, and tells strangers by its time who has "
            "an account"
        )
    else:
        trouble = "whose emails and links the Settings tab knows nothing of"
    line = f'path("{path.removeprefix("/")}", RedirectView.as_view(pattern_name="wagtail_member_reset:password_reset"))'
    return Warning(
        f"{path} still serves {view.__module__}.{view.__qualname__}, {trouble}.",
        hint=f"Import RedirectView from django.views.generic, and put {line} in the URL configuration, above the line "
        "that serves that page now.",
        id="wagtail_member_reset.W003",
    )
