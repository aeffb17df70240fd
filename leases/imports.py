"""From a file to leases: kept until somebody has looked at what it would become, and saved as it was shown.

The pages and the command line do the same: read, guess the columns, examine the rows, confirm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from psycopg.errors import DeadlockDetected

from core.base.folding import printable
from core.base.statement_limits import answered_in_time
from leases.agency_words import known_words
from leases.batches import import_leases
from leases.columns import Mapping, guess_mapping
from leases.errors import NothingToImport, Overtaken, ReadOtherwise, UploadGone
from leases.models import Batch, Upload
from leases.row_checks import Examined, LeftOut, examine, left_out_of
from spreadsheets.errors import UnreadableFile
from spreadsheets.tables import Choices, Row, Table, read_table
from statemachine.rights import require

# Of a file that nobody has imported.
KEPT = timedelta(days=1)
RACES = 3
ADD = "leases.add_lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a file would become, with the columns as they are guessed."""

    mapping: Mapping
    examined: Examined
    notes: tuple[str, ...]


def look_at(table: Table, *, agency_of_all: str = "") -> Look:
    """What a file would become.

    Args:
        agency_of_all: whose the leases are whose row does not say so.

    Raises:
        UnreadableFile: which column holds the numbers cannot be told.
    """
    words = known_words()
    mapping = replace(guess_mapping(table.rows), agency_of_all=agency_of_all)
    if mapping.number is None:
        raise UnreadableFile(
            "Which column holds the lease numbers cannot be told. Write “Lease Number” over it, "
            "or import the file in the console, where it can be chosen."
        )
    examined = examine(table.rows, mapping, words)
    return Look(mapping=mapping, examined=examined, notes=(*table.notes, *examined.notes))


def keep_upload(*, name: str, content: bytes, user: User, choices: Choices | None = None) -> Upload:
    """Read a file and keep it until somebody confirms the import, for a day at most.

    Args:
        choices: by what it is read, where somebody has said so.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was saved.
        UnreadableFile: with the one thing to do about it. Nothing was saved.
    """
    require(user, ADD)
    name = printable(name)
    table = read_table(name=name, content=content, choices=choices)
    return Upload.objects.create(name=name[-200:], content=content, created_by=user, **_read_as(table))


def read_again(*, upload_id: int, choices: Choices, user: User) -> Upload:
    """Read a file that is kept by another separator, or another sheet of it.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was changed.
        UploadGone: it was chosen too long ago, or is imported.
        UnreadableFile: it cannot be read so. Nothing was changed.
    """
    require(user, ADD)
    with transaction.atomic():
        upload = kept_uploads().defer(None).select_for_update().filter(pk=upload_id, batch__isnull=True).first()
        if upload is None or upload.content is None:
            raise UploadGone
        read = _read_as(read_table(name=upload.name, content=bytes(upload.content), choices=choices))
        # Another row may have the number of one that was corrected.
        read |= {"corrected": {}}
        for field, value in read.items():
            setattr(upload, field, value)
        upload.save(update_fields=read)
    return upload


def _read_as(table: Table) -> dict[str, Any]:
    reading = {"separator": table.read_by.separator, "sheet": table.read_by.sheet, "sheets": table.sheets}
    rows = [_kept(row) for row in table.rows]
    return {"read_as": table.read_as, "rows": rows, "notes": table.notes, "reading": reading}


def kept_uploads() -> QuerySet[Upload]:
    """Those that were imported, and those that still may be."""
    return Upload.objects.defer("content").filter(Q(batch__isnull=False) | Q(created_at__gt=Now() - KEPT))


def forget_old_uploads() -> None:
    """Delete what nobody has imported for a day."""
    Upload.objects.filter(batch__isnull=True, created_at__lte=Now() - KEPT).delete()


def read_by_of(upload: Upload) -> str:
    """The separator or the sheet by which it is read."""
    return upload.reading.get("separator") or upload.reading.get("sheet") or ""


def rows_of(upload: Upload) -> list[Row]:
    """The rows of the file, with the numbers that a person has put in the place of others."""
    return [_corrected(row, upload.corrected) for row in rows_in_file(upload)]


def rows_in_file(upload: Upload) -> list[Row]:
    """The rows of the file, as they were read."""
    return [_row(*kept) for kept in upload.rows]


def confirm(*, upload_id: int, mapping: Mapping, user: User, with_doubtful: bool = True, read_by: str = "") -> Batch:
    """Save the leases of a file, without its wrong rows; confirmed again, it is the same batch.

    Args:
        with_doubtful: also those that may not be what is meant.
        read_by: the separator or sheet by which it was read when the person saw it; empty: nobody has chosen one.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was saved.
        UploadGone: it was chosen too long ago.
        ReadOtherwise: what the person saw is not what would be saved. Nothing was.
        NothingToImport: no row is right. Nothing was saved.
        Overtaken, DatabaseTooBusy: others made leases of the file meanwhile. Nothing was saved.
    """
    require(user, ADD)
    with answered_in_time():
        # The batch is read after the lock: whoever held it may have been importing the same file.
        upload = kept_uploads().select_for_update().filter(pk=upload_id).first()
        if upload is None:
            raise UploadGone
        if upload.batch is None:
            if read_by and read_by != read_by_of(upload):
                raise ReadOtherwise
            if save_upload(upload, mapping=mapping, user=user, with_doubtful=with_doubtful).batch is None:
                raise NothingToImport
        assert upload.batch
        return upload.batch


def save_upload(upload: Upload, *, mapping: Mapping, user: User, with_doubtful: bool = True) -> "Saved":
    """Save the leases of a file that nobody else sees meanwhile, and of the file only what was left out.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was saved.
        Overtaken: others made the same leases meanwhile. Nothing was saved.
    """
    rows = rows_of(upload)
    saved = save_rows(rows=rows, mapping=mapping, user=user, title=upload.name, with_doubtful=with_doubtful)
    if saved.batch is not None:
        left_out = left_out_of(rows, saved.examined, with_doubtful=with_doubtful)
        upload.batch = saved.batch
        upload.rows = [[row.row, row.agency, row.lease_number, row.reason, row.others] for row in left_out]
        upload.reading = {"own_columns": list(saved.examined.own_columns.values())}
        upload.content = None
        upload.save()
    return saved


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutRows:
    """The rows that an import leaves out.

    Attributes:
        own_columns: the names of the columns that mean nothing to us, whose cells each row has.
    """

    rows: list[LeftOut]
    own_columns: list[str]


def left_out_by(batch_id: int) -> LeftOutRows:
    """What an import has left out."""
    found = Upload.objects.filter(batch=batch_id).values_list("rows", "reading").first() or ([], {})
    rows, reading = found
    return LeftOutRows(
        rows=[
            LeftOut(row=row, agency=agency, lease_number=number, reason=reason, others=tuple(*others))
            for row, agency, number, reason, *others in rows
        ],
        own_columns=reading.get("own_columns", []),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of rows.

    Attributes:
        batch: None where none of them is a lease that could be made.
        examined: what they were when they were saved.
    """

    batch: Batch | None
    examined: Examined


def save_rows(
    *,
    rows: Sequence[Row],
    mapping: Mapping,
    user: User,
    title: str,
    with_doubtful: bool = True,
    has_names: bool = True,
) -> Saved:
    """Save the leases of rows, without the wrong ones; the same few statements, however many they are.

    Args:
        title: what the history calls it.
        with_doubtful: also those that may not be what is meant.
        has_names: the names of the columns may stand among them.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was saved.
        Overtaken: others made the same leases meanwhile. Nothing was saved.
    """
    require(user, ADD)
    words = known_words()
    for race in range(1, RACES + 1):
        examined = examine(rows, mapping, words, has_names=has_names)
        taken = [row for row in examined.usable if with_doubtful or not row.doubts]
        if not taken:
            break
        # In one order, so that nobody who imports the same leases waits for this, and this for them.
        leases = sorted((row.agency, row.lease_number) for row in taken)
        left_out = len(left_out_of(rows, examined, with_doubtful=with_doubtful))
        try:
            batch = import_leases(leases=leases, user=user, title=title, left_out=left_out)
        except (IntegrityError, OperationalError) as error:
            # Somebody else has made one of them since they were checked, or is about to.
            if isinstance(error, OperationalError) and not isinstance(error.__cause__, DeadlockDetected):
                raise
            if race == RACES:
                raise Overtaken from error
        else:
            return Saved(batch=batch, examined=examined)
    return Saved(batch=None, examined=examined)


def _kept(row: Row) -> list[Any]:
    return [row.number, row.cells, *([row.problems, row.doubts] if row.problems or row.doubts else [])]


def _row(number: int, cells: list[str], *told: dict[str, str]) -> Row:
    # The keys of JSON are texts.
    problems, doubts = [{int(column): sentence for column, sentence in each.items()} for each in told] or [{}, {}]
    return Row(number=number, cells=cells, problems=problems, doubts=doubts)


def _corrected(row: Row, corrected: dict[str, tuple[int, str]]) -> Row:
    """What was odd about the cell that it had goes with it."""
    if str(row.number) not in corrected:
        return row
    column, number = corrected[str(row.number)]
    return Row(
        number=row.number,
        cells=[number if at == column else cell for at, cell in enumerate(row.cells)],
        problems={at: sentence for at, sentence in row.problems.items() if at != column},
        doubts={at: sentence for at, sentence in row.doubts.items() if at != column},
    )
