"""Who needs help as a file for a spreadsheet: row by row, without links, and nothing in it is computed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from tempfile import TemporaryFile
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _

from ..accounts import address_of
from ..models import Need, NeedsHelp
from .mailing_words import harmless
from .needs_help_words import action, name, note

NAME = "needs-help"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Rows that are in memory at once.
ROWS = 500


def as_csv(rows: QuerySet[NeedsHelp]) -> HttpResponse:
    response: Any = StreamingHttpResponse(_csv_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{NAME}.csv"'
    return response  # type: ignore[no-any-return]


def as_xlsx(rows: QuerySet[NeedsHelp]) -> HttpResponse:
    """Written to a temporary file first, since a workbook is a ZIP archive."""
    # As in Wagtail: it takes a while to import, and most processes never need it.
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(title=_("Needs help")[:31])

    def cell(text: str) -> Any:
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
        made.data_type = "s"  # openpyxl takes some texts for formulas or errors
        return made

    for line in _lines(rows):
        sheet.append([cell(text) for text in line])
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    workbook.save(file)
    file.seek(0)
    response: Any = FileResponse(file, as_attachment=True, filename=f"{NAME}.xlsx", content_type=XLSX_TYPE)
    return response  # type: ignore[no-any-return]


EXPORTS: dict[str, Callable[[QuerySet[NeedsHelp]], HttpResponse]] = {"csv": as_csv, "xlsx": as_xlsx}


def _csv_lines(rows: QuerySet[NeedsHelp]) -> Iterator[str]:
    line = StringIO()
    writer = csv.writer(line)
    line.write("\ufeff")  # spreadsheets read UTF-8 only with this mark
    for cells in _lines(rows):
        writer.writerow(cells)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _lines(rows: QuerySet[NeedsHelp]) -> Iterator[list[str]]:
    yield [_("Name"), _("Email"), _("Reason"), _("When"), _("What to do"), _("Note")]
    for row in rows.iterator(chunk_size=ROWS):
        reason = str(Need(row.reason or Need.FAILED).label)
        cells = [name(row), address_of(row.member), reason, _day(row.happened_at), action(row), note(row)]
        yield [harmless(cell) for cell in cells]


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""
