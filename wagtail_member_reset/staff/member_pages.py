"""What the pages and fragments about one member have in common: who may ask, their header, and no caching."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _
from wagtail.admin.utils import get_user_display_name

from .. import resets
from . import permissions
from .media import MEDIA

TEMPLATES = "wagtail_member_reset/staff/"


def find(pk: str) -> Any:
    """The member of an address; a 404 where there is none."""
    try:
        return get_user_model()._default_manager.get(pk=unquote(pk))
    except (get_user_model().DoesNotExist, ValueError, OverflowError, ValidationError) as error:
        raise Http404 from error


def require(request: HttpRequest, member: Any, right: str) -> None:
    """Let nobody on who lacks the right, and log who tries to change something without it."""
    if getattr(permissions.rights(request.user, member), right):
        return
    if request.method == "POST":
        resets.note_refused(member, by=request.user)
    raise PermissionDenied


def page(request: HttpRequest, member: Any, template: str, context: dict[str, Any]) -> HttpResponse:
    """A page of its own, for who has no script or may not open the account."""
    name = get_user_display_name(member)
    title = _("Password reset for %(name)s") % {"name": name}
    header = {"page_title": title, "header_title": title, "header_icon": "key", "page_media": MEDIA}
    return guarded(render(request, TEMPLATES + template, {**context, **header}))


def is_fetch(request: HttpRequest) -> bool:
    return request.headers.get("x-requested-with") == "XMLHttpRequest"


def guarded(response: HttpResponse) -> HttpResponse:
    """A response that may hold a link stays in no cache, and in nobody's frame."""
    add_never_cache_headers(response)
    patch_cache_control(response, no_store=True)
    response["Referrer-Policy"] = "same-origin"
    response["X-Frame-Options"] = "DENY"
    return response
