"""Encodings, and files that are no CSV: each is called what it is."""

import io
import zipfile

import pytest

from wagtail_member_reset.exceptions import ChoiceError

pytestmark = pytest.mark.django_db
LINES = "Name;Email\n{name};x@club.example\n"
UNKNOWN = {
    "Mac": ("Jörg", "mac_roman"),
    "Mac, Spanish": ("María Muñoz", "mac_roman"),
    "Mac, French": ("Éric Lefèvre", "mac_roman"),
    "DOS": ("Jörg Müller", "cp850"),
    "DOS of the US": ("Weiß, Günter", "cp437"),
    "Central European": ("Paweł Łukasz", "iso-8859-2"),
    "Central European of Windows": ("Paweł Żądło", "cp1250"),
    "Cyrillic": ("Мария Иванова", "cp1251"),
    "Russian of Unix": ("Мария", "koi8-r"),
    "Greek": ("Μαρία", "cp1253"),
    "Turkish": ("Ayşe Yıldız", "cp1254"),
    "Hebrew": ("מרים", "cp1255"),
    "Arabic": ("مريم", "cp1256"),
    "Japanese": ("山田太郎", "shift_jis"),
    "Chinese": ("王小明", "gb18030"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_encoding_that_is_not_known_is_said_and_plain_addresses_are_read(account, said, case):
    account("x", "x@club.example")
    name, encoding = UNKNOWN[case]

    found = said(LINES.format(name=name).encode(encoding))

    assert not found.reading.is_encoding_known
    assert found.mailed == ["x"]


def test_broken_utf_8_is_said(account, said):
    account("x", "x@club.example")

    found = said(LINES.format(name="Jörg, Müller").encode() + b"J\xf6rg;y@club.example\n")

    assert not found.reading.is_encoding_known
    assert found.mailed == ["x"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
@pytest.mark.parametrize("name", ["Jörg Müller", "Éric d’Arc", "MÜLLER", "Anaïs Nuñez", "Zoë Strauß"])
def test_encoding_that_is_known_raises_no_doubt(account, said, name, encoding):
    account("x", "x@club.example")

    found = said(LINES.format(name=name).encode(encoding, "replace"))

    assert found.reading.is_encoding_known
    assert found.mailed == ["x"]


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(
                name, "application/vnd.oasis.opendocument.spreadsheet" if name == "mimetype" else "x" * 200
            )
    return file.getvalue()


OTHERS = {
    "XLSX": (zipped("[Content_Types].xml", "xl/workbook.xml"), "XLSX"),
    "ODS": (zipped("mimetype", "content.xml"), "ODS"),
    "DOCX": (zipped("[Content_Types].xml", "word/document.xml"), "text document"),
    "Numbers": (zipped("Index/Document.iwa"), "Numbers"),
    "ZIP": (zipped("members.csv"), "ZIP"),
    "XLS": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500, "XLS"),
    "first Excel": (b"\x09\x00\x04\x00\x02\x00\x10\x00", "XLS"),
    "PDF": (b"%PDF-1.7\n1 0 obj", "PDF"),
    "RTF": (b"{\\rtf1\\ansi mia@club.example}", "RTF"),
    "gzip": (b"\x1f\x8b\x08\x00abc", "archive"),
    "image": (b"\x89PNG\r\n\x1a\n", "image"),
    "page with a doctype": (b"\xef\xbb\xbf\r\n<!DOCTYPE html>\n<html>", "web page"),
    "page in UTF-16": ("<table><tr><td>mia@club.example".encode("utf-16"), "web page"),
    "page as XML": (b'<?xml version="1.0"?><!DOCTYPE html><html>', "web page"),
    "page as mail": (b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n<html>", "web page"),
    "Excel's XML": (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "XML"),
    "XML": (b'<?xml version="1.0"?><members><member/></members>', "XML"),
    "vCard": (b"BEGIN:VCARD\nEMAIL:mia@club.example\nEND:VCARD\n", "vCard"),
    "JSON": (b'[{"email": "mia@club.example"}]', "JSON"),
    "LDIF": (b"dn: cn=Mia,mail=mia@club.example\n", "LDIF"),
    "SYLK": (b"ID;PWXL;N;E\n", "SYLK"),
    "bytes": (bytes(range(256)) * 256, "CSV"),
    "zeros": (b"\x00" * 65536, "CSV"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_csv_is_called_what_it_is_with_the_way_out(said, case):
    data, name = OTHERS[case]

    with pytest.raises(ChoiceError, match=name) as refusal:
        said(data)

    assert "CSV" in str(refusal.value)


def test_list_that_begins_with_a_pointed_bracket_is_no_web_page(account, said):
    account("x", "x@club.example")

    assert said("<x@club.example>, <y@club.example>").mailed == ["x"]
