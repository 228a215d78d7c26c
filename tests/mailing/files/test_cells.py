"""What stands in one cell: whole addresses count, and never a piece that was torn from its neighbour."""

import time

import pytest
from django.contrib.auth import get_user_model

from wagtail_member_reset.mailing.files.addresses import LONGEST_CELL, addresses_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(get_user_model().USERNAME_FIELD == "email", reason="these accounts have usernames"),
]

MIA, OLE = "mia-user", "ole-user"
HEAD = "Name\tEmail\n"
TORN = {
    "slashes added": r"bob.o\'mia@club.example",
    "slashes added twice": r"bob.o\\\'mia@club.example",
    "domain of a login": r"club\ole@club.example",
    "entity of an apostrophe": "o&#039;mia@club.example",
    "entity of an apostrophe, escaped twice": "o&amp;#039;mia@club.example",
    "hexadecimal entity": "o&#x27;mia@club.example",
    "entity without an end": "o&#039mia@club.example",
    "entity of an ampersand": "r&amp;mia@club.example",
    "escaped comma of a link": "mailto:anna%2Cole@club.example",
    "comma for a dot": "anna,ole@club.example",
    "semicolon for a dot": "anna;ole@club.example",
    "colon for a dot": "anna:ole@club.example",
    "bar for a dot": "anna|ole@club.example",
    "ideographic comma for a dot": "anna\u3001ole@club.example",
    "wide comma for a dot": "anna\uff0cole@club.example",
    "comma in pointed brackets": "<anna,ole@club.example>",
    "comma for the last dot": "ole@club.example,org",
    "semicolon for the last dot": "ole@club.example;org",
    "slash behind": "ole@club.example/org",
    "escaped dot": "ole@club.example%2Eorg",
    "escaped dot of a link": "mailto:ole@club.example%2Eorg",
    "escaped dot of a mail": "ole@club.example=2Eorg",
    "dot in brackets": "ole@club.example[.]org",
    "dot as a word": "ole@club.example(dot)org",
    "dot behind the brackets": "(ole@club.example).org",
    "dot as a word before": "anna(dot)ole@club.example",
    "place for a break": "anna.<wbr>ole@club.example",
    "break": "Anna.<br>ole@club.example",
    "braces": "{anna,ole}@club.example",
    "brackets before the at": "anna(ole)@club.example",
    "wrapped behind a dot": '"anna.\nole@club.example"',
    "wrapped behind a dot, with a blank": '"anna.\r\n ole@club.example"',
    "wrapped behind a hyphen": '"anna-\nole@club.example"',
    "wrapped behind an underscore": '"anna_\nole@club.example"',
    "wrapped before a dot": '"anna\n.ole@club.example"',
    "wrapped before a hyphen": '"anna\n-ole@club.example"',
    "wrapped before the last dot": '"ole@club.example\n.org"',
    "wrapped behind the last dot": '"ole@club.example.\norg"',
    "wrapped within a hyphen": '"ole@club.example-\nverein.example"',
    "wrapped as in mail": '"ole@club.example=\n.org"',
    "blank before the last dot": "ole@club.example .org",
    "blank behind the last dot": "ole@club.example. org",
    "tag, and another": "anna+ole@club.example/gone@x.example",
    "ampersand, and another": "r&ole@club.example/gone@x.example",
    "comma, and another": "anna,ole@club.example;gone@x.example",
    "comma for the last dot, and another": "ole@club.example,org/gone@x.example",
    "quoted local part": '"""anna ole""@club.example"',
    "quoted local part with a comma": '"""anna, ole""@club.example"',
    "quotation mark for an apostrophe": '"pat.o""ole@club.example"',
    "two for an apostrophe": '"pat.o""""ole@club.example"',
    "typographic quotation mark": "pat.o\u201dole@club.example",
    "cut off": "x" * (LONGEST_CELL - 17) + " ole@club.example.org",
    "handle behind a name": "ole @club.example",
    "name before an at": "ole@ club.example",
}


@pytest.mark.parametrize("case", TORN)
def test_piece_of_an_address_names_nobody(club, said, case):
    found = said(f"{HEAD}X\t{TORN[case]}\nIna\tina@münchen.example\n")

    assert (found.mailed, found.unclear, found.held) == (["ina"], [], [])
    assert len(found.unmatched) == 1


WHOLE = {
    "semicolon behind": "mia@club.example;",
    "comma behind": "mia@club.example,",
    "brackets": "(mia@club.example)",
    "braces": "{mia@club.example}",
    "pointed brackets": "<mia@club.example>",
    "link": "mailto:mia@club.example",
    "link with copies": "mailto:mia@club.example?subject=Hi&bcc=gone@x.example",
    "escaped link": "mailto:%3Cmia%40club.example%3E",
    "name before": "Mia Sample mia@club.example",
    "name and a break": '"Mia Sample\nmia@club.example"',
    "break of a web page": "Mia Sample<br>mia@club.example",
    "apostrophes": "'mia@club.example'",
    "quotation marks in slashes": r'"\""mia@club.example\"""',
    "name in quotation marks": '"""Sample, Mia"" mia@club.example"',
    "name with a comma": "Sample, Mia, mia@club.example",
    "slash between": "mia@club.example/gone@x.example",
    "semicolon between": "mia@club.example;gone@x.example",
    "label": "E-Mail: mia@club.example",
    "label without a blank": "E-Mail:mia@club.example",
    "entities as brackets": "Mia &lt;mia@club.example&gt;",
    "entity as a blank": "Mia&nbsp;mia@club.example",
    "hyperlink of Access": "mia@club.example#mailto:mia@club.example#",
    "Exchange's primary": "smtp:gone@x.example;SMTP:mia@club.example;smtp:ole@club.example",
    "Exchange's other kinds": "X500:/o=Club/cn=mia;SMTP:mia@club.example;smtp:gone@x.example",
    "note in a new line": '"mia@club.example.\nPhoned 3 May"',
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_address_beside_names_and_signs_is_found(club, said, case):
    found = said(f"{HEAD}X\t{WHOLE[case]}\nIna\tina@münchen.example\n")

    assert (found.mailed, found.unclear, found.unmatched) == (["ina", MIA], [], [])


@pytest.mark.parametrize(
    "cell", [r"pat.o\'neil@club.example", "pat.o&#039;neil@club.example", "pat.o&#x27;neil@club.example"]
)
def test_apostrophe_that_an_export_escaped_is_read(club, said, cell):
    assert said(f"{HEAD}X\t{cell}\nIna\tina@münchen.example\n").mailed == ["ina", "pat"]


@pytest.mark.parametrize(
    "text",
    [
        "\\" * 999 + "@",
        "&amp;" * 200 + "@",
        "<@>" * 333,
        "a@," * 333,
        "(" * 998 + "a@b",
        "a:" * 499 + "@b",
        "&#x26;amp;" * 99 + "@",
    ],
)
def test_hostile_cell_is_answered_soon(text):
    started = time.process_time()

    for _ in range(100):
        addresses_in(text)

    assert time.process_time() - started < 2


FORMER = {
    "before": "(vorher ole@club.example)",
    "no longer": "nicht mehr: ole@club.example",
    "invalid": "ungültig: ole@club.example",
    "invalid, in capitals": "UNGÜLTIG ole@club.example",
    "invalid behind": "ole@club.example (ungültig)",
    "invalid behind, without brackets": "ole@club.example ungültig",
    "bounces": "ole@club.example - bounced 3 May",
    "in care of": "c/o ole@club.example",
    "in care of, pointed brackets": "c/o Ole <ole@club.example>",
    "old and new": "alt: ole@club.example neu: gone@x.example",
    "new and old": "neu: gone@x.example alt: ole@club.example",
    "instead of": "gone@x.example (statt ole@club.example)",
    "arrow": "ole@club.example -> gone@x.example",
    "arrow without blanks": "ole@club.example->gone@x.example",
    "typographic arrow": "ole@club.example → gone@x.example",
    "arrow of pointed brackets": "<ole@club.example> => <gone@x.example>",
    "now": "ole@club.example, now gone@x.example",
    "formerly": "formerly ole@club.example",
    "do not use": "DO NOT USE ole@club.example",
    "not": "not ole@club.example",
    "struck out": "~~ole@club.example~~",
    "French": "ancien : ole@club.example",
    "French, no longer": "n'est plus valable : ole@club.example",
    "Dutch": "oud: ole@club.example",
    "mother": "Mutter: ole@club.example",
    "Exchange": "SMTP:gone@x.example;smtp:ole@club.example",
    "Exchange, secondary first": "smtp:ole@club.example;SMTP:gone@x.example",
}


@pytest.mark.parametrize("case", FORMER)
def test_address_that_is_called_former_or_anothers_names_nobody(club, said, case):
    found = said(f"{HEAD}X\t{FORMER[case]}\nIna\tina@münchen.example\n")

    assert (found.mailed, found.unclear, found.held) == (["ina"], [], [])
    assert len(found.unmatched) == 1


NOW = {
    "old and new": "alt: ole@club.example neu: mia@club.example",
    "new and old": "neu: mia@club.example, alt: ole@club.example",
    "arrow": "ole@club.example -> mia@club.example",
    "former behind": "mia@club.example (vorher ole@club.example)",
    "former before": "(vorher ole@club.example) mia@club.example",
    "instead of": "mia@club.example statt ole@club.example",
    "new": "neu: mia@club.example",
    "surname": "Franz Alt <mia@club.example>",
    "surname without brackets": "Franz Alt mia@club.example",
    "surname before a comma": "Old, Mia <mia@club.example>",
    "trainer by surname": "Sandra Trainer <mia@club.example>",
    "number": "No. 5 mia@club.example",
    "checked": "mia@club.example - checked 3 May",
}


@pytest.mark.parametrize("case", NOW)
def test_address_that_holds_now_is_found_beside_a_former_one(club, said, case):
    found = said(f"{HEAD}X\t{NOW[case]}\nIna\tina@münchen.example\n")

    assert (found.mailed, found.unclear, found.unmatched) == (["ina", MIA], [], [])


@pytest.mark.parametrize("between", ["; ", ";", "/", " ", " and ", "\n"])
def test_known_address_behind_one_that_is_not_is_shown_and_mails_nobody(club, said, between):
    found = said(f'{HEAD}X\t"gone@x.example{between}ole@club.example"\nIna\tina@münchen.example\n')

    assert (found.mailed, found.unclear, found.unmatched) == (["ina"], [(2, [OLE])], [])


@pytest.mark.parametrize(
    "line", ["Ole Sample\tgone@x.example; ole@club.example", "ole-user\tgone@x.example; ole@club.example"]
)
def test_name_in_the_line_decides_that_the_second_address_is_meant(club, said, line):
    found = said(f"{HEAD}{line}\nIna\tina@münchen.example\n")

    assert (found.mailed, found.unclear) == (["ina", OLE], [])


WESTERN = [
    *("20m²", "20 m²", "5 m³", "½ Beitrag", "1½", "¼", "¾ Jahr", "3×4", "3 × 4", "20°C", "20 °C", "n° 5", "§ 3", "§3"),
    *("20€", "€ 20", "20 €", "5µm", "5 µ", "McÉwan", "Fiona McÉwan", "MacÉwan", "MCÉWAN", "£5", "EUR/m²"),
]


@pytest.mark.parametrize("text", WESTERN)
def test_signs_of_measures_and_prices_are_plain_windows_1252(club, said, text):
    found = said(f"Name;Email\n{text};jörg@club.example\n".encode("windows-1252"))

    assert found.reading.is_encoding_known
    assert (found.mailed, found.unmatched) == (["jörg"], [])


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850", "cp437", "iso8859-2", "cp1251", "cp1253", "koi8-r"])
def test_other_encodings_are_still_not_known(club, said, encoding):
    text = {"cp1251": "Мия Петрова", "koi8-r": "Мия Петрова", "cp1253": "Μαρία Παππά", "iso8859-2": "Michał"}
    found = said(f"Name;Email\n{text.get(encoding, 'Jörg Müller')};mia@club.example\n".encode(encoding))

    assert not found.reading.is_encoding_known


@pytest.mark.parametrize("text", ["Jörg Müller, Größe", "François, José, Inês", "Zoë d’Arc – “é”"])
def test_text_that_was_encoded_twice_is_not_known(club, said, text):
    found = said(f"Name;Email\n{text};mia@club.example\n".encode().decode("windows-1252", "replace"))

    assert not found.reading.is_encoding_known
    assert found.mailed == [MIA]


@pytest.mark.parametrize("text", ["JÃ¶rg", "JÃ¶rg MÃ¼ller GrÃ¶n, aber Jörg", "Âge, São, PÂTÉ", "JOÃO, IRMÃ", "Łukasz"])
def test_text_with_plain_letters_or_few_odd_pairs_is_known(club, said, text):
    assert said(f"Name;Email\n{text};mia@club.example\n").reading.is_encoding_known
