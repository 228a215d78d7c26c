"""What the list of email texts says of each."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from .. import languages
from ..models import EmailText
from ..texts import OwnPages, Words, can_be_made, problems, used_without


def language_name(text: EmailText) -> str:
    """As the site calls it; its code where the site has it no more."""
    return str(dict(settings.LANGUAGES).get(text.language, text.language))


def site_name(text: EmailText) -> str:
    return str(text.site) if text.site else _("All sites")


def name_of(text: EmailText) -> str:
    return f"{text}, {site_name(text)}"


def edit_url(text: EmailText) -> str:
    return reverse("wagtailsnippets_wagtail_member_reset_emailtext:edit", args=[text.pk])


def used_instead(text: EmailText) -> dict[str, str]:
    """Name and address of the other text of yours that emails have as long as this one is not used, if any."""
    other = used_without(text)
    if other is None:
        return {}
    return {"name": name_of(other), "url": edit_url(other)}


def problem_of_published(text: EmailText, *, own: OwnPages | None = None) -> str:
    """For the list: that what is published is not used, since it is not fit. A script or a schedule published it."""
    if not text.live:
        return ""
    if unspoken := _unspoken(text):
        return unspoken
    if _against(text, own=own):
        if other := used_without(text):
            said = _("Not used: emails have “%(text)s” instead. Open your text and publish it again to see why.")
            return said % {"text": name_of(other)}
        return _("Not used: emails have the default text. Open your text and publish it again to see why.")
    return ""


def reasons_against_published(text: EmailText) -> dict[str, Any]:
    """For the form, whose fields may hold a draft: why the row, which is what was published, is not used."""
    published = EmailText.objects.get(pk=text.pk)
    if not published.live:
        return {}
    return {"unspoken": _unspoken(published), "reasons": _against(published), "instead": used_instead(published)}


def cannot_be_made() -> str:
    return _("The email cannot be made: a template or a setting of this site is wrong. Ask your administrator.")


def _unspoken(text: EmailText) -> str:
    if text.language in dict(languages.of_emails()):
        return ""
    if text.language not in dict(settings.LANGUAGES):
        return _("This site no longer has the language.")
    return _("Not used: there is no translation of the emails into this language, so none is in it.")


def _against(text: EmailText, *, own: OwnPages | None = None) -> list[tuple[str, str]]:
    """Field and reason each; no field where it is none's."""
    words, own = Words.of(text), own or OwnPages()
    found = problems(words, text.purpose, own=own)
    if not found and not can_be_made(words, text.purpose, text.language, own=own):
        return [("", cannot_be_made())]
    return [(text.label_of(field), message) for field, messages in found.items() for message in messages]
