"""Our catalogues, and such as a site may have of its own."""

from pathlib import Path

import polib
from django.utils.translation import to_locale

import wagtail_member_reset

LOCALE = Path(wagtail_member_reset.__file__).parent / "locale"
SHIPPED = ("de", "es", "fr", "it", "nl")


def ours(language):
    return polib.pofile(str(LOCALE / language / "LC_MESSAGES" / "django.po"))


def write(folder, language, translate):
    """A compiled catalogue of the language in a folder of LOCALE_PATHS: each message as `translate` has it."""
    catalogue = polib.POFile()
    catalogue.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
        "Language": language,
    }
    for each in ours("de"):
        entry = polib.POEntry(msgid=each.msgid, msgctxt=each.msgctxt, msgid_plural=each.msgid_plural)
        if each.msgid_plural:
            entry.msgstr_plural = {0: translate(each.msgid), 1: translate(each.msgid_plural)}
        else:
            entry.msgstr = translate(each.msgid)
        catalogue.append(entry)
    path = Path(folder, to_locale(language), "LC_MESSAGES", "django.mo")
    path.parent.mkdir(parents=True)
    catalogue.save_as_mofile(str(path))
