"""Setting a person aside on the list of who needs help: "Later" and "Dealt with", with a note."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from wagtail.admin.utils import get_user_display_name

from .. import ids, needs_help, redact
from ..accounts import address_of, one_line_of_text
from ..models import NeedsHelp
from . import mailing_pages, needs_help_words, permissions
from .media import MAILING_MEDIA
from .member_pages import find

LATER = timedelta(days=7)


@require_http_methods(["GET", "HEAD", "POST"])
def aside(request: HttpRequest, pk: str) -> HttpResponse:
    """
    Ask for a note, and set the person aside. Nothing changes where a colleague was faster, or something new happened.

    For who may send to the person.
    """
    row = _find(request, pk)
    back = reverse("wagtail_member_reset_admin:needs_help")
    seen = ids.digest("needs-help", f"{row.pk}|{row.reason}|{row.shelf}|{row.noted_at}")
    if request.method == "POST":
        if request.POST.get("seen") == seen and _set_aside(request, row):
            messages.success(request, _("Noted for %(name)s.") % {"name": get_user_display_name(row.member)})
        else:
            messages.warning(request, _("Nothing was changed: something has happened here meanwhile. Look again."))
        return redirect(back)
    title = get_user_display_name(row.member)
    context = {
        "row": row,
        "address": address_of(row.member),
        "reason": row.get_reason_display(),
        "state": needs_help_words.state(row),
        "noted": needs_help_words.noted(row),
        "seen": seen,
        "back_url": back,
        "page_title": title,
        "header_title": title,
        "header_icon": "warning",
        "page_media": MAILING_MEDIA,
    }
    return mailing_pages.guarded(render(request, mailing_pages.TEMPLATES + "needs_help_aside.html", context))


def _find(request: HttpRequest, pk: str) -> NeedsHelp:
    if not permissions.may_see_resets(request.user):
        raise PermissionDenied
    member = find(pk)
    # Before the row is looked for: whether there is one is for who may help.
    if not permissions.rights(request.user, member).send:
        raise PermissionDenied
    row = get_object_or_404(NeedsHelp, pk=member.pk, reason__isnull=False)
    row.member = member
    return row


def _set_aside(request: HttpRequest, row: NeedsHelp) -> bool:
    note, by = redact.blank_out_any(one_line_of_text(request.POST.get("note", ""))), request.user
    actions: dict[str, Any] = {
        "later": lambda: needs_help.put_off(row, until=timezone.now() + LATER, note=note, by=by),
        "done": lambda: needs_help.deal_with(row, note=note, by=by),
        "open": lambda: needs_help.reopen(row, note=note, by=by),
    }
    action = actions.get(request.POST.get("shelf", ""))
    return action is not None and bool(action())
