"""How many bodies are on their way at once: each holds a thread of its process, and some stay free for everybody else."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from time import monotonic

from django.conf import settings

from core.base.errors import Temporary

# What is smaller is over before anybody notices; else it needs one, too.
LARGE_BYTES = 16 * 1024 * 1024
SOON_S = 5
AGAIN_IN_S = 10

_free = BoundedSemaphore(settings.DOCUMENTS_TRANSFERS_AT_MOST)


class TooManyTransfers(Temporary):
    """Too many large files are on their way at the moment. Try it again in some seconds."""

    code = "too_many_transfers"
    words = "too many large files at once"


class Place:
    """That of one body. However small one is, whoever sends or reads it slowly holds a thread."""

    def __init__(self) -> None:
        self._is_taken = False
        self._until = monotonic() + SOON_S

    def take(self) -> None:
        """Raises: TooManyTransfers: there is none."""
        if not self._is_taken and not _free.acquire(blocking=False):
            raise TooManyTransfers(retry_after_s=AGAIN_IN_S)
        self._is_taken = True

    def leave(self) -> None:
        """It is over."""
        if self._is_taken:
            self._is_taken = False
            _free.release()

    def held_for(self, pieces: Iterable[bytes]) -> Generator[bytes]:
        """The same pieces, also of what takes longer than it should.

        Raises:
            TooManyTransfers: in the middle of them.
        """
        for piece in pieces:
            if monotonic() > self._until:
                self.take()
            yield piece


@contextmanager
def place(size: int | None) -> Iterator[Place]:
    """A place for a body of that size; None: it may have any.

    Raises:
        TooManyTransfers: there is none.
    """
    mine = Place()
    if size is None or size >= LARGE_BYTES:
        mine.take()
    try:
        yield mine
    finally:
        mine.leave()
