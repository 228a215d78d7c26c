"""The catalogues that we ship: whole, and in the register that Wagtail's own have."""

import gettext
import re
from collections import defaultdict
from io import BytesIO
from pathlib import Path

import django
import polib
import pytest
import wagtail
from django.utils.translation import to_locale

from .catalogues import LOCALE, SHIPPED, ours
from .register import slips

HOLE = re.compile(r"%\(\w+\)[a-z]|%%|\{\w*\}|</?\w+[^>]*>")
FORMS = {"fr": "nplurals=2; plural=(n > 1);"}


def texts(entry):
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def holes(text):
    return sorted(HOLE.findall(text))


@pytest.fixture(params=SHIPPED)
def language(request):
    return request.param


@pytest.fixture
def catalogue(language):
    return ours(language)


def test_these_languages_are_shipped_and_each_has_all_messages():
    found = {path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po")}
    messages = {
        language: {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in ours(language)} for language in found
    }

    assert found >= set(SHIPPED)
    assert [language for language in found if messages[language] != messages["de"]] == []


def test_nothing_is_missing_or_uncertain(catalogue):
    assert [entry.msgid for entry in catalogue if not entry.translated() or entry.obsolete] == []


def test_header_names_the_language(catalogue, language):
    said = catalogue.metadata

    assert (said["Language"], to_locale(language)) == (language, language)
    assert said["Content-Type"] == "text/plain; charset=UTF-8"
    assert said["Plural-Forms"] == FORMS.get(language, "nplurals=2; plural=(n != 1);")


def test_compiled_file_is_that_of_the_text(catalogue, language):
    compiled = (LOCALE / language / "LC_MESSAGES" / "django.mo").read_bytes()

    assert compiled == catalogue.to_binary()
    assert gettext.GNUTranslations(BytesIO(compiled)).gettext("Reset your password") != "Reset your password"


def test_words_that_wagtail_or_django_have_too_are_theirs(catalogue, language):
    """All catalogues become one, so that one translation of a message without a context serves wherever it stands."""
    theirs = defaultdict(set)
    for package in (django, wagtail):
        for path in Path(package.__file__).parent.rglob(f"locale/{language}/LC_MESSAGES/django.po"):
            for entry in polib.pofile(str(path)):
                if entry.translated() and not entry.msgctxt:
                    # Where they have a form for millions, ours is that of many.
                    theirs[entry.msgid].add(tuple(texts(entry)[:2]))
    ours_alone = {
        entry.msgid: texts(entry)
        for entry in catalogue
        if not entry.msgctxt and entry.msgid in theirs and tuple(texts(entry)) not in theirs[entry.msgid]
    }

    assert ours_alone == {}


def test_placeholders_and_tags_are_kept(catalogue):
    wrong = []
    for entry in catalogue:
        wanted = holes(entry.msgid_plural or entry.msgid)
        for number, text in enumerate(texts(entry)):
            # The form for one may say "one" in words.
            may_lack = bool(entry.msgid_plural) and number == 0
            if holes(text) != wanted and not (may_lack and set(holes(text)) <= set(wanted)):
                wrong.append((entry.msgid, text))
    assert wrong == []


def test_every_plural_has_all_its_forms(catalogue):
    plural = [entry for entry in catalogue if entry.msgid_plural]

    assert plural
    assert [entry.msgid for entry in plural if set(entry.msgstr_plural) != {0, 1} or not all(texts(entry))] == []


def test_every_message_can_be_filled(catalogue):
    for entry in catalogue:
        if not {"python-format", "python-brace-format"} & set(entry.flags):
            continue
        named = dict.fromkeys(re.findall(r"%\((\w+)\)", entry.msgid + entry.msgid_plural), 3)
        values = 3 if "%d" in entry.msgid else named  # one of Django's
        for text in texts(entry):
            assert "%(" not in text % values, entry.msgid


def test_lines_begin_and_end_as_they_did(catalogue):
    edges = [(entry.msgid, text) for entry in catalogue for text in texts(entry)]

    assert [
        old for old, new in edges if (old[:1].isspace(), old[-1:].isspace()) != (new[:1].isspace(), new[-1:].isspace())
    ] == []


def test_reader_is_spoken_to_in_one_register(catalogue, language):
    said = [(entry.msgid, text) for entry in catalogue for text in texts(entry)]

    assert [(text, found) for msgid, text in said if (found := slips(language, text, msgid))] == []


@pytest.mark.parametrize(
    ("language", "said", "found"),
    [
        ("de", "Gib dein Passwort ein.", ["dein", "gib"]),
        ("de", "Gib das Passwort ein und speichere es.", ["gib", "speichere"]),
        ("fr", "Choisis ton mot de passe, si tu veux.", ["ton", "tu", "choisis"]),
        ("fr", "Vérifie ta boîte et choisis un mot de passe.", ["ta", "vérifie", "choisis"]),
        ("es", "Elija una contraseña, si usted quiere.", ["usted", "elija"]),
        ("es", "Compruebe su correo y guarde su contraseña.", ["compruebe", "guarde", "su", "su"]),
        ("es", "Inténtelo de nuevo: seleccione su sitio.", ["inténtelo", "seleccione", "su"]),
        ("nl", "Kies uw wachtwoord.", ["uw"]),
        ("it", "Scelga la Sua password.", ["sua", "scelga", "sua"]),
        ("it", "Apra il messaggio e salvi la sua password.", ["apra", "salvi", "sua"]),
    ],
)
def test_other_register_is_found(language, said, found):
    assert slips(language, said, "Your password") == found


@pytest.mark.parametrize(
    ("language", "said", "english"),
    [
        ("de", "Die Suche und ein Versuch: Stelle und Frage.", ""),
        ("fr", "Un lien qui ouvre le compte et n’indique rien entre-temps.", ""),
        ("es", "Pide a tu administrador que compruebe su dirección.", "Ask them to check their address."),
        ("it", "Ogni persona ha la sua password: gli invii e i controlli.", "Everybody has a password of their own."),
    ],
)
def test_third_person_is_no_slip(language, said, english):
    assert slips(language, said, english) == []
