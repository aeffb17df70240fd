"""From the rows of a file to leases: which column is which, what is wrong with a row, and saving what is right."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from psycopg.errors import DeadlockDetected

from leases.batches import import_leases
from leases.duplicates import Earlier, twins_of
from leases.errors import NothingToImport, Overtaken, UploadGone
from leases.lookalikes import difference, doubts_about_characters
from leases.models import Agency, Batch, Upload
from leases.patience import answered_in_time
from leases.spreadsheets import Row, read_table
from leases.validation import normalise_number, validate_lease_number

# Of a file that nobody has imported.
KEPT = timedelta(days=1)
HEADER_WITHIN = 10
RACES = 3
NUMBER, AGENCY = "lease_number", "agency"
# As `_name` makes them.
COLUMN_NAMES = {
    NUMBER: ("leasenumber", "leaseno", "leasenum", "leaseserialnumber", "serialnumber", "serialno", "lease", "number"),
    AGENCY: ("agency", "agencycode", "agencyname", "lessor", "office"),
}
SPREADSHEET_ERRORS = ("#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#N/A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which column is which, counted from 0.

    Attributes:
        number: the column of lease numbers; None: not known yet.
        agency: the column of agencies; None: all are of one.
        agency_of_all: that one, if it is known.
        first_row: the number of the first row that is a lease.
    """

    number: int | None = None
    agency: int | None = None
    agency_of_all: str = ""
    first_row: int = 1

    @property
    def is_complete(self) -> bool:
        return self.number is not None and (self.agency is not None or self.agency_of_all in Agency)


@dataclass(slots=True, kw_only=True)
class Checked:
    """One row of a file as it would be saved.

    Attributes:
        agency: a value of `Agency`, or as it stands in the file where that is none.
        problems: a sentence for each column that something is wrong with.
        existing_id: the lease that the row is a duplicate of.
        warning: a sentence about a number that may not be what is meant; it is imported all the same.
        similar_id: the lease that has that other number.
    """

    row: int
    agency: str
    lease_number: str
    problems: dict[str, str] = field(default_factory=dict)
    existing_id: int | None = None
    warning: str = ""
    similar_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that is no lease, and what is wrong with it."""

    row: int
    agency: str
    lease_number: str
    reason: str


def keep_upload(*, name: str, content: bytes, user: User) -> Upload:
    """Read a file and keep its rows until somebody confirms the import, for a day at most.

    Raises:
        UnreadableFile: with the one thing to do about it. Nothing was saved.
    """
    table = read_table(name=name, content=content)
    rows = [_kept(row) for row in table.rows]
    return Upload.objects.create(name=name[-200:], read_as=table.read_as, rows=rows, notes=table.notes, created_by=user)


def kept_uploads() -> QuerySet[Upload]:
    """Those that were imported, and those that still may be."""
    return Upload.objects.filter(Q(batch__isnull=False) | Q(created_at__gt=Now() - KEPT))


def forget_old_uploads() -> None:
    """Delete what nobody has imported for a day."""
    Upload.objects.filter(batch__isnull=True, created_at__lte=Now() - KEPT).delete()


def rows_of(upload: Upload) -> list[Row]:
    """The rows of the file, as they were read."""
    return [_row(*kept) for kept in upload.rows]


def guess_mapping(rows: Sequence[Row]) -> Mapping:
    """Which column is which, by the names over them; where there are none, agencies are known by what they are."""
    for row in rows[:HEADER_WITHIN]:
        names = [_name(cell) for cell in row.cells]
        if (number := _column(names, NUMBER)) is not None:
            return Mapping(number=number, agency=_column(names, AGENCY), first_row=row.number + 1)
    for row in rows[:HEADER_WITHIN]:
        agency = next((column for column, cell in enumerate(row.cells) if _agency(cell) in Agency), None)
        if agency is not None:
            return Mapping(number=1 - agency if len(row.cells) == 2 else None, agency=agency, first_row=row.number)  # noqa: PLR2004 - the one and the other
    return Mapping(number=0 if all(len(row.cells) == 1 for row in rows) else None, first_row=rows[0].number)


def check_rows(rows: Iterable[Row], mapping: Mapping) -> list[Checked]:
    """What each row would become, and what is wrong with it; reads the database once.

    Args:
        mapping: complete.
    """
    checked = [_check(row, mapping) for row in rows if row.number >= mapping.first_row]
    _tell_duplicates([each for each in checked if not each.problems])
    return checked


def confirm(*, upload_id: int, mapping: Mapping, user: User) -> Batch:
    """Save the leases of a file, without its wrong rows; confirmed again, it is the same batch.

    Raises:
        UploadGone: it was chosen too long ago.
        NothingToImport: no row is right. Nothing was saved.
        Overtaken, DatabaseTooBusy: others made leases of the file meanwhile. Nothing was saved.
    """
    with answered_in_time():
        # The batch is read after the lock: whoever held it may have been importing the same file.
        upload = kept_uploads().select_for_update().filter(pk=upload_id).first()
        if upload is None:
            raise UploadGone
        if upload.batch is None:
            upload.batch, wrong = _save(upload, mapping, user)
            upload.rows = [[each.row, each.agency, each.lease_number, each.reason] for each in left_out_of(wrong)]
            upload.save()
        return upload.batch


def left_out_of(checked: Iterable[Checked]) -> list[LeftOut]:
    """Those of the rows that have a problem, each with all that is wrong with it."""
    return [
        LeftOut(row=row.row, agency=row.agency, lease_number=row.lease_number, reason=" ".join(row.problems.values()))
        for row in checked
        if row.problems
    ]


def left_out_by(batch_id: int) -> list[LeftOut]:
    """The rows that an import has left out."""
    rows = Upload.objects.filter(batch=batch_id).values_list("rows", flat=True).first() or []
    return [LeftOut(row=row, agency=agency, lease_number=number, reason=reason) for row, agency, number, reason in rows]


def _save(upload: Upload, mapping: Mapping, user: User) -> tuple[Batch, list[Checked]]:
    for race in range(1, RACES + 1):
        checked = check_rows(rows_of(upload), mapping)
        # In one order, so that nobody who imports the same leases waits for this, and this for them.
        right = sorted((each.agency, each.lease_number) for each in checked if not each.problems)
        if not right:
            break
        try:
            batch = import_leases(leases=right, user=user, title=upload.name, left_out=len(checked) - len(right))
            return batch, [each for each in checked if each.problems]
        except (IntegrityError, OperationalError) as error:
            # Somebody else has made one of them since they were checked, or is about to.
            if isinstance(error, OperationalError) and not isinstance(error.__cause__, DeadlockDetected):
                raise
            if race == RACES:
                raise Overtaken from error
    raise NothingToImport


def _kept(row: Row) -> list[Any]:
    return [row.number, row.cells, *([row.problems, row.doubts] if row.problems or row.doubts else [])]


def _row(number: int, cells: list[str], *told: dict[str, str]) -> Row:
    # The keys of JSON are texts.
    problems, doubts = [{int(column): sentence for column, sentence in each.items()} for each in told] or [{}, {}]
    return Row(number=number, cells=cells, problems=problems, doubts=doubts)


# --- Columns --------------------------------------------------------------------------------------------------------


def _name(cell: str) -> str:
    return re.sub(r"[\W_]+", "", cell.casefold())


def _column(names: Sequence[str], meaning: str) -> int | None:
    """The column of that meaning; the names that say most come first."""
    return next((names.index(name) for name in COLUMN_NAMES[meaning] if name in names), None)


def _cell(row: Row, column: int | None) -> str:
    return row.cells[column] if column is not None and column < len(row.cells) else ""


# --- Rows -----------------------------------------------------------------------------------------------------------


def _check(row: Row, mapping: Mapping) -> Checked:
    agency = _cell(row, mapping.agency) if mapping.agency is not None else mapping.agency_of_all
    found = Checked(row=row.number, agency=_agency(agency), lease_number=normalise_number(_cell(row, mapping.number)))
    problems = {
        AGENCY: _told(row.problems, mapping.agency) or _agency_problem(found.agency),
        NUMBER: _told(row.problems, mapping.number) or _number_problem(found.lease_number),
    }
    found.warning = " ".join(
        filter(None, [_told(row.doubts, mapping.number), *doubts_about_characters(found.lease_number)])
    )
    found.problems = {column: problem for column, problem in problems.items() if problem}
    return found


def _told(sentences: dict[int, str], column: int | None) -> str:
    return sentences.get(column, "") if column is not None else ""


def _agency(cell: str) -> str:
    """An agency by its value, its label or its full name, else what stands there."""
    wanted = cell.casefold()
    for agency in Agency:
        full_name = agency.label.partition("(")[2].rstrip(")")
        if wanted in {agency.value.casefold(), agency.label.casefold(), full_name.casefold()}:
            return agency.value
    return cell


def _agency_problem(agency: str) -> str:
    if agency in Agency:
        return ""
    known = " or ".join(Agency.values)
    if not agency:
        return f"The agency is missing: write {known}."
    return _calculated(agency) or f"“{agency}” is no agency known here: write {known}."


def _number_problem(number: str) -> str:
    if not number:
        return "The lease number is missing."
    if calculated := _calculated(number):
        return calculated
    try:
        validate_lease_number(number)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def _calculated(cell: str) -> str:
    if cell.startswith("="):
        return "This cell is a formula: put its value in its place."
    return "This cell is an error of the spreadsheet: correct it there." if cell in SPREADSHEET_ERRORS else ""


def _tell_duplicates(rows: Sequence[Checked]) -> None:
    """Of rows of one lease only the first is right, and none if there is such a lease already."""
    first: dict[tuple[str, str], Checked] = {}
    before = Earlier[Checked]()
    for each, twins in zip(rows, twins_of([(row.agency, row.lease_number) for row in rows]), strict=True):
        same = (each.agency, twins.key)
        other = before.like(each.agency, twins, each)
        if twins.same_id is not None:
            each.existing_id = twins.same_id
            each.problems[NUMBER] = f"{each.agency} already has this lease."
        elif same in first:
            each.problems[NUMBER] = f"This lease stands in row {first[same].row} already."
        elif twins.similar_id is not None:
            each.similar_id = twins.similar_id
            number = str(twins.similar_number)
            _warn(
                each,
                f"{each.agency} already has {number}, which differs only in {difference(each.lease_number, number)}.",
            )
        elif other:
            number = other.lease_number
            _warn(each, f"Differs only in {difference(each.lease_number, number)} from {number} in row {other.row}.")
        first.setdefault(same, each)


def _warn(row: Checked, sentence: str) -> None:
    row.warning = f"{row.warning} {sentence}".strip()
