"""What is stored about one person: to download, and to erase."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from wagtail.admin.utils import get_user_display_name

from .. import accounts, do_not_email, personal_data, resets
from ..exceptions import ErasureRefused
from ..models import DoNotEmailReason
from . import panel as panels
from . import permissions
from .member_pages import find, guarded, page, require


@require_GET
@transaction.non_atomic_requests
def download(request: HttpRequest, pk: str) -> HttpResponse:
    """All of it as a file of JSON, which the log notes."""
    member = find(pk)
    require(request, member, "export")
    personal_data.note_exported(member, by=request.user)
    told = personal_data.export(member)
    response = JsonResponse(told, json_dumps_params={"indent": 2, "ensure_ascii": False})
    # Named by the key: a name or an address would stand in the browser's history.
    response["Content-Disposition"] = f'attachment; filename="member-{member.pk}.json"'
    return guarded(response)


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.non_atomic_requests
def erase(request: HttpRequest, pk: str) -> HttpResponse:
    """A GET says what goes and what stays; the POST erases, and notes "Do not email" if that was ticked."""
    member = find(pk)
    require(request, member, "erase")
    offers_note = permissions.rights(request.user, member).send and not accounts.do_not_email_of(member)
    if request.method == "POST":
        try:
            personal_data.erase(member, by=request.user)
        except ErasureRefused:
            messages.error(
                request,
                _(
                    "An email to this person is being sent, or a mailing that names them is under way. "
                    "Nothing was erased: try again in a minute."
                ),
            )
        else:
            if offers_note and request.POST.get("do_not_email"):
                do_not_email.note(member, reason=DoNotEmailReason.ASKED_NOT_TO, by=request.user)
            said = _("What was stored about %(name)s was erased.") % {"name": get_user_display_name(member)}
            messages.success(request, said)
            return guarded(redirect(_afterwards(request, member)))
    return page(request, member, "erase.html", {**_context(request, member), "offers_note": offers_note})


def _context(request: HttpRequest, member: Any) -> dict[str, Any]:
    rights, status = permissions.rights(request.user, member), resets.status(member)
    return {
        "name": get_user_display_name(member),
        "status": status,
        "rights": rights,
        "urls": panels.urls(member),
        "back_url": _afterwards(request, member),
    }


def _afterwards(request: HttpRequest, member: Any) -> str:
    """The member's panel, for who may see it."""
    may_see = permissions.may_change(request.user) or permissions.rights(request.user, member).view
    return panels.page_url(request.user, member) if may_see else reverse("wagtailadmin_home")
