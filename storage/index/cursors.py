"""Up to where a root has been read that is read by a cursor, and since when its rows say what lies there."""

from datetime import datetime
from typing import Any

from django.db import connection

from storage.models import IndexRun, Mode, StorageRoot


def database_now() -> datetime:
    """The clock of the database, before something is asked elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


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
    return {"place": {"done": True}}
