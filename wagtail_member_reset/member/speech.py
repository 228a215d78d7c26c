"""In which language a page is: the link's where there is one, else the reader's; all of it in one."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import get_language, get_language_from_path

from .. import languages


def language_of(request: HttpRequest, link: str = "") -> str:
    """
    The language to speak on a page about a link, which has its own (`link`), whatever the browser asks for.

    An address under a language of its own (`i18n_patterns`) is the reader's choice, and goes before.
    """
    chosen = get_language_from_path(request.path_info) or link
    return languages.spoken(chosen, get_language())
