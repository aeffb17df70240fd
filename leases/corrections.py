"""Lease numbers of a file that is about to be imported are corrected, before anything of it is a lease."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from leases.errors import InvalidLease, ReadOtherwise, UploadGone
from leases.imports import ADD, kept_uploads, read_by_of, rows_in_file
from leases.models import Upload
from leases.validation import normalise_lease_number
from statemachine.rights import require


def correct_numbers(
    *, upload_id: int, column: int, numbers: Mapping[int, str], user: User, read_by: str = ""
) -> Upload:
    """Put other lease numbers into rows of a file; nothing else of it changes, and what was read stays beside them.

    Args:
        column: which one holds the numbers.
        numbers: by the rows' numbers in the file; an empty one takes a correction back.
        read_by: the separator or sheet by which it was read when the person saw it; empty: nobody has chosen one.

    Raises:
        TransitionForbidden: the person may not make leases. Nothing was changed.
        UploadGone: it was chosen too long ago, or is imported.
        ReadOtherwise: the person saw other rows. Nothing was changed.
        InvalidLease: there is no such row, or it can have no such number. Nothing was changed.
    """
    require(user, ADD)
    wanted = {row: _checked(row, number) for row, number in numbers.items()}
    with transaction.atomic():
        upload = kept_uploads().select_for_update().filter(pk=upload_id, batch__isnull=True).first()
        if upload is None:
            raise UploadGone
        if read_by and read_by != read_by_of(upload):
            raise ReadOtherwise
        in_file = {row.number: row.cells[column] for row in rows_in_file(upload) if column < len(row.cells)}
        for row, number in wanted.items():
            if row not in in_file:
                raise InvalidLease(f"The file has no lease number in row {row}.")
            upload.corrected.pop(str(row), None)
            if number not in {"", in_file[row]}:
                upload.corrected[str(row)] = [column, number]
        upload.save(update_fields=["corrected"])
    return upload


def _checked(row: int, number: str) -> str:
    try:
        return normalise_lease_number(number) if number else ""
    except ValidationError as error:
        raise InvalidLease(f"Row {row}: {error.messages[0]}") from error
