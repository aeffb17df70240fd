"""The leases that the list shows, all its pages of them, as a file."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from console.records.formulas import defused
from core.base.clock import now
from core.base.errors import Refused
from core.base.statement_limits import read_in_time
from leases.models import Lease
from statemachine.queries import with_last_tries

AT_ONCE = 2_000
XLSX_AT_MOST = 50_000
MARK = "\ufeff"  # Excel takes a CSV file without it for Windows-1252


class TooManyForWorkbook(Refused):
    """An XLSX file holds at most 50,000 leases. Narrow the list, or take CSV."""

    code = "too_many_for_workbook"


def _report(lease: Lease) -> str:
    found, is_old = lease.known_report
    if found is None:
        return ""
    return f"{'yes' if found else 'no'}{', last known' if is_old else ''}"


COLUMNS: dict[str, Callable[[Any], Any]] = {
    "Lease number": lambda lease: lease.lease_number,
    "Agency": lambda lease: lease.agency,
    "State": lambda lease: lease.get_state_display(),
    "Failure": lambda lease: lease.failure_code,
    "Why": lambda lease: lease.failure_message,
    "Report found": _report,
    "Matching files": lambda lease: "; ".join(lease.matching_names),
    "Directory": lambda lease: lease.runsheet_directory.path if lease.runsheet_directory else "",
    "Share link": lambda lease: lease.runsheet_link,
    "Tries": lambda lease: lease.tries if lease.is_working else lease.last_tries,
    "Created by": lambda lease: str(lease.created_by or ""),
    "Run for": lambda lease: str(lease.initiated_by or ""),
    "Created": lambda lease: lease.created_at,
    "Last change": lambda lease: lease.entered_at,
}
TIMES = ("Created", "Last change")
# As many characters as one wants to see of it; those of the others are as wide as a date.
WIDTHS = {
    "Lease number": 24,
    "Agency": 10,
    "State": 20,
    "Why": 60,
    "Matching files": 50,
    "Directory": 60,
    "Share link": 50,
}
WIDTH = 20


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
    with read_in_time():
        for lease in leases.iterator(chunk_size=AT_ONCE):
            yield [cell(lease) for cell in COLUMNS.values()]


def _texts(row: list[Any]) -> list[Any]:
    """With times as text, each with its offset from UTC."""
    return [
        timezone.localtime(cell).isoformat(sep=" ", timespec="seconds") if isinstance(cell, datetime) else cell
        for cell in row
    ]


def _csv(leases: QuerySet[Lease], name: str) -> HttpResponseBase:
    rows = chain([list(COLUMNS)], map(_texts, _cells(leases)))
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
            yield before + json.dumps(dict(zip(COLUMNS, _texts(row), strict=True)), ensure_ascii=False)
            before = ",\n"
        yield "\n]\n" if before == ",\n" else "[]\n"

    return _streamed(parts(), name, "application/json")


def _xlsx(leases: QuerySet[Lease], name: str) -> HttpResponseBase:
    if leases.order_by()[: XLSX_AT_MOST + 1].count() > XLSX_AT_MOST:
        raise TooManyForWorkbook
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leases")
    sheet.freeze_panes = "A2"
    for place, column in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS.get(column, WIDTH)
    # A workbook's times know no zone, so all have one offset, which the header names.
    zone = timezone.get_fixed_timezone(timezone.localtime(now()).utcoffset() or timedelta())
    sheet.append([f"{column} ({_offset(zone)})" if column in TIMES else column for column in COLUMNS])
    for row in _cells(leases):
        sheet.append([_cell(cell, zone) for cell in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name)


def _offset(zone: tzinfo) -> str:
    return f"{now().astimezone(zone):UTC%:z}"


def _cell(value: Any, zone: tzinfo) -> Any:
    """A time as a date that a spreadsheet can sort and calculate with."""
    if not isinstance(value, datetime):
        return defused(value)
    return value.astimezone(zone).replace(tzinfo=None, microsecond=0)


def _streamed(parts: Iterator[str], name: str, content_type: str) -> HttpResponseBase:
    headers = {"Content-Disposition": str(content_disposition_header(as_attachment=True, filename=name))}
    return StreamingHttpResponse(parts, content_type=content_type, headers=headers)


KINDS = {"csv": _csv, "xlsx": _xlsx, "json": _json}
