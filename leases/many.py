"""Many leases that a program names: made as an import makes those of a file, each with what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import User

from core.base.statement_limits import answered_in_time
from leases.columns import AGENCY, NUMBER, Mapping
from leases.errors import DuplicateLease, InvalidLease
from leases.imports import save_rows
from leases.models import Batch, Lease
from leases.row_checks import Checked, LeftOut
from spreadsheets.cells import is_damaged, tidy
from spreadsheets.tables import DAMAGED, Row

AT_MOST = 1_000
MAPPING = Mapping(agency=0, number=1)


class Became(StrEnum):
    """What became of one of many that were named."""

    MADE = "made"
    REFUSED = "refused"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of many that were named, and what became of it.

    Attributes:
        row: its place among them, from 1, as the sentences call it.
        agency: a value of `Agency`, or as it was given where that is none.
        number: as it would be kept.
        lease_id: the lease that was made.
        existing_id: the lease that there was already.
        code: of the failure with which it alone would have been refused; empty: it was not.
        problems: a sentence for each thing for which it was refused.
        doubts: a sentence for each reason for which it may not be what is meant.
    """

    row: int
    agency: str
    number: str
    became: Became
    lease_id: int | None = None
    existing_id: int | None = None
    code: str = ""
    problems: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeMany:
    """What became of all of them, in their order.

    Attributes:
        batch: those that were made; None: there are none.
    """

    batch: Batch | None
    items: tuple[Item, ...]


def create_many(
    *, leases: Sequence[tuple[str, str]], created_by: User, title: str, with_doubtful: bool = True
) -> MadeMany:
    """Make leases as one batch, without the wrong ones, by the rules of an import; each starts in its turn.

    Args:
        leases: of each its agency, in whatever words an import knows, and its number.
        title: what the history calls it.
        with_doubtful: also those that may not be what is meant.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was saved.
        Overtaken, DatabaseTooBusy: others made the same leases meanwhile. Nothing was saved.
    """
    rows = [_row(at, cells) for at, cells in enumerate(leases, start=1)]
    with answered_in_time():
        saved = save_rows(
            rows=rows,
            mapping=MAPPING,
            user=created_by,
            title=title,
            with_doubtful=with_doubtful,
            has_names=False,
        )
        made = made_in(saved.batch)
    no_leases = map(_refused, saved.examined.no_leases)
    checked = (item_of(row, made, with_doubtful=with_doubtful) for row in saved.examined.checked)
    items = sorted([*no_leases, *checked], key=lambda each: each.row)
    return MadeMany(batch=saved.batch, items=tuple(items))


def _row(number: int, cells: tuple[str, str]) -> Row:
    """As if it stood in a file."""
    problems = {column: DAMAGED for column, cell in enumerate(cells) if is_damaged(cell)}
    return Row(number=number, cells=list(map(tidy, cells)), problems=problems)


def made_in(batch: Batch | None) -> dict[tuple[str, str], int]:
    """Which lease has which agency and number."""
    made = Lease.objects.filter(batch_items__batch=batch) if batch else Lease.objects.none()
    rows = made.order_by().values_list("agency", "lease_number", "pk")
    return {(agency, number): pk for agency, number, pk in rows}


def _refused(row: LeftOut) -> Item:
    return Item(
        row=row.row,
        agency=row.agency,
        number=row.lease_number,
        became=Became.REFUSED,
        code=InvalidLease.code,
        problems=(row.reason,),
    )


def item_of(row: Checked, made: dict[tuple[str, str], int], *, with_doubtful: bool) -> Item:
    """What became of a row, or would.

    Args:
        made: what there is of those that are made, or would be; see `made_in`.
    """
    became = Became.DOUBTFUL if row.doubts and not with_doubtful else Became.MADE
    is_made = became == Became.MADE and not row.problems
    return Item(
        row=row.row,
        agency=row.agency,
        number=row.lease_number,
        became=Became.REFUSED if row.problems else became,
        lease_id=made.get((row.agency, row.lease_number)) if is_made else None,
        existing_id=row.existing_id,
        code=_code(row),
        problems=tuple(row.problems[column] for column in (AGENCY, NUMBER) if column in row.problems),
        doubts=row.doubts,
    )


def _code(row: Checked) -> str:
    if not row.problems:
        return ""
    is_twin = row.existing_id is not None or row.first_row is not None
    return DuplicateLease.code if is_twin else InvalidLease.code
