"""What the list of email texts says of each."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from .. import languages
from ..models import EmailText
from ..texts import OwnPages, Words, can_be_made, problems


def language_name(text: EmailText) -> str:
    """As the site calls it; its code where the site has it no more."""
    return str(dict(settings.LANGUAGES).get(text.language, text.language))


def site_name(text: EmailText) -> str:
    return str(text.site) if text.site else _("All sites")


def problem_of_published(text: EmailText) -> str:
    """That what is published is not used, since it is not fit: it was published at a time, or by a script."""
    if not text.live:
        return ""
    if text.language not in dict(languages.of_emails()):
        if text.language not in dict(settings.LANGUAGES):
            return _("This site no longer has the language.")
        return _("Not used: there is no translation of the emails into this language, so none is in it.")
    words = Words.of(text)
    if problems(words, text.purpose, own=OwnPages()) or not can_be_made(words, text.purpose, text.language):
        return _("Not used: emails have the default text. Open your text and publish it again to see why.")
    return ""
