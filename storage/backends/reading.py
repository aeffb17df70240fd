"""A file in storage as Python's own, which reads only what it is asked for."""

from collections.abc import Callable
from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedReader, RawIOBase
from typing import TYPE_CHECKING

from storage.backends.stored import Stored

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Who reads on asks once for so much.
BUFFER_BYTES = 1024 * 1024


class Reader(RawIOBase):
    """The file, by requests for ranges of it.

    Args:
        read: gives the bytes from the first number to before the second.
    """

    def __init__(self, stored: Stored, read: Callable[[int, int], bytes]) -> None:
        self._stored = stored
        self._read = read
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        start = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._stored.size}[whence]
        if start + offset < 0:
            raise ValueError("A file has nothing before its beginning.")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._position + len(view), self._stored.size)
        found = self._read(self._position, end) if self._position < end else b""
        view[: len(found)] = found
        self._position += len(found)
        return len(found)


def buffered(stored: Stored, read: Callable[[int, int], bytes]) -> BufferedReader:
    """The file, so that small reads one after the other are one request."""
    return BufferedReader(Reader(stored, read), buffer_size=BUFFER_BYTES)
