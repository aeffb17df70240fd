"""Leases out of a file, for programs: what the console's preview shows of it, and the batch that the console makes of it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from api.shapes import Said, Text
from core.base.folding import printable
from core.http import uploads
from core.http.transfers import Stalled
from leases import file_imports
from leases.api.asking import SEE, asking, here
from leases.columns import letters
from leases.errors import FileIncomplete, FileTooSlow
from leases.file_imports import FileLook, Wish
from leases.imports import ADD
from leases.many import Item
from leases.row_checks import LeftOut
from leases.unfound import WithoutArchive
from spreadsheets.delimited import NO_SEPARATOR, SEPARATORS
from spreadsheets.tables import MAX_BYTES, Choices, too_large

router = Router()

# Read by the view itself, up to what a file may have.
STREAMED: Mapping[str, tuple[str, ...]] = {"import_leases": ("POST",)}
SEPARATOR_NAMES = {name: sign for sign, name in SEPARATORS.items()} | {"none": NO_SEPARATOR}
FILES = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream")
A_FILE: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes of a CSV or XLSX file. What it is, its content says.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES},
    }
}
type BecameOfRow = Literal["made", "refused", "doubtful", "no_lease"]
type AgencyCode = Literal["BLM", "NMSLO"]
type SeparatorName = Literal["tabulator", "vertical bar", "semicolon", "comma", "none"]
Letters = Annotated[str, Field(pattern="^[A-Za-z]{1,2}$")]


class FileSaid(Said):
    """What is said of the file; what is left out is guessed as the console guesses it.

    Attributes:
        name: what the history calls it.
        dry_run: make nothing, and tell what would become of each row.
        only_sure: leave out those that may not be what is meant.
        number_column, agency_column: the letters that a spreadsheet has for them.
        agency: whose all leases are; beside a column, those in whose row it is empty.
        first_row: the number of the first row with a lease.
        separator: of a CSV file.
        sheet: the name of one of an XLSX file.
    """

    name: Annotated[Text, Field(max_length=200)] = "file"
    dry_run: Annotated[bool, Field(strict=False)] = False
    only_sure: Annotated[bool, Field(strict=False)] = False
    number_column: Letters | None = None
    agency_column: Letters | None = None
    agency: AgencyCode | None = None
    first_row: Annotated[int, Field(ge=1, le=10_000_000, strict=False)] | None = None
    separator: SeparatorName | None = None
    sheet: Annotated[Text, Field(max_length=100)] = ""

    def wish(self) -> Wish:
        """As the service takes it."""
        said = {
            "number": _column(self.number_column),
            "agency": _column(self.agency_column),
            "agency_of_all": self.agency,
            "first_row": self.first_row,
        }
        separator = SEPARATOR_NAMES[self.separator] if self.separator else ""
        return Wish(
            name=printable(self.name).strip() or "file",
            choices=Choices(separator=separator, sheet=self.sheet),
            columns={field: value for field, value in said.items() if value is not None},
            with_doubtful=not self.only_sure,
        )


class ColumnsRead(BaseModel):
    """Which column is which.

    Attributes:
        agency: the column of agencies; empty: there is none.
        agency_of_all: whose the leases are, where the row does not say so.
    """

    number: str
    agency: str
    agency_of_all: str
    first_row: int


class RowAnswer(BaseModel):
    """What became of a row, or would.

    Attributes:
        row: its number in the file, as a spreadsheet shows it; of a CSV file the line it begins in.
        number: as it is kept.
        became: “no_lease” is such as a total or a note.
        lease_id: of the lease that was made.
        existing_id: of the lease that there was already.
        code: with which it alone would have been refused; empty: it was not.
        problems: why it was refused, a sentence each.
        doubts: why it may not be what is meant, a sentence each.
        no_archive: of a dry run: that it has no archive, as far as that is known.
        nearest: the names of archives that come near.
    """

    row: int
    agency: str
    number: str
    became: BecameOfRow
    lease_id: int | None
    existing_id: int | None
    code: str
    problems: list[str]
    doubts: list[str]
    no_archive: str
    nearest: list[str]

    @classmethod
    def of(cls, item: Item, without: WithoutArchive | None) -> "RowAnswer":
        return cls(
            row=item.row,
            agency=item.agency,
            number=item.number,
            became=item.became.value,
            lease_id=item.lease_id,
            existing_id=item.existing_id,
            code=item.code,
            problems=list(item.problems),
            doubts=list(item.doubts),
            no_archive=without.sentence if without else "",
            nearest=without.offered if without else [],
        )

    @classmethod
    def of_none(cls, left: LeftOut) -> "RowAnswer":
        """Of a row that is no lease."""
        return cls(
            row=left.row,
            agency=left.agency,
            number=left.lease_number,
            became="no_lease",
            lease_id=None,
            existing_id=None,
            code="",
            problems=[left.reason],
            doubts=[],
            no_archive="",
            nearest=[],
        )


class ImportAnswer(BaseModel):
    """What the file has become, or would.

    Attributes:
        batch_id: of the batch that those are that were made; null: none was.
        made: how many leases; of a dry run: how many would be.
        left_out: how many rows are none.
        read_as: how the file was understood.
        separator, sheet: by which it was read.
        sheets: the names of all that there are.
        notes: what one may not expect, a sentence each.
    """

    dry_run: bool
    batch_id: int | None
    made: int
    left_out: int
    read_as: str
    separator: str
    sheet: str
    sheets: list[str]
    columns: ColumnsRead
    notes: list[str]
    items: list[RowAnswer]

    @classmethod
    def of(cls, look: FileLook, *, dry_run: bool) -> "ImportAnswer":
        without = look.unfound.by_row if look.unfound else {}
        items = [RowAnswer.of(each, without.get(each.row)) for each in look.items]
        items = sorted([*items, *map(RowAnswer.of_none, look.no_leases)], key=lambda each: each.row)
        made = sum(each.became == "made" for each in items)
        mapping = look.mapping
        return cls(
            dry_run=dry_run,
            batch_id=look.batch.pk if look.batch else None,
            made=made,
            left_out=len(items) - made,
            read_as=look.read_as,
            separator=SEPARATORS.get(look.read_by.separator, look.read_by.separator),
            sheet=look.read_by.sheet,
            sheets=list(look.sheets),
            columns=ColumnsRead(
                number=_letters(mapping.number),
                agency=_letters(mapping.agency),
                agency_of_all=mapping.agency_of_all,
                first_row=mapping.first_row,
            ),
            notes=list(look.notes),
            items=items,
        )


@router.post(
    "/import/",
    response={HTTPStatus.OK: ImportAnswer, HTTPStatus.ACCEPTED: ImportAnswer},
    url_name="import_leases",
    openapi_extra=dict(A_FILE),
)
def import_leases(
    request: HttpRequest, response: HttpResponse, said: Annotated[FileSaid, Query()]
) -> Status[ImportAnswer]:
    """Make the leases of a CSV or XLSX file as one batch: what is wrong is left out, and the others are made.

    With `dry_run` nothing is made or kept, and what would become of each row is told, as the console's preview does.

    Raises:
        TransitionForbidden: the person may not make leases.
        UnreadableFile, ColumnsUnknown, FileIncomplete, FileTooSlow: with the one thing to do about it.
        Overtaken, DatabaseTooBusy: nothing was saved.
    """
    user = asking(request, SEE, ADD)
    content, wish = _content(request), said.wish()
    if said.dry_run:
        look = file_imports.look_at_file(wish=wish, content=content, user=user)
        return Status(HTTPStatus.OK, ImportAnswer.of(look, dry_run=True))
    look = file_imports.import_file(wish=wish, content=content, user=user)
    told = ImportAnswer.of(look, dry_run=False)
    if look.batch is None:
        return Status(HTTPStatus.OK, told)
    response["Location"] = here(request, "batch", look.batch.pk)
    return Status(HTTPStatus.ACCEPTED, told)


def _content(request: HttpRequest) -> bytes:
    """The file, which is bounded before it is read.

    Raises:
        UnreadableFile: it is too large.
        FileIncomplete, FileTooSlow: not all of it has come.
    """
    announced = uploads.announced(request)
    body = request.META["wsgi.input"]
    is_chunked = bool(request.headers.get("Transfer-Encoding") and request.META.get("wsgi.input_terminated"))
    most = MAX_BYTES + 1 if is_chunked else min(announced, MAX_BYTES + 1)
    try:
        content: bytes = body.read(most) if most else b""
    except Stalled as error:
        raise FileTooSlow from error
    except OSError as error:
        raise FileIncomplete from error
    if len(content) > MAX_BYTES:
        size = f"{announced / 1e6:.1f} MB" if announced else "more than it may have"
        left = announced - len(content) if announced else uploads.THROWN_AWAY_BYTES
        uploads.throw_away(request, size=left, read=body.read)
        raise too_large(size)
    if not is_chunked and len(content) < announced:
        raise FileIncomplete
    return content


def _column(said: str | None) -> int | None:
    """Its place, counted from 0."""
    if said is None:
        return None
    place = 0
    for letter in said.upper():
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _letters(column: int | None) -> str:
    return "" if column is None else letters(column)
