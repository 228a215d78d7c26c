"""Lists as files for spreadsheets: row by row, and nothing in them is computed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from io import StringIO
from tempfile import TemporaryFile
from typing import Any

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA = re.compile(r"""(^|[;,|\t\r\n])(?=[\s"']*[=+\-@＝＋－＠])""")  # noqa: RUF001
# https://www.w3.org/TR/xml/#charsets
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def harmless(text: str) -> str:
    """Text that a spreadsheet shows and does not compute: https://owasp.org/www-community/attacks/CSV_Injection"""
    return FORMULA.sub(r"\1'", text)


def as_csv(name: str, rows: Iterable[Iterable[str]]) -> HttpResponse:
    """
    The rows, the first of which is the header, as a file. None is read before it is sent.

    By then the reader's language and time zone have ended with the request, so they are taken along.
    """
    lines = _as_now(_csv_lines(rows), translation.get_language(), timezone.get_current_timezone())
    response: Any = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response  # type: ignore[no-any-return]


def as_xlsx(name: str, rows: Iterable[Iterable[str]]) -> HttpResponse:
    """The same as a workbook, written to a temporary file first, since that is a ZIP archive."""
    # As in Wagtail: it takes a while to import, and most processes never need it.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()

    def cell(text: str) -> Any:
        made = WriteOnlyCell(sheet, NOT_IN_XML.sub("", harmless(text)))
        made.data_type = "s"  # openpyxl takes some texts for formulas or errors
        return made

    for cells in rows:
        sheet.append([cell(text) for text in cells])
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    workbook.save(file)
    file.seek(0)
    response: Any = FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX_TYPE)
    return response  # type: ignore[no-any-return]


EXPORTS = {"csv": as_csv, "xlsx": as_xlsx}


def _as_now(lines: Iterator[str], language: str | None, zone: tzinfo) -> Iterator[str]:
    """
    The lines, each in this language and time zone.

    What is around stays as it is between them: whoever sends them may do other things in the same thread.
    """
    while True:
        with translation.override(language), timezone.override(zone):
            line = next(lines, None)
        if line is None:
            return
        yield line


def _csv_lines(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    line = StringIO()
    writer = csv.writer(line)
    yield "\ufeff"  # spreadsheets read UTF-8 only with this mark
    for cells in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([harmless(cell) for cell in cells])
        yield line.getvalue()
