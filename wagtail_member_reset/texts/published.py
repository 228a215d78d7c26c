"""Which texts there are: those published now, and those that a mailing began with."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import DatabaseError

from .. import db
from ..models import WITHOUT_LINK, EmailText, Mailing, MailingText
from .fit import problems
from .own import OwnPages
from .words import FIELDS, Words

logger = logging.getLogger("wagtail_member_reset")

Key = tuple[str, str, str]  # purpose, language, site


class Texts:
    """Texts by purpose, language and site. Each is looked at once before its first use: one unfit is passed over."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._rows: dict[Key, Mapping[str, Any]] = {_key(row): row for row in rows}
        self._found: dict[Key, Words | None] = {}
        self._own = OwnPages()

    def find(self, purpose: str, *, language: str, site_id: Any) -> Words | None:
        """
        That of the site, else for all sites, first in the language as it is, then without its region: the first that
        is fit. None where the templates' is to be used.
        """
        found = self.key_of(purpose, language=language, site_id=site_id)
        return self._fit(found) if found else None

    def key_of(self, purpose: str, *, language: str, site_id: Any) -> Key | None:
        """Of the text that `find` finds."""
        if not self._rows:
            return None
        for each in dict.fromkeys([language, language.partition("-")[0]]):
            for site in dict.fromkeys([str(site_id or ""), ""]):
                if (purpose, each, site) in self._rows and self._fit((purpose, each, site)):
                    return purpose, each, site
        return None

    def _fit(self, key: Key) -> Words | None:
        if key not in self._found:
            words = Words.of(self._rows[key])
            wrong = self._wrong(words, key[0])
            if wrong:
                logger.error("text=%s is not fit to be mailed (%s): it is passed over.", ":".join(key), wrong)
            self._found[key] = None if wrong else words
        return self._found[key]

    def _wrong(self, words: Words, purpose: str) -> str:
        """In which fields; for the log. What goes wrong as a text is looked at holds up no email."""
        try:
            return ", ".join(sorted(problems(words, purpose, own=self._own)))
        except DatabaseError:
            raise  # of the transaction, not of the text
        except Exception as error:
            return type(error).__name__


def published() -> Texts:
    """Those published now. One query."""
    return Texts(_live())


def used_without(text: EmailText) -> EmailText | None:
    """The text that emails have as long as this one is not published; None where it is the templates'."""
    others = Texts(row for row in _live() if _key(row) != (text.purpose, text.language, str(text.site_id or "")))
    found = others.key_of(text.purpose, language=text.language, site_id=text.site_id)
    return EmailText.objects.select_related("site").filter(key=":".join(found)).first() if found else None


def of_mailing(mailing_id: int) -> Texts:
    """Those that a mailing began with. One query."""
    rows = MailingText.objects.filter(mailing=mailing_id)
    return Texts(rows.values("purpose", "language", "site_key", *FIELDS))


def freeze(mailing: Mailing) -> None:
    """Keep what is published now for a mailing that starts. Part of a transaction."""
    db.insert([MailingText(mailing=mailing, **row) for row in _live() if row["purpose"] not in WITHOUT_LINK])


def _key(row: Mapping[str, Any]) -> Key:
    return row["purpose"], row["language"], row["site_key"]


def _live() -> list[dict[str, Any]]:
    found = EmailText.objects.filter(live=True).order_by().values("purpose", "language", "site_id", *FIELDS)
    return [{"site_key": str(row.pop("site_id") or ""), **row} for row in found]
