"""The place of all pages for staff in Wagtail's menu: "Member sign-in"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem

from ..accounts import has_passwords
from . import permissions


class PageMenuItem(MenuItem):  # type: ignore[misc]
    """One page, for whom `is_for` holds."""

    def __init__(self, label: str | Promise, page: str, *, is_for: Callable[[Any], bool], **kwargs: Any) -> None:
        super().__init__(label, reverse(f"wagtail_member_reset_admin:{page}"), **kwargs)
        self._is_for = is_for

    def is_shown(self, request: HttpRequest) -> bool:
        return has_passwords() and self._is_for(request.user)


def member_sign_in() -> SubmenuMenuItem:
    """The menu's item, with those pages that the reader may open. Wagtail hides it where there are none."""
    pages = [
        PageMenuItem(
            _("Find a person"),
            "desk",
            is_for=permissions.may_send,
            name="member-reset-desk",
            icon_name="search",
            order=100,
        ),
        PageMenuItem(
            _("Needs help"),
            "needs_help",
            is_for=permissions.may_see_needs_help,
            name="member-reset-needs-help",
            icon_name="warning",
            order=200,
        ),
        PageMenuItem(
            _("Mailings"),
            "mailings",
            is_for=permissions.may_send_mailings,
            name="member-reset-mailings",
            icon_name="mail",
            order=300,
        ),
    ]
    return SubmenuMenuItem(_("Member sign-in"), Menu(items=pages), name="member-sign-in", icon_name="key", order=950)
