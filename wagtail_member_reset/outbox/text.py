"""
The mails' texts: compiled once per purpose and language, then filled per member.

Where editors have written a text, it is theirs; else that of the templates. One member or a hundred thousand, preview
or real mail, it is the same call.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from datetime import datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from .. import languages, moments
from ..accounts import one_line
from ..models import WITHOUT_LINK
from ..texts import SLOTS, Compiled, Content, Written, compile_template, compile_written

logger = logging.getLogger("wagtail_member_reset")

LONGEST_NAME = 40
# Mail programs make links of these, so a name with one of them is no name.
LINK_LIKE = re.compile(r"://|www\.|@|\w\.\w", re.IGNORECASE)
# A username may well have a full stop, or be an address.
PATH_LIKE = re.compile(r"://|www\.|\.[^@/]*/", re.IGNORECASE)

Cache = MutableMapping[tuple[str, str, frozenset[str], Written | None], Compiled]


def compose(
    purpose: str,
    *,
    language: str,
    slots: Mapping[str, str],
    html: Mapping[str, str] | None = None,
    written: Written | None = None,
    cache: Cache | None = None,
    is_draft: bool = False,
) -> Content:
    """
    Write the mail of a purpose in a language, or in the one that stands in for it (see `languages.spoken`): in the
    words of editors, where some are given, else of the templates.

    `slots` has a value for each name in `SLOTS`; an empty one is left out by the
    template. `html` replaces some of them in the HTML part, unescaped: for what a mail
    service fills in. `cache` keeps compiled texts between the mails of one mailing.
    Where words of editors cannot be compiled, the templates' are mailed in their place;
    not so of a draft, whose editor is to see it.
    """
    slots, language = {name: slots.get(name, "") for name in SLOTS}, languages.spoken(language)
    if purpose in WITHOUT_LINK:
        slots["paragraph"] = ""
    key = (purpose, language, frozenset([name for name in SLOTS if slots[name]]), written)
    compiled = cache.get(key) if cache is not None else None
    if compiled is None:
        compiled = _compiled(*key, is_draft=is_draft)
        if cache is not None:
            cache[key] = compiled
    return compiled.fill(slots, html=html)


def _compiled(
    purpose: str, language: str, filled: frozenset[str], written: Written | None, *, is_draft: bool
) -> Compiled:
    if written:
        try:
            return compile_written(written, purpose, language, filled)
        except Exception as error:  # whatever a template of the site's raises, too: members get their emails
            if is_draft:
                raise
            logger.error(
                "text=%s:%s cannot be made an email (%s): the default text is used.",
                purpose,
                language,
                type(error).__name__,
            )
    return compile_template(purpose, language, filled)


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
            "weekday": moments.in_format("l", moment),
            "date": moments.in_format("DATE_FORMAT", moment),
            "time": moments.in_format("TIME_FORMAT", moment),
            "zone": ", ".join(filter(None, [zone, moments.offset_if_twice(moment)])),
        }
