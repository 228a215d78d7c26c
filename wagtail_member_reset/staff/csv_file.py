"""Lists as CSV files for spreadsheets: row by row, and nothing that is computed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from .mailing_words import harmless


def download(name: str, rows: Iterable[Iterable[str]]) -> HttpResponse:
    """The rows, the first of which is the header, as a file of this name. None is read before it is sent."""
    response: Any = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[no-any-return]


def _lines(rows: Iterable[Iterable[str]]) -> Iterator[str]:
    line = StringIO()
    writer = csv.writer(line)
    yield "\ufeff"  # spreadsheets read UTF-8 only with this mark
    for cells in rows:
        line.seek(0)
        line.truncate()
        writer.writerow([harmless(cell) for cell in cells])
        yield line.getvalue()
