"""Up to where a root has been read that is read by a cursor, and since when its rows say what lies there."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from storage.models import ACTIVE, IndexRun, Mode, StorageRoot


def database_now() -> datetime:
    """The clock of the database, before something is asked elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def note_unchanged(root_id: int, *, cursor: str, reached: str, at: datetime) -> bool:
    """Note that nothing was told behind a cursor, without a run: the rows say what lies there still; whether that was to be noted.

    Not while a run is under way, nor where one has ended meanwhile.

    Args:
        cursor: behind which it was asked.
        reached: where it goes on.
        at: before it was asked.
    """
    with transaction.atomic():
        # Whoever begins a run that changes rows takes the same lock.
        root = StorageRoot.objects.select_for_update().filter(pk=root_id, cursor=cursor).first()
        if root is None or IndexRun.objects.filter(root=root, state__in=sorted(ACTIVE)).exists():
            return False
        root.cursor, root.read_at = reached, at
        root.save(update_fields=["cursor", "read_at"])
    return True


def arrive(run: IndexRun, *, left: int) -> dict[str, Any]:
    """Note, in the transaction of a run's last batch, that the rows say what it was told; what the run is to keep.

    Where they may not, since another run has changed them meanwhile or something was left, all of it has to be read again.

    Args:
        left: how many changes were left.
    """
    if "cursor" not in run.place:
        return {}
    root = StorageRoot.objects.select_for_update().get(pk=run.root_id)
    if run.mode == Mode.CLEAN:  # it has not written what is new
        pass
    elif root.cursor == run.place["began"] and not left:
        root.cursor, root.read_at = run.place["cursor"], datetime.fromisoformat(run.place["asked_at"])
    else:
        root.cursor, root.read_at = "", None
    root.save(update_fields=["cursor", "read_at"])
    run.place = {"done": True}  # who goes on with what follows must not write the cursor down again
    return {"place": run.place}
