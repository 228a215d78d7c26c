"""The place of all pages for staff in Wagtail's menu: "Member sign-in"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem

from ..accounts import has_passwords
from . import permissions

# In this order: the label, the page, its icon, and for whom it is.
PAGES: list[tuple[Promise, str, str, Callable[[Any], bool]]] = [
    (_("Find a person"), "desk", "search", permissions.may_send),
    (_("Needs help"), "needs_help", "warning", permissions.may_see_resets),
    (_("Mailings"), "mailings", "mail", permissions.may_send_mailings),
    (_("Email texts"), "email_texts", "doc-full", permissions.may_edit_texts),
    (_("Sender"), "sender", "mail", permissions.may_see_senders),
]
# Views of Wagtail's own have a namespace of their own, a snippet's only where snippets are installed.
ELSEWHERE = {
    "email_texts": "wagtailsnippets_wagtail_member_reset_emailtext:list",
    "sender": "wagtail_member_reset_sender:index",
}


class PageMenuItem(MenuItem):  # type: ignore[misc]
    """One page, for whom `is_for` holds."""

    def __init__(self, label: str | Promise, page: str, *, is_for: Callable[[Any], bool], **kwargs: Any) -> None:
        name = f"member-reset-{page.replace('_', '-')}"
        url = reverse(ELSEWHERE.get(page, f"wagtail_member_reset_admin:{page}"))
        super().__init__(label, url, name=name, **kwargs)
        self._is_for = is_for

    def is_shown(self, request: HttpRequest) -> bool:
        return has_passwords() and self._is_for(request.user)


def member_sign_in() -> SubmenuMenuItem:
    """The menu's item, with those pages that the reader may open. Wagtail hides it where there are none."""
    pages = [
        PageMenuItem(label, page, is_for=is_for, icon_name=icon, order=order)
        for order, (label, page, icon, is_for) in enumerate(PAGES)
        if page != "email_texts" or apps.is_installed("wagtail.snippets")
    ]
    return SubmenuMenuItem(_("Member sign-in"), Menu(items=pages), name="member-sign-in", icon_name="key", order=950)
