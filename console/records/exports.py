"""The records that a list shows, all its pages of them, as a file with the columns that the list declares."""

import csv
import io
import json
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import capfirst, slugify
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from console.records.formulas import defused
from core.base.clock import now
from core.base.dispositions import disposition
from core.base.errors import Refused
from core.base.replica import alias_of_lists
from core.base.statement_limits import read_in_time
from core.http.lists import give_up

AT_ONCE = 2_000
XLSX_AT_MOST = 50_000
SHEET_NAME_AT_MOST = 31  # characters, says Excel
PLAIN = (str, int, float, Decimal, date, timedelta)
MARK = "\ufeff"  # Excel takes a CSV file without it for Windows-1252


class TooManyForWorkbook(Refused):
    """An XLSX file holds no more than 50,000 records. Narrow the list, or take CSV."""

    code = "too_many_for_workbook"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file.

    Attributes:
        value: what stands in it, by the record; an instant stays one.
        width: in a workbook, in characters: as many as one wants to see of it.
        is_time: whether it holds instants.
        right: a permission that a person needs to see it; empty: none beside that for the records.
    """

    label: str
    value: Callable[[Any], Any]
    width: int = field(default=20, kw_only=True)
    is_time: bool = field(default=False, kw_only=True)
    right: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What becomes a file.

    Attributes:
        records: in their order, with all that the columns show.
        name: what such records are called, in the plural.
        alias: of the database that they are read in, also once the file is on its way.
    """

    records: QuerySet[Any]
    columns: Sequence[Column]
    name: str
    alias: str = field(default_factory=alias_of_lists)

    @property
    def labels(self) -> list[str]:
        return [column.label for column in self.columns]

    def cells(self) -> Iterator[list[Any]]:
        """A row for each record, once. A replica that fails in the middle of it leaves the rest to the primary."""
        sent = array("q")
        try:
            for record in self._read(self.alias):
                sent.append(record.pk)
                yield self._row(record)
        except Error as error:
            if self.alias == DEFAULT_DB_ALIAS:
                raise
            give_up(error)
        else:
            return
        known = set(sent)
        for record in self._read(DEFAULT_DB_ALIAS):
            if record.pk not in known:
                yield self._row(record)

    def _read(self, alias: str) -> Iterator[Any]:
        with read_in_time(alias):
            yield from self.records.using(alias).iterator(chunk_size=AT_ONCE)

    def _row(self, record: Any) -> list[Any]:
        return [_plain(column.value(record)) for column in self.columns]


def download(export: Export, *, kind: str) -> HttpResponseBase:
    """The file, called after what it holds and the day.

    Args:
        kind: of `KINDS`, or of `STREAMED`.

    Raises:
        TooManyForWorkbook: nobody would wait for it.
    """
    return {**KINDS, **STREAMED}[kind](export, f"{slugify(export.name)}-{timezone.localdate():%Y-%m-%d}.{kind}")


def _plain(value: Any) -> Any:
    """What every kind of file can hold. Anything else is a text before it is looked at whether that is a formula."""
    return value if value is None or isinstance(value, PLAIN) else str(value)


def _texts(row: list[Any]) -> list[Any]:
    """With times as text, each with its offset from UTC."""
    return [
        timezone.localtime(cell).isoformat(sep=" ", timespec="seconds") if isinstance(cell, datetime) else cell
        for cell in row
    ]


def _csv(export: Export, name: str) -> HttpResponseBase:
    return csv_file(chain([export.labels], map(_texts, export.cells())), name)


def csv_file(rows: Iterable[list[Any]], name: str) -> HttpResponseBase:
    """A CSV file that Excel reads as it is, with nothing in it that would be calculated."""
    return _streamed(chain([MARK], map(_csv_line, rows)), name, "text/csv; charset=utf-8")


def _csv_line(row: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([defused(cell) for cell in row])
    return line.getvalue()


def _json(export: Export, name: str) -> HttpResponseBase:
    def parts() -> Iterator[str]:
        before = "[\n"
        for row in export.cells():
            named = dict(zip(export.labels, _texts(row), strict=True))
            yield before + json.dumps(named, ensure_ascii=False, default=str)
            before = ",\n"
        yield "\n]\n" if before == ",\n" else "[]\n"

    return _streamed(parts(), name, "application/json")


def _xlsx(export: Export, name: str) -> HttpResponseBase:
    if export.records.order_by()[: XLSX_AT_MOST + 1].count() > XLSX_AT_MOST:
        raise TooManyForWorkbook(
            f"An XLSX file holds at most {XLSX_AT_MOST:,} {export.name}. Narrow the list, or take CSV."
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet(capfirst(export.name)[:SHEET_NAME_AT_MOST])
    sheet.freeze_panes = "A2"
    for place, column in enumerate(export.columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    # A workbook's times know no zone, so all have one offset, which the header names.
    zone = timezone.get_fixed_timezone(timezone.localtime(now()).utcoffset() or timedelta())
    sheet.append([f"{each.label} ({_offset(zone)})" if each.is_time else each.label for each in export.columns])
    for row in export.cells():
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


def _ndjson(export: Export, name: str) -> HttpResponseBase:
    """A line for each, for programs that read one after the other."""

    def parts() -> Iterator[str]:
        for row in export.cells():
            named = dict(zip(export.labels, _texts(row), strict=True))
            yield json.dumps(named, ensure_ascii=False, default=str) + "\n"

    return _streamed(parts(), name, "application/x-ndjson")


def _streamed(parts: Iterator[str], name: str, content_type: str) -> HttpResponseBase:
    headers = {"Content-Disposition": disposition(name)}
    return StreamingHttpResponse(parts, content_type=content_type, headers=headers)


KINDS = {"csv": _csv, "xlsx": _xlsx, "json": _json}
# Of any length: nothing of these is held until all of it is there.
STREAMED = {"csv": _csv, "ndjson": _ndjson}
