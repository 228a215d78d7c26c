"""What the Settings tab shows of one member to one member of staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.utils import get_user_display_name
from wagtail.models import Site

from .. import links, resets
from ..conf import conf
from ..models import PasswordReset
from ..resets import Standing, Status
from . import permissions

# A mail that is due for this long tells that nothing carries mails on this site.
OVERDUE = timedelta(minutes=5)


def context(actor: Any, member: Any, *, reveal: bool = False) -> dict[str, Any]:
    """
    Everything that the panel's templates need.

    The link is in it only where the actor may see it, the window is open, and it is
    shown at once or was asked for (`reveal`); showing it is noted on the reset.
    """
    values = facts(actor, member)
    status, rights = values["status"], values["rights"]
    link = resets.link(status.reset) if rights.link and status.standing == Standing.WAITING else None
    is_hidden = link is not None and conf.LINK_DISPLAY == "reveal" and not reveal
    if link and not is_hidden:
        resets.note_shown(status.reset)
    return {**values, "link": None if is_hidden else link, "is_hidden": is_hidden}


def facts(actor: Any, member: Any) -> dict[str, Any]:
    """What there is to say of the member's reset, without its link."""
    status, rights = resets.status(member), permissions.rights(actor, member)
    return {
        "member": member,
        "name": getattr(member, "first_name", "") or get_user_display_name(member),
        "status": status,
        "rights": rights,
        "is_own": actor.pk == member.pk,
        "is_overdue": _is_overdue(status),
        "is_placeholder": _is_placeholder(status.reset),
        "window": conf.STATUS_WINDOW,
        "lifetime": conf.LINK_LIFETIME,
        "urls": urls(member),
        "back_url": back_url(actor, member),
    }


def urls(member: Any) -> dict[str, str]:
    names = ("panel", "send", "revoke", "reveal", "copied")
    return {name: reverse(f"wagtail_member_reset_admin:{name}", args=[quote(member.pk)]) for name in names}


def edit_url(member: Any) -> str:
    """The Settings tab of the member's own page in the user admin."""
    return reverse("wagtailusers_users:edit", args=[quote(member.pk)]) + "#tab-settings"


def back_url(actor: Any, member: Any) -> str:
    """Where a plain request leads in the end: the Settings tab, for who may open it."""
    return edit_url(member) if permissions.rights(actor, member).change else reverse("wagtailadmin_home")


def _is_overdue(status: Status) -> bool:
    email = status.email
    return bool(email and email.is_waiting and not email.attempts and timezone.now() - email.created_at > OVERDUE)


def _is_placeholder(reset: PasswordReset | None) -> bool:
    """Whether the member could not follow a link; asks the database only where no setting names the address."""
    if conf.BASE_URL:
        return False
    return links.is_placeholder(reset.site if reset else Site.objects.filter(is_default_site=True).first())
