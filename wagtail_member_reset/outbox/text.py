"""
The mails' texts: compiled once per purpose and language, then filled per member.

A template, ours or a site's override, is rendered with a marker for each slot. What
comes out is cut at the markers, and filling is joining: one member or a hundred
thousand, preview or real mail, it is the same call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import formats, timezone, translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from .. import languages, moments
from ..accounts import one_line
from ..exceptions import TemplateSlotError
from ..models import WITHOUT_LINK
from ..senders import Sender

SLOTS = ("first_name", "username", "link", "valid_until", "site_name", "support_contact", "paragraph")
# What every template of an email with a link has to hold, where there is something to say.
NEEDED = ("link", "paragraph")
PARTS = {"subject": "{}_subject.txt", "text": "{}.txt", "html": "{}.html"}
# Private-use characters: no template text holds them, and no escaping changes them. The word
# between them stays behind where a filter has taken the characters away.
WORD = "mrslot-"
MARKER = re.compile(f"\ue000{WORD}([^\ue000\ue001]*)\ue001")
# In a language from right to left, what may be from left to right stands apart, also in a subject and in plain text.
ISOLATE, END = "\u2068", "\u2069"
ISOLATED = ("first_name", "username", "site_name", "support_contact")
LONGEST_NAME = 40
# Mail programs make links of these, so a name with one of them is no name.
LINK_LIKE = re.compile(r"://|www\.|@|\w\.\w", re.IGNORECASE)
# A username may well have a full stop, or be an address.
PATH_LIKE = re.compile(r"://|www\.|\.[^@/]*/", re.IGNORECASE)

Pieces = tuple[str, ...]  # text, slot, text, slot, …, text
Cache = MutableMapping[tuple[str, str, frozenset[str]], "Compiled"]


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says. `repr` keeps quiet, since the text holds the link."""

    subject: str
    text: str
    html: str
    # Empty where it is the reader's own.
    language: str = ""
    # Whom it is from; none of its own is as the settings say.
    sender: Sender | None = None

    def __repr__(self) -> str:
        return "<Content>"


@dataclass(frozen=True, slots=True)
class Compiled:
    """One purpose in one language, for members with the same slots filled."""

    subject: Pieces
    text: Pieces
    html: Pieces
    language: str

    def fill(self, slots: Mapping[str, str], *, html: Mapping[str, str] | None = None) -> Content:
        """`html` has values for the HTML part that are escaped already, or that a mail service fills in."""
        escaped = {name: _in_html(value) for name, value in slots.items()} | dict(html or {})
        subject = " ".join(_join(self.subject, slots).split())
        text = _join(self.text, slots).strip() + "\n"
        return Content(subject, text, _join(self.html, escaped), self.language)


def compose(
    purpose: str,
    *,
    language: str,
    slots: Mapping[str, str],
    html: Mapping[str, str] | None = None,
    cache: Cache | None = None,
) -> Content:
    """
    Write the mail of a purpose in a language, or in the one that stands in for it: see `languages.spoken`.

    `slots` has a value for each name in `SLOTS`; an empty one is left out by the
    template. `html` replaces some of them in the HTML part, unescaped: for what a mail
    service fills in. `cache` keeps compiled texts between the mails of one mailing.
    """
    slots, language = {name: slots.get(name, "") for name in SLOTS}, languages.spoken(language)
    if purpose in WITHOUT_LINK:
        slots["paragraph"] = ""
    key = (purpose, language, frozenset([name for name in SLOTS if slots[name]]))
    compiled = cache.get(key) if cache is not None else None
    if compiled is None:
        compiled = _compile(*key)
        if cache is not None:
            cache[key] = compiled
    return compiled.fill(slots, html=html)


def first_name(name: str) -> str:
    """A name that can stand in a greeting: one line, short, and nothing that becomes a link; else empty."""
    name = one_line(name)
    return "" if len(name) > LONGEST_NAME or LINK_LIKE.search(name) else name


def username(name: str) -> str:
    """A sign-in name that can stand in a mail; empty for one that mail programs make a link of."""
    return "" if PATH_LIKE.search(name) else name


def valid_until(moment: datetime, *, language: str) -> str:
    """
    Until when a link works, in the words of the language: date, time, and the site's time zone.

    At midnight that is the minute before; a clock time that comes twice has its offset.
    """
    if timezone.is_aware(moment):
        moment = timezone.localtime(moment, timezone.get_default_timezone())
    moment = moments.last_minute(moment)
    with translation.override(languages.spoken(language)):
        zone = moments.zone_in_words(settings.TIME_ZONE)
        return _("%(weekday)s, %(date)s, %(time)s (%(zone)s)") % {
            "weekday": formats.date_format(moment, "l"),
            "date": formats.date_format(moment, "DATE_FORMAT"),
            "time": formats.date_format(moment, "TIME_FORMAT"),
            "zone": ", ".join(filter(None, [zone, moments.offset_if_twice(moment)])),
        }


def _compile(purpose: str, language: str, filled: frozenset[str]) -> Compiled:
    context: dict[str, object] = {name: f"\ue000{WORD}{name}\ue001" if name in filled else "" for name in SLOTS}
    with translation.override(language):
        context["language"], context["bidi"] = language, translation.get_language_bidi()
        if context["bidi"]:
            context |= {name: f"{ISOLATE}{context[name]}{END}" for name in ISOLATED if name in filled}
        parts = {
            part: _cut(render_to_string(template, context), template)
            for part, path in PARTS.items()
            for template in [f"wagtail_member_reset/emails/{path.format(purpose)}"]
        }
    if purpose not in WITHOUT_LINK:
        _require_slots(purpose, filled, parts)
    return Compiled(**parts, language=language)


def _require_slots(purpose: str, filled: frozenset[str], parts: Mapping[str, Pieces]) -> None:
    for part in ("text", "html"):
        template = f"wagtail_member_reset/emails/{PARTS[part].format(purpose)}"
        for slot in NEEDED:
            if slot in filled and slot not in parts[part][1::2]:
                where = "without filters, where it belongs."
                raise TemplateSlotError(f"{template} has no {slot}: write {{{{ {slot} }}}}, {where}")


def _in_html(value: str) -> str:
    """As text, whatever it holds; its lines stay lines."""
    return escape(value).replace("\n", "<br>")


def _cut(rendered: str, template: str) -> Pieces:
    pieces = tuple(MARKER.split(rendered))
    strange = sorted(set(pieces[1::2]) - set(SLOTS))
    if strange or any(re.search(f"[\ue000\ue001]|{WORD}", text, re.IGNORECASE) for text in pieces[::2]):
        raise TemplateSlotError(
            f"{template} changes a slot ({', '.join(strange) or 'cut in two'}): "
            f"write {{{{ name }}}} without filters, with one of {', '.join(SLOTS)}."
        )
    return pieces


def _join(pieces: Pieces, values: Mapping[str, str]) -> str:
    parts = list(pieces)
    parts[1::2] = [values[name] for name in pieces[1::2]]
    for at in range(1, len(parts), 2):
        if parts[at].endswith(".") and parts[at + 1].startswith("."):  # a club that is an "e.V.", say
            parts[at + 1] = parts[at + 1][1:]
    return "".join(parts)
