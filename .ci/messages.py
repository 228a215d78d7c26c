"""
Brings the catalogues up to date with the sources, begins new ones, or says whether all are up to date:
[LANGUAGE… | --check]

GNU gettext finds the messages, as `makemessages` calls it; the rest is done here, so that the same sources make the
same files on every machine: no dates, no line numbers, no guesses at changed messages.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import django
import polib
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils.translation import to_locale

PACKAGE = Path(__file__).parent.parent / "wagtail_member_reset"
LOCALE = PACKAGE / "locale"
WIDTH = 100_000  # a message is one line, however long
TITLE = "See CONTRIBUTING.md for how to change this file."
NPLURALS = re.compile(r"nplurals *= *([0-9]+)")


def extracted() -> polib.POFile:
    """All messages of the package. It is copied, since `makemessages` writes beside what it reads."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, PACKAGE.name)
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("locale", "__pycache__"))
        (copy / "locale").mkdir()
        settings.configure(LOCALE_PATHS=[], USE_I18N=False)
        django.setup()
        with Within(copy):
            call_command("makemessages", all=True, keep_pot=True, add_location="file", no_wrap=True, verbosity=0)
        return polib.pofile(str(copy / "locale" / "django.pot"))


class Within:
    """The process in a folder, since `makemessages` reads where it is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.before = folder, Path.cwd()

    def __enter__(self) -> None:
        os.chdir(self.folder)

    def __exit__(self, *error: object) -> None:
        os.chdir(self.before)


def keys(catalogue: polib.POFile) -> set[tuple[str, str, str]]:
    return {(entry.msgctxt or "", entry.msgid, entry.msgid_plural) for entry in catalogue if not entry.obsolete}


def update(path: Path, found: polib.POFile) -> None:
    """Take in what is new, let go of what is gone, and compile. A translation stays with its message alone."""
    old = polib.pofile(str(path))
    said = {(entry.msgctxt or "", entry.msgid): entry for entry in old if not entry.obsolete}
    new = polib.POFile(wrapwidth=WIDTH)
    new.header, new.metadata = TITLE, {**metadata_of(path), "Plural-Forms": old.metadata["Plural-Forms"]}
    forms = dict.fromkeys(range(int(NPLURALS.search(old.metadata["Plural-Forms"])[1])), "")
    for entry in found:
        before = said.get((entry.msgctxt or "", entry.msgid))
        kept = copy_of(entry, forms)
        if before and before.msgid_plural == entry.msgid_plural and "fuzzy" not in before.flags:
            kept.msgstr, kept.msgstr_plural, kept.tcomment = before.msgstr, before.msgstr_plural, before.tcomment
        new.append(kept)
    new.save(str(path))
    path.with_suffix(".mo").write_bytes(new.to_binary())
    missing = len(new.untranslated_entries())
    print(f"{path.parent.parent.name}: {len(new)} messages, {missing} to be translated")


def copy_of(entry: polib.POEntry, forms: dict[int, str]) -> polib.POEntry:
    return polib.POEntry(
        msgctxt=entry.msgctxt,
        msgid=entry.msgid,
        msgid_plural=entry.msgid_plural,
        msgstr_plural=dict(forms) if entry.msgid_plural else {},
        occurrences=sorted({(file, "") for file, _line in entry.occurrences}),
        comment=entry.comment,
        flags=[flag for flag in entry.flags if flag != "fuzzy"],
    )


def begin(language: str) -> None:
    """An empty catalogue, with the plural forms that Django has for the language."""
    path = LOCALE / to_locale(language) / "LC_MESSAGES" / "django.po"
    if path.exists():
        return
    djangos = Path(django.__file__).parent / "conf/locale" / to_locale(language) / "LC_MESSAGES/django.po"
    if not djangos.exists():
        sys.exit(f"Django knows no language {language}: name one as LANGUAGES does, such as pl or pt-br.")
    path.parent.mkdir(parents=True)
    new = polib.POFile(wrapwidth=WIDTH)
    new.metadata = {"Plural-Forms": polib.pofile(str(djangos)).metadata["Plural-Forms"]}
    new.save(str(path))


def metadata_of(path: Path) -> dict[str, str]:
    return {
        "Project-Id-Version": "wagtail-member-reset",
        "Language": path.parent.parent.name,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }


def is_up_to_date(path: Path, found: polib.POFile) -> bool:
    own = polib.pofile(str(path))
    language, here, there = path.parent.parent.name, keys(found), keys(own)
    for word, differing in (("lacks", here - there), ("still has", there - here)):
        for _context, message, _plural in sorted(differing):
            print(f"{language} {word}: {message}")
    if here != there:
        return False
    if own.to_binary() != path.with_suffix(".mo").read_bytes():
        print(f"{language}: the .mo is not that of the .po")
        return False
    return True


def main() -> None:
    try:
        found = extracted()
    except CommandError as error:
        sys.exit(f"{error}\nGNU gettext is needed: on Debian or Ubuntu, sudo apt-get install gettext")
    if "--check" not in sys.argv:
        for language in sys.argv[1:]:
            begin(language)
    catalogues = sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))
    if "--check" not in sys.argv:
        for path in catalogues:
            update(path, found)
        return
    if [path for path in catalogues if not is_up_to_date(path, found)]:
        sys.exit("Run: make messages")
    print(f"{len(found)} messages, {len(catalogues)} catalogues: up to date")


if __name__ == "__main__":
    main()
