"""Files that are no CSV: recognised by how they begin, so that people can be told what they have."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ...exceptions import ChoiceError

LOOKED_AT = 64 * 1024
# Of the characters of a text, at most so many are control characters.
MOST_CONTROLS = 0.02
CONTROLS = dict.fromkeys((*range(9), *range(14, 32), 127))
WEB = ("<!doctype html", "<html", "<head", "<body", "<table", "<meta", "<style", "<div", "<p>", "<script", "<!--")
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
ARCHIVES = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ")
OLD_SPREADSHEETS = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08")


def refuse_binary(head: bytes) -> None:
    """Raise `ChoiceError` for spreadsheets, documents, archives and images, with what to do instead."""
    if head.startswith(b"PK"):
        raise ChoiceError(_zipped(head))
    if head.startswith((b"\xd0\xcf\x11\xe0", *OLD_SPREADSHEETS)):
        raise ChoiceError(_("This is an Excel workbook (XLS): open it in a spreadsheet program and save it as CSV."))
    if head.startswith(b"%PDF-"):
        raise ChoiceError(_("This is a PDF: save the table that it was made from as CSV."))
    if head.startswith(b"{\\rtf"):
        raise ChoiceError(_("This is a text document (RTF): copy its table into a spreadsheet and save it as CSV."))
    if head.startswith(ARCHIVES):
        raise ChoiceError(_("This is an archive: unpack it, and save the table in it as CSV."))
    if head.startswith(IMAGES):
        raise ChoiceError(_("This is an image: save the table that it shows as CSV."))


def refuse_markup(head: str) -> None:
    """The same for what can be read as text and is no table."""
    begin = head[:LOOKED_AT].lstrip("\ufeff \t\r\n").lower()
    if begin.startswith("<?xml"):
        if "office:spreadsheet" in begin or "opendocument" in begin:
            raise ChoiceError(_("This is a spreadsheet as XML: open it in a spreadsheet program and save it as CSV."))
        if "<html" not in begin:
            raise ChoiceError(_("This is XML: open it in a spreadsheet program and save it as CSV."))
        begin = "<html"
    if begin.startswith(WEB) or (begin.startswith("mime-version:") and "<html" in begin):
        raise ChoiceError(_("This is a web page: open it in a spreadsheet program and save it as CSV."))
    if begin.startswith("begin:vcard"):
        raise ChoiceError(_("These are contacts (vCard): export them as CSV."))
    if begin.startswith(("[{", '{"', "[\n", "{\n")):
        raise ChoiceError(_("This is JSON: export the table as CSV."))
    if begin.startswith(("dn: ", "version: 1\ndn", "version: 1\r\ndn")):
        raise ChoiceError(_("These are entries of a directory (LDIF): export them as CSV."))
    if begin.startswith("id;p"):
        raise ChoiceError(_("This is a spreadsheet (SYLK): open it in a spreadsheet program and save it as CSV."))
    if len(head) - len(head.translate(CONTROLS)) > MOST_CONTROLS * len(head):
        raise ChoiceError(_("This is not a text file: save it as CSV."))


def _zipped(head: bytes) -> str:
    """Spreadsheets are ZIP archives, too; the names of what they hold stand in the first of it."""
    if b"opendocument.spreadsheet" in head:
        return _("This is a spreadsheet (ODS): open it in a spreadsheet program and save it as CSV.")
    if b"xl/" in head or (b"[Content_Types].xml" in head and b"word/" not in head):
        return _("This is an Excel workbook (XLSX): open it in a spreadsheet program and save it as CSV.")
    if b"Index/" in head:
        return _("This is a Numbers spreadsheet: export it as CSV.")
    if b"word/" in head or b"opendocument.text" in head:
        return _("This is a text document: copy its table into a spreadsheet and save it as CSV.")
    return _("This is a ZIP archive or a spreadsheet: unpack or open it, and save the table as CSV.")
