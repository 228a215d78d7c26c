"""
Which language a page or an email is in: one for all of it, for our words and for Django's.

Where nobody has translated ours, Django would still say dates and password rules in the language asked for, in the
midst of English. So both fall back together.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.signals import setting_changed
from django.utils.translation import get_language, get_language_bidi, get_supported_language_variant, to_locale

# One sentence of the members' pages and one of their emails, which nobody else's catalogue has.
PROBES = (
    "If there is an account for that address, an email with a link is on its way.",
    "This is your personal link to choose a new password for your account at %(site_name)s:",
)
SOURCE = "en"
READ_FROM = {"INSTALLED_APPS", "LANGUAGES", "LANGUAGE_CODE", "LOCALE_PATHS", "USE_I18N"}


def known(code: object) -> str:
    """The language of LANGUAGES that is meant, also by `DE`, `pt_BR` or `de-at`; empty for none of them."""
    if not isinstance(code, str) or not code:
        return ""
    try:
        return get_supported_language_variant(code.strip().replace("_", "-").lower())
    except LookupError:
        return ""


def spoken(*wanted: object) -> str:
    """
    The first of the languages wanted, else the site's, else English, that there is a catalogue with our words for.

    That is ours, or the site's own: in LOCALE_PATHS or in another app. In place of a variant that Django has words of
    its own for (`pt-br`), the language above it is found (`pt`) if our words are there alone.
    """
    site = settings.LANGUAGE_CODE
    for code in (*wanted, site):
        if found := _translated(site if code == site else known(code)):
            return found
    return SOURCE


def of_emails() -> list[tuple[str, str]]:
    """
    The languages that emails may be in, with their names, as `LANGUAGES` has them: those that are spoken, and those
    above a variant that is.
    """
    codes = [code for code, _name in settings.LANGUAGES]
    found = {spoken(code) for code in codes} | {spoken()}
    above = {each.partition("-")[0] for each in found}
    others = sorted(found - set(codes))  # English, where a language of the site is not spoken
    named = [(code, str(name)) for code, name in settings.LANGUAGES if code in found | above]
    return named + [(code, str(LANG_INFO.get(code, {}).get("name", code))) for code in others]


def here() -> str:
    """
    The language that our words are in where they are translated now: not the active one, if there are none in it.

    In the admin, Wagtail speaks the active one beside us. Empty where nothing is translated.
    """
    active = get_language()
    return (_translated(active) or _translated(settings.LANGUAGE_CODE) or SOURCE) if active else ""


def is_right_to_left() -> bool:
    """Whether our words are now. Django's own answer is the site's language's, also where nothing is translated."""
    return settings.USE_I18N and get_language_bidi()


def is_foreign(language: str) -> bool:
    """Whether it is another language than the active one, and no variant of it."""
    return language.partition("-")[0].lower() != (get_language() or "").partition("-")[0].lower()


@lru_cache(maxsize=256)
def _translated(code: str) -> str:
    if code.partition("-")[0].lower() == SOURCE:
        return code
    parts = code.lower().split("-") if code else []
    for length in range(len(parts), 0, -1):
        each = "-".join(parts[:length])
        if _is_there(each):
            # gettext itself goes on from `de-at` to `de`, so all comes from there, and dates stay the variant's.
            is_mixed = each != code.lower() and code.lower() in LANG_INFO
            return each if is_mixed and each in dict(settings.LANGUAGES) else code
    return ""


def _is_there(code: str) -> bool:
    """Whether a catalogue with our words is used. Nothing is parsed: what is translated stands there as it is."""
    if not settings.USE_I18N:
        return False
    file = Path(to_locale(code), "LC_MESSAGES", "django.mo")
    folders: list[Any] = [*settings.LOCALE_PATHS, *(Path(app.path, "locale") for app in apps.get_app_configs())]
    found = (Path(folder, file) for folder in folders)
    return any(_has_our_words(path) for path in found if path.is_file())


def _has_our_words(path: Path) -> bool:
    held = path.read_bytes()
    return all(probe.encode() in held for probe in PROBES)


def _forget(*, setting: str, **_details: Any) -> None:
    if setting in READ_FROM:
        _translated.cache_clear()


setting_changed.connect(_forget, dispatch_uid="wagtail_member_reset.languages")
