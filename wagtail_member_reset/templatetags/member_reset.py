"""
Puts the Settings tab into the markup of the site's own user edit form, copying nothing of it; and the filters of our
templates.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince, timeuntil

from .. import languages, moments
from ..redact import Redacted

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """A number as it is written: 100,000 or 100.000."""
    return str(number_format(number, use_l10n=True, force_grouping=True))


TEMPLATE = "wagtail_member_reset/staff/tab.html"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class TabParser(HTMLParser):
    """Finds where the tab list ends, and where the element ends that holds the panels."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._line_starts = [0]
        for line in html.split("\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)
        self._open: list[tuple[str, str]] = []
        self._panels_depth: int | None = None
        self.list_end: int | None = None
        self.panels_end: int | None = None
        try:
            self.feed(html)
            self.close()
        except AssertionError:
            # Some Pythons give up on a declaration like "<![x[ ]]>": then no place is to be trusted.
            self.list_end = self.panels_end = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        role = dict(attrs).get("role") or ""
        if role == "tabpanel" and self._panels_depth is None:
            self._panels_depth = len(self._open)
        self._open.append((tag, role))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in (name for name, _role in self._open):
            return
        while self._open[-1][0] != tag:  # an optional end tag was left out, as of <li>
            self._open.pop()
        role = self._open.pop()[1]
        line, column = self.getpos()
        here = self._line_starts[line - 1] + column
        if role == "tablist" and self.list_end is None:
            self.list_end = here
        if self._panels_depth is not None and self.panels_end is None and len(self._open) == self._panels_depth - 1:
            self.panels_end = here


@register.filter
def in_words(duration: timedelta) -> str:
    """A duration in the language of our words beside, as "16 hours" or "1 week": computed, never written down."""
    now = timezone.now()
    with translation.override(languages.here() or None):
        return timesince(now - duration, now)


@register.filter
def duration(moment: datetime) -> str:
    """How long ago a moment is, as "2 hours", in the language of our words beside."""
    with translation.override(languages.here() or None):
        return timesince(moment, depth=1)


@register.filter
def time_left(moment: datetime) -> str:
    """How long until a moment, as "6 days, 3 hours", in the language of our words beside."""
    with translation.override(languages.here() or None):
        return timeuntil(moment)


@register.filter
def is_just_now(moment: datetime) -> bool:
    return timezone.now() - moment < timedelta(minutes=1)


@register.simple_tag
def our_language() -> str:
    """Attributes for an element with our words in it, where these are in another language than the admin."""
    language = languages.here()
    if not language or not languages.is_foreign(language):
        return ""
    with translation.override(language):
        direction = "rtl" if languages.is_right_to_left() else "ltr"
    return format_html('lang="{}" dir="{}"', language, direction)


@register.filter(expects_localtime=True)
def moment(value: datetime | None) -> str:
    """Date and time in the reader's language and zone."""
    return moments.date_and_time(value) if value else ""


@register.filter(expects_localtime=True)
def day(value: datetime) -> str:
    """The date alone."""
    return moments.date(value)


@register.filter(expects_localtime=True)
def last_moment(value: datetime | None) -> str:
    """The same of a moment at which something ends: at midnight, the minute before."""
    return moments.deadline(value) if value else ""


@register.simple_tag(takes_context=True)
def redacted(context: Any, name: str) -> Redacted:
    """Another template's markup, for a template that is not ours: what that one logs has no link in it."""
    return Redacted(render_to_string(name, context.flatten()))


@register.simple_tag(takes_context=True)
def tab_panel(context: Any) -> SafeString:
    """The panel in a page of Wagtail's, which keeps what the panel needs under one name."""
    values = context.flatten()
    return render_to_string("wagtail_member_reset/staff/panel.html", {**values, **values.get("member_reset", {})})


@register.simple_block_tag(takes_context=True)
def settings_tab(context: Any, content: str) -> SafeString:
    """
    The form's markup with our tab and panel in it.

    Where no tab list is found, the panel stands visibly below the form's fields.
    """
    values = context.flatten()
    found = TabParser(content)
    if found.list_end is None or found.panels_end is None or found.panels_end < found.list_end:
        return mark_safe(content + render_to_string(TEMPLATE, {**values, "is_tab": False}))
    nav = render_to_string("wagtail_member_reset/staff/tab_nav.html", values)
    panel = render_to_string(TEMPLATE, {**values, "is_tab": True})
    first, second = found.list_end, found.panels_end
    return mark_safe(content[:first] + nav + content[first:second] + panel + content[second:])
