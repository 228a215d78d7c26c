"""The preview of a text that editors write."""

from __future__ import annotations

import logging
import re
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from ..accounts import language_of
from ..models import EmailText
from ..outbox import Content, sample_of_text
from ..texts import OwnPages, Words, problems

logger = logging.getLogger("wagtail_member_reset")

register = template.Library()


@register.simple_tag
def email_text_preview(text: EmailText, mode: str, reader: Any) -> SafeString:
    """
    A text as a whole page: its email, for a sample member and with a link that is none. What keeps it from being
    published stands above it.
    """
    try:
        content, broken = sample_of_text(text), False
    except Exception as error:  # whatever a template of the site's raises
        logger.error("text=%s: the preview cannot be made: %s", text.pk, type(error).__name__)
        content, broken = Content("", "", "<!doctype html><body></body>"), True
    with translation.override(language_of(reader)):
        wrong = problems(Words.of(text), text.purpose, own=OwnPages())
        named = [(text.label_of(field), messages) for field, messages in wrong.items()]
        about = {"broken": broken, "problems": named, "content": content, "is_text": mode == "text", "text": text}
        head = render_to_string("wagtail_member_reset/staff/email_text_preview_head.html", about)
    if mode == "text":
        return head
    # Mail programs decide by their own setting; here, it is the mode that is looked at.
    shown = "all" if mode == "dark" else "not all"
    html = content.html.replace("(prefers-color-scheme: dark)", shown)
    html = re.sub(r"(<body[^>]*>)", lambda body: body[1] + head, html, count=1)
    return mark_safe(html)
