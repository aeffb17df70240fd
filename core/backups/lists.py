"""Long lists of a backup: one object in JSON a line, written and read without holding them."""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO, Annotated, Self

from pydantic import Field, ValidationError

from core.backups.errors import BackupDamaged
from core.backups.manifest import Count, Digest, Shape

READ_BYTES = 1024 * 1024
LINE_AT_MOST = 64 * 1024
Name = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Version(Shape):
    """A file on which versions of documents stand, as the database says."""

    key: str
    sha256: Digest
    size: Count


class Seen(Shape):
    """What the index was told of a file when it was copied; see `StoredFile`."""

    size: Count
    modified_ns: int
    etag: str


class KeptFile(Shape):
    """A file that lay in storage, and what it held.

    Attributes:
        blob: by which name that lies among the blobs.
        seen: None: a version stands on it, which never changes.
    """

    key: str
    sha256: Digest
    size: Count
    blob: Name
    seen: Seen | None = None


class KeptBlob(Shape):
    """What lies among the blobs.

    Attributes:
        size, sha256: of what lies there, encrypted or not.
    """

    name: Name
    size: Count
    sha256: Digest


class Spool[S: Shape]:
    """A list that is being made, in a file that nobody else sees and that ends with us."""

    def __init__(self, of: type[S]) -> None:
        self._of = of
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - it is closed by `__exit__`
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, item: S) -> None:
        """Put it behind the others."""
        self._file.write(item.model_dump_json(exclude_none=True).encode() + b"\n")
        self.count += 1

    def chunks(self) -> Iterator[bytes]:
        """All of it, as it is to lie somewhere."""
        self._file.seek(0)
        while piece := self._file.read(READ_BYTES):
            yield piece

    def items(self) -> Iterator[S]:
        """All of them, in their order."""
        return items(self._of, self.chunks())


def items[S: Shape](of: type[S], chunks: Iterable[bytes]) -> Iterator[S]:
    """What stands in a list.

    Raises:
        BackupDamaged: something else does.
    """
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (_item(of, line) for line in lines)
        if len(rest) > LINE_AT_MOST:
            raise BackupDamaged("A list of the backup has a line that nobody has written.")
    if rest:
        raise BackupDamaged("A list of the backup is cut short.")


def _item[S: Shape](of: type[S], line: bytes) -> S:
    try:
        return of.model_validate_json(line)
    except ValidationError as error:
        raise BackupDamaged("A list of the backup has a line that cannot be used.") from error
