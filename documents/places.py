"""How many large bodies are on their way at once: each holds a thread of its process, and some stay free for everybody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings

from core.base.errors import Temporary

# What is smaller is over before anybody notices.
LARGE_BYTES = 16 * 1024 * 1024
AGAIN_IN_S = 10

_free = BoundedSemaphore(settings.DOCUMENTS_TRANSFERS_AT_MOST)


class TooManyTransfers(Temporary):
    """Too many large files are on their way at the moment. Try it again in some seconds."""

    code = "too_many_transfers"
    words = "too many large files at once"


@contextmanager
def place(size: int | None) -> Iterator[None]:
    """A place for a body of that size; None: it may have any.

    Raises:
        TooManyTransfers: there is none.
    """
    if size is not None and size < LARGE_BYTES:
        yield
        return
    if not _free.acquire(blocking=False):
        raise TooManyTransfers(retry_after_s=AGAIN_IN_S)
    try:
        yield
    finally:
        _free.release()
