"""The button of our bulk action in Wagtail's user listing, which is there only for who may use it."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.urls import reverse
from django.utils.html import escape

from ..accounts import may_see_listing
from . import permissions

ACTION = "send_member_resets"


def may_use(actor: Any) -> bool:
    return permissions.may_send_mailings(actor) and may_see_listing(actor)


def take_out(response: HttpResponse) -> None:
    """
    Take the button out of a page that was just rendered.

    Wagtail reads once for all readers which bulk actions there are, and asks nobody whether to show one.
    """
    model = get_user_model()._meta
    url = reverse("wagtail_bulk_action", args=[model.app_label, model.model_name, ACTION])
    # Older versions of Wagtail say in the address where it leads back to.
    link = rf'<a\b[^>]*\bhref="{re.escape(escape(url))}(?:\?[^"]*)?"[^>]*>.*?</a>'
    page = response.content.decode(response.charset)
    response.content = re.sub(rf"<li>\s*{link}\s*</li>|{link}", "", page, flags=re.DOTALL)
