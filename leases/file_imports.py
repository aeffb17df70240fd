"""A file that a program sends: what it would become, as the console's preview tells it, or the same batch as the console makes."""

from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User

from core.base.statement_limits import answered_in_time
from leases.agency_words import known_words
from leases.columns import Mapping, guess_mapping
from leases.errors import ColumnsUnknown
from leases.imports import ADD, keep_upload, rows_of, save_upload
from leases.many import Item, item_of, made_in
from leases.models import Batch
from leases.row_checks import Examined, LeftOut, examine
from leases.unfound import Unfound, rows_without_archive
from spreadsheets.tables import Choices, Row, Table, read_table
from statemachine.rights import require


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is said of a file; what is not said is guessed.

    Attributes:
        columns: of `Mapping`, what is known of it.
        with_doubtful: also those that may not be what is meant.
    """

    name: str
    choices: Choices
    columns: dict[str, Any]
    with_doubtful: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLook:
    """What a file becomes, or would.

    Attributes:
        batch: None: none was made.
        items: the rows that are leases, or should be.
        no_leases: those that are none, without the names of the columns and what stands above the first lease.
        unfound: which have no archive; None: nobody knows, or they are made already.
    """

    read_as: str
    read_by: Choices
    sheets: tuple[str, ...]
    mapping: Mapping
    notes: tuple[str, ...]
    items: tuple[Item, ...]
    no_leases: tuple[LeftOut, ...]
    unfound: Unfound | None
    batch: Batch | None


def look_at_file(*, wish: Wish, content: bytes, user: User) -> FileLook:
    """What the file would become; nothing is kept of it.

    Raises:
        TransitionForbidden: the person may not make leases.
        UnreadableFile, ColumnsUnknown: with the one thing to do about it.
    """
    require(user, ADD)
    table = read_table(name=wish.name, content=content, choices=wish.choices)
    mapping = _mapping(table.rows, wish)
    examined = examine(table.rows, mapping, known_words())
    unfound = rows_without_archive(examined, user=user)
    return _look(table, mapping, examined, wish=wish, unfound=unfound, batch=None)


def import_file(*, wish: Wish, content: bytes, user: User) -> FileLook:
    """Make the leases of the file as one batch, without its wrong rows; what was left out is kept with it.

    Raises:
        TransitionForbidden, UnreadableFile, ColumnsUnknown, Overtaken, DatabaseTooBusy: nothing was saved.
    """
    with answered_in_time():
        upload = keep_upload(name=wish.name, content=content, user=user, choices=wish.choices)
        rows = rows_of(upload)
        mapping = _mapping(rows, wish)
        reading = upload.reading
        saved = save_upload(upload, mapping=mapping, user=user, with_doubtful=wish.with_doubtful)
        if saved.batch is None:
            upload.delete()
        table = Table(
            read_as=upload.read_as,
            rows=rows,
            notes=upload.notes,
            read_by=Choices(separator=reading["separator"], sheet=reading["sheet"]),
            sheets=reading["sheets"],
        )
        return _look(table, mapping, saved.examined, wish=wish, unfound=None, batch=saved.batch)


def _mapping(rows: list[Row], wish: Wish) -> Mapping:
    """Which column is which, as it is said, else as it is guessed.

    Raises:
        ColumnsUnknown: neither tells.
    """
    found = replace(guess_mapping(rows), **wish.columns)
    if not found.is_complete or found.number == found.agency:
        raise ColumnsUnknown
    return found


def _look(
    table: Table, mapping: Mapping, examined: Examined, *, wish: Wish, unfound: Unfound | None, batch: Batch | None
) -> FileLook:
    made = made_in(batch)
    return FileLook(
        read_as=table.read_as,
        read_by=table.read_by,
        sheets=tuple(table.sheets),
        mapping=mapping,
        notes=(*table.notes, *examined.notes),
        items=tuple(item_of(row, made, with_doubtful=wish.with_doubtful) for row in examined.checked),
        no_leases=tuple(row for row in examined.no_leases if not (row.is_header or row.is_above)),
        unfound=unfound,
        batch=batch,
    )
