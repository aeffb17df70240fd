"""Whether this process writes where the documents lie, also while they are moved to another place.

Settings name the place, and there are many processes. One that was not restarted after a move, or was started too early with
new settings, would write where nobody looks. So whoever writes asks here, in the transaction in which it is written down:
the place that is in charge is the source of the last move until all of it has moved, and its target from then on.

While the last files go over, nobody writes. The command that moves them holds two locks then, which PostgreSQL takes from it
the moment it dies: at first the one for what begins, so that what is under way may end, and then the one for whatever is kept.
"""

from django.db import connection

from documents.errors import DocumentsMove, DocumentsMoved
from documents.models import Move
from storage.backends import documents as documents_storage

# Numbers of PostgreSQL's advisory locks: of who moves, of what begins, of what is kept, of what is deleted.
MOVING, BEGINNING, KEEPING, DELETING = (
    f"hashtext('documents'), hashtext('{each}')" for each in ("moving", "beginning", "keeping", "deleting")
)


def require_beginning() -> None:
    """Let somebody begin to write, as long as the open transaction lasts; whoever keeps what was written asks once more.

    Raises:
        DocumentsMove: nobody may just now.
        DocumentsMoved: they lie in another place than this process thinks.
    """
    _hold(BEGINNING)


def require_keeping() -> None:
    """Let somebody write down that something was written, or write it, as long as the open transaction lasts.

    Raises:
        DocumentsMove, DocumentsMoved: as above.
    """
    _hold(KEEPING)


def may_delete() -> bool:
    """Whether bytes may be deleted, as long as the open transaction lasts.

    While files are moved they wait: a copy of them may be there. So they do while a backup goes on, whose moment has them.
    """
    try:
        _hold(KEEPING)
    except (DocumentsMove, DocumentsMoved):
        return False
    return _is_had(DELETING) and not Move.objects.filter(moved_at=None).exists()


def require_here() -> None:
    """That what is not here is nowhere.

    Raises:
        DocumentsMoved: they lie in another place than this process thinks.
    """
    move = Move.objects.order_by("pk").last()
    if move is None:
        return
    here = documents_storage().place
    in_charge = move.source if move.moved_at is None else move.target
    if here != in_charge:
        raise DocumentsMoved(evidence={"here": here, "in_charge": in_charge})


def _hold(lock: str) -> None:
    if not _is_had(lock):
        raise DocumentsMove
    # Only now: what was read before we had the lock may have changed until then.
    require_here()


def _is_had(lock: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock_shared({lock})")
        return bool(cursor.fetchone()[0])
