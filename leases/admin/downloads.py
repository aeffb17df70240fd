"""The leases that the list shows, all its pages of them, as a file."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from openpyxl import Workbook

from core.errors import Refused
from leases.exports import defused
from leases.models import Lease
from leases.queries import with_last_tries
from leases.states import State

AT_ONCE = 2_000
XLSX_AT_MOST = 50_000
MARK = "\ufeff"  # Excel takes a CSV file without it for Windows-1252


class TooManyForWorkbook(Refused):
    """An XLSX file holds at most 50,000 leases. Narrow the list, or take CSV."""

    code = "too_many_for_workbook"


def _report(lease: Lease) -> str:
    if lease.runsheet_report_found:
        return "yes"
    return "no" if lease.state == State.DONE else ""


def _when(at: datetime) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="seconds")


COLUMNS: dict[str, Callable[[Any], Any]] = {
    "Lease number": lambda lease: lease.lease_number,
    "Agency": lambda lease: lease.agency,
    "State": lambda lease: lease.get_state_display(),
    "Failure": lambda lease: lease.failure_code,
    "Why": lambda lease: lease.failure_message,
    "Report found": _report,
    "Matching files": lambda lease: "; ".join(lease.matching_files),
    "Directory": lambda lease: lease.runsheet_directory.path if lease.runsheet_directory else "",
    "Share link": lambda lease: lease.runsheet_link,
    "Tries": lambda lease: lease.tries if lease.is_working else lease.last_tries,
    "Created by": lambda lease: str(lease.created_by or ""),
    "Run for": lambda lease: str(lease.initiated_by or ""),
    "Created": lambda lease: _when(lease.created_at),
    "Last change": lambda lease: _when(lease.entered_at),
}


def download(leases: QuerySet[Lease], *, kind: str, name: str) -> HttpResponseBase:
    """The leases in their order.

    Args:
        kind: of `KINDS`.
        name: of the file, without its extension.

    Raises:
        TooManyForWorkbook: nobody would wait for it.
    """
    related = leases.select_related("runsheet_directory", "created_by", "initiated_by")
    return KINDS[kind](with_last_tries(related), f"{name}.{kind}")


def name_of_today() -> str:
    """What a file of leases is called."""
    return f"leases-{timezone.localdate():%Y-%m-%d}"


def _cells(leases: QuerySet[Lease]) -> Iterator[list[Any]]:
    for lease in leases.iterator(chunk_size=AT_ONCE):
        yield [cell(lease) for cell in COLUMNS.values()]


def _csv(leases: QuerySet[Lease], name: str) -> HttpResponseBase:
    rows = chain([list(COLUMNS)], _cells(leases))
    return csv_file(rows, name)


def csv_file(rows: Iterable[list[Any]], name: str) -> HttpResponseBase:
    """A CSV file that Excel reads as it is, with nothing in it that would be calculated."""
    return _streamed(chain([MARK], map(_csv_line, rows)), name, "text/csv; charset=utf-8")


def _csv_line(row: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([defused(cell) for cell in row])
    return line.getvalue()


def _json(leases: QuerySet[Lease], name: str) -> HttpResponseBase:
    def parts() -> Iterator[str]:
        before = "[\n"
        for row in _cells(leases):
            yield before + json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False)
            before = ",\n"
        yield "\n]\n" if before == ",\n" else "[]\n"

    return _streamed(parts(), name, "application/json")


def _xlsx(leases: QuerySet[Lease], name: str) -> HttpResponseBase:
    if leases.order_by()[: XLSX_AT_MOST + 1].count() > XLSX_AT_MOST:
        raise TooManyForWorkbook
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leases")
    sheet.append(list(COLUMNS))
    for row in _cells(leases):
        sheet.append([defused(cell) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name)


def _streamed(parts: Iterator[str], name: str, content_type: str) -> HttpResponseBase:
    headers = {"Content-Disposition": str(content_disposition_header(as_attachment=True, filename=name))}
    return StreamingHttpResponse(parts, content_type=content_type, headers=headers)


KINDS = {"csv": _csv, "xlsx": _xlsx, "json": _json}
