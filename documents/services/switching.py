"""The beginning and the end of a move: what may be moved whither, and the moment from which the target is in charge."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import Error

from core.base.clock import now
from core.base.locks import Locks
from documents.errors import MoveBroken, MoveRefused
from documents.models import Move, Upload
from documents.services.in_charge import BEGINNING, KEEPING, MOVING
from documents.services.moving import Copier, Remarks, Trouble, lost, remarks
from storage.backends import Storage
from storage.backends import documents as documents_storage
from storage.backends.errors import Exists, NotFound
from storage.index.walking import MARKER, MARKER_BYTES

POLL_S = 0.2
NOTHING_WRONG = Remarks(damaged=(), missing=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """What has come of it.

    Attributes:
        troubles: why the target is not in charge; none: it is.
        cut: how many uploads were on their way still, and have to be sent again.
        closed_s: how long nobody could write.
    """

    troubles: tuple[Trouble, ...] = ()
    remarks: Remarks = NOTHING_WRONG
    cut: int = 0
    closed_s: float = 0


class Alone(Locks):
    """Nobody else moves anything as long as this connection lasts."""

    def switch(self, move: Move) -> None:
        """Let the target be in charge from now on, and let go of all locks, in one.

        Raises:
            MoveBroken: it is not; or the connection broke in this very moment, and the next try finds out.
        """
        self._ask("UPDATE documents_move SET moved_at = %s WHERE id = %s AND moved_at IS NULL", [now(), move.pk])
        self._commit()


@contextmanager
def alone() -> Iterator[Alone]:
    """Raises:
    MoveRefused: somebody else moves them, or backs them up.
    MoveBroken: the connection that holds the locks is lost.
    """
    with Alone.held(_lost) as here:
        if not here.try_to_take(MOVING):
            raise MoveRefused(
                "The documents are being moved or backed up already. Wait until that has ended, or end it."
            )
        yield here


def _lost(error: Error) -> MoveBroken:
    return MoveBroken(
        f"The database does not hold the move any more: {error} Nothing is lost: run the same command again, and it goes on where it "
        "has stopped."
    )


def require_sense(source: Storage, target: Storage, *, onto: bool) -> Move | None:
    """Go on only if it makes sense to move all from the one to the other; the move that was begun, or has ended, if there is one.

    Args:
        onto: there may be files in the target, as an earlier copy; those in the way are replaced.

    Raises:
        MoveRefused: it makes none.
        Denied, Throttled, Unavailable: one of them is not there.
    """
    if source.place == target.place:
        raise MoveRefused(f"Both are the same place, {source.place}.")
    last = Move.objects.order_by("pk").last()
    is_same = last is not None and (last.source, last.target) == (source.place, target.place)
    if last is not None and last.moved_at is None and not is_same:
        raise MoveRefused(
            f"The move of {last} has not come to its end. Go on with that one, or give it up with “--give-up” first."
        )
    if is_same:
        source.check()
        target.check()
        return last
    lie_in = last.target if last is not None else documents_storage().place
    if source.place != lie_in:
        raise MoveRefused(f"The documents lie in {lie_in}, not in {source.place}. Only from there can they be moved.")
    source.check()
    target.check()
    _require_room(source, target, onto=onto)
    return None


def _require_room(source: Storage, target: Storage, *, onto: bool) -> None:
    target.check_room()
    mark = _marker(target)
    if mark and mark != _marker(source):
        raise MoveRefused(
            f"Another root of Runsheet lies in {target.place}, as its marker {MARKER} says. Name another place."
        )
    if not onto and next(iter(target.listing()), None):
        raise MoveRefused(
            f"There are files in {target.place} already. Empty it; or, if they are an earlier copy of the same documents, say “--onto”: "
            "what lies in the way is replaced, and the rest stays."
        )


def begin(source: Storage, target: Storage) -> Move:
    """Note that all is to be moved: from now on nobody but the source's processes writes."""
    return Move.objects.create(source=source.place, target=target.place)


def give_up(move: Move) -> None:
    """Forget it: whoever names any place in the settings writes there. What was copied stays."""
    move.delete()


def switch(copier: Copier, here: Alone, *, wait_s: float, leaves_behind: bool) -> Switched:
    """Let nobody write, copy the last, and let the target be in charge.

    Args:
        wait_s: how long uploads that are under way may go on.
        leaves_behind: what cannot be moved stays where it is.

    Raises:
        MoveBroken: it could not be done now, and the source is in charge still.
    """
    here.take(BEGINNING)
    closed_at = time.monotonic()
    _wait_for_uploads(closed_at + wait_s)
    here.take(KEEPING)
    copier.run()
    troubles = [*copier.progress.troubles, *lost(copier.move, copier.target)]
    if copier.progress.troubles and leaves_behind and len(troubles) == len(copier.progress.troubles):
        troubles = []
    if troubles:
        return Switched(troubles=tuple(troubles), closed_s=time.monotonic() - closed_at)
    found, cut = remarks(copier.move), Upload.objects.count()
    here.require()
    here.switch(copier.move)
    return Switched(remarks=found, cut=cut, closed_s=time.monotonic() - closed_at)


def _wait_for_uploads(until: float) -> None:
    """Not for those that come in several requests: they may take days."""
    while time.monotonic() < until and Upload.objects.filter(partial=None).exists():
        time.sleep(POLL_S)


def finish(move: Move, source: Storage, target: Storage) -> None:
    """Let the index know the root in the target, and conclude nothing from the source any more. May be done again and again."""
    if mark := _marker(source):
        try:
            target.put(MARKER, [mark], exclusive=True, content_type="text/plain")
        except Exists:
            if _marker(target) != mark:
                raise
        source.delete(MARKER)
    move.files.all().delete()


def _marker(storage: Storage) -> bytes:
    try:
        return storage.read(MARKER, end=MARKER_BYTES)
    except NotFound:
        return b""
