"""The one way to the bytes: what every back-end can do, and Django's storage above it."""

import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain
from typing import Any, ClassVar

from django.core.files import File
from django.core.files.storage import Storage as DjangoStorage

from core.base.errors import RunsheetError
from storage.backends.answers import BeyondTheEnd
from storage.backends.errors import Exists, NotFound
from storage.backends.keys import HIDDEN, check_key, check_prefix
from storage.backends.reading import buffered
from storage.backends.stored import KeptPart, Measured, Stored, Written
from storage.backends.types import type_of

# S3 signs an address for no longer.
LONGEST_SIGNED_S = 7 * 24 * 3600
# For who asks Django's way, which tells no time.
SIGNED_S = 3600
CONTENT_TYPE = "application/octet-stream"
# What a store keeps beside a file, see `Storage._put`.
MARK = "runsheet"


class Storage(DjangoStorage):
    """A place for files, the same whatever it is made of; also Django's `STORAGES["documents"]`.

    Every method may raise `Denied` (we are not let in, or the place is not there), `Throttled` and `Unavailable`; those
    that take a key raise `BadKey` for one that not every back-end takes.

    A back-end answers the methods with an underscore. It gets keys that are checked, and translates what its library
    throws. Its clients are made when they are first needed, in each process anew.

    Attributes:
        PARTS_ARE_APART: whoever keeps a part disturbs nobody who keeps the same one; else only one may do so at a time.
    """

    PARTS_ARE_APART: ClassVar[bool] = True

    def put(self, key: str, chunks: Iterable[bytes], *, exclusive: bool = False, content_type: str = "") -> Written:
        """Store the bytes, all of them or none: what was there before is seen until the last one is safe.

        Args:
            chunks: of any number and size; what it raises is passed on, and nothing is stored.
            exclusive: leave alone what lies there already.
            content_type: what a store that signs addresses says it is; by the name if it is not given. A disk keeps none.

        Raises:
            Exists: something lies there, and `exclusive`; or, on a disk, a folder lies there.
            FullDisk: it would not leave enough room on the disk.
        """
        measured, mark = Measured(chunks), secrets.token_hex(8)
        kind = content_type or type_of(key) or CONTENT_TYPE
        try:
            with closing(iter(measured)) as content:
                self._put(check_key(key), content, exclusive=exclusive, content_type=kind, mark=mark)
        except (Exists, NotFound):
            # A request whose answer was lost is made once more, and finds what it has put the first time.
            if not self._has_mark(key, mark):
                raise
        return Written(key=key, size=measured.size, sha256=measured.sha256)

    def read(self, key: str, *, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` to before `end`, or fewer if the file ends before.

        Raises:
            NotFound: there is no such file.
        """
        return b"".join(self.stream(key, start=start, end=end))

    def stream(self, key: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The same in pieces, none of which is kept; whether the file is there is known before the first.

        Raises:
            NotFound: there is no such file.
            ValueError: the range is none.
        """
        if start < 0 or (end is not None and end < start):
            raise ValueError(f"There are no bytes from {start} to {end}.")
        if start == end:
            self.stat(key)
            return iter(())
        try:
            return self._stream(check_key(key), start, end)
        except BeyondTheEnd:
            return iter(())
        except NotFound:
            self.check()
            raise

    def stat(self, key: str) -> Stored:
        """What is told of the file.

        Raises:
            NotFound: there is no such file, and the place where it would be is there.
        """
        try:
            return self._stat(check_key(key))
        except NotFound:
            self.check()
            raise

    def copy(self, source: str, target: str, *, exclusive: bool = False) -> Written:
        """Store the same once more under another name; the bytes pass through here, so that `put` promises as always.

        Raises:
            NotFound: there is no such source.
            Exists, FullDisk: as for `put`.
        """
        content_type = self.stat(source).content_type
        return self.put(target, self.stream(source), exclusive=exclusive, content_type=content_type)

    def delete(self, name: str) -> None:
        """Take the file away; that it is not there is fine."""
        self._delete(check_key(name))

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        try:
            self.stat(name)
        except NotFound:
            return False
        return True

    def holds(self, folder: str) -> bool:
        """Whether any file lies below a folder, which is a key without the slash at its end."""
        return next(iter(self.listing(prefix=f"{folder}/")), None) is not None

    def listing(self, *, prefix: str = "", after: str = "") -> Iterator[Stored]:
        """All files whose key begins so, in the order of the back-end, beginning behind that key; what is on its way is none.

        The local disk lists by bytes. Others mostly do: whoever needs the order has to see for themselves whether it holds.
        """
        return (each for each in self._listing(check_prefix(prefix), after) if not each.key.startswith(HIDDEN))

    def keep_part(self, key: str, chunk: bytes, *, of: str, start: int) -> KeptPart:
        """Keep a part of what is to become that file and comes in several requests; nobody sees it, and it is safe then.

        Parts are kept one after the other: what was kept before from that byte on, and whatever is behind it, means nothing any more.

        Args:
            chunk: at most `PIECE_BYTES`.
            of: a name of the whole that nobody else has: letters, digits and hyphens.
            start: where in the file it begins.

        Raises:
            NotFound: what was kept before it is not there any more.
            FullDisk: it would not leave enough room on the disk.
        """
        return self._keep_part(check_key(key), chunk, of=of, start=start)

    def join(self, key: str, parts: Sequence[KeptPart], *, of: str, alive: Callable[[], None] = lambda: None) -> None:
        """Make the parts that file, all of them or none; they stay until they are dropped.

        Args:
            parts: at least one, in their order, without a gap.
            alive: called again and again, where it takes long.

        Raises:
            Exists: something lies there, and stays.
            NotFound: a part is not there any more.
        """
        self._join(check_key(key), parts, of=of, alive=alive)

    def forget_part(self, part: KeptPart) -> None:
        """Take one away that was never told to be kept, where that is not done by keeping another one in its place."""
        if part.name:
            self._forget_part(part.name)

    def drop_parts(self, key: str, *, of: str) -> None:
        """Take away whatever was kept of it, or is left of it once it was joined; that there is nothing is fine."""
        self._drop_parts(check_key(key), of=of)

    def sign(self, key: str, *, seconds: int, name: str) -> str:
        """An address under which anybody may fetch the file for so long, to be kept under that name.

        Raises:
            ValueError: nobody signs for so long.
        """
        if not 1 <= seconds <= LONGEST_SIGNED_S:
            raise ValueError(f"An address is signed for 1 to {LONGEST_SIGNED_S} seconds, not {seconds}.")
        return self._sign(check_key(key), seconds, name)

    @property
    @abstractmethod
    def place(self) -> str:
        """Which place it is, for people and to tell it from others; nothing of it is secret."""

    @abstractmethod
    def check(self) -> None:
        """Whether the place is there and lets us in; says so by raising nothing."""

    def check_room(self) -> None:
        """Whether anything may be added.

        Raises:
            FullDisk: it may not.
        """

    def room_bytes(self) -> int | None:
        """How much may be added before it is refused; less than nothing where it is already. None: nobody knows a limit."""
        return None

    @abstractmethod
    def _put(self, key: str, chunks: Iterable[bytes], *, exclusive: bool, content_type: str, mark: str) -> None:
        """Store it, with a mark beside it by which one request is told from another, where a request is made again by itself."""

    def _mark(self, key: str) -> str:  # noqa: ARG002 - a disk has no answer that gets lost
        """With which mark it was put; empty: with none."""
        return ""

    def _has_mark(self, key: str, mark: str) -> bool:
        try:
            return self._mark(key) == mark
        except RunsheetError:
            return False  # nobody can say so; what is not known to be ours is somebody else's

    @abstractmethod
    def _stream(self, key: str, start: int, end: int | None) -> Iterator[bytes]: ...

    @abstractmethod
    def _stat(self, key: str) -> Stored: ...

    @abstractmethod
    def _delete(self, key: str) -> None: ...

    @abstractmethod
    def _listing(self, prefix: str, after: str) -> Iterator[Stored]: ...

    @abstractmethod
    def _sign(self, key: str, seconds: int, name: str) -> str: ...

    # --- Parts: hidden files of their own, unless a back-end has a better way ------------------------------------------

    def _keep_part(self, key: str, chunk: bytes, *, of: str, start: int) -> KeptPart:  # noqa: ARG002 - of other back-ends
        # By chance, so that who comes too late with the same part changes nothing of what was told to be kept.
        name = f"{HIDDEN}{of}/{start:016}-{secrets.token_hex(8)}"
        self._put(name, iter([chunk]), exclusive=False, content_type=CONTENT_TYPE, mark=secrets.token_hex(8))
        return KeptPart(name=name, start=start, size=len(chunk))

    def _join(self, key: str, parts: Sequence[KeptPart], *, of: str, alive: Callable[[], None]) -> None:  # noqa: ARG002 - of other back-ends
        streams = (_noted(self._stream(each.name, 0, None), alive) for each in parts)
        self._put(
            key, chain.from_iterable(streams), exclusive=True, content_type=CONTENT_TYPE, mark=secrets.token_hex(8)
        )

    def _forget_part(self, name: str) -> None:
        self._delete(name)

    def _drop_parts(self, key: str, *, of: str) -> None:  # noqa: ARG002 - of other back-ends
        for each in list(self._listing(f"{HIDDEN}{of}/", "")):
            self._delete(each.key)

    # --- Django's way in ---------------------------------------------------------------------------------------------

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        if mode != "rb":
            raise ValueError(f"A file in storage is read or put as a whole, not opened with “{mode}”.")
        stored = self.stat(name)
        return File(buffered(stored, lambda start, end: self.read(name, start=start, end=end)), name)

    def _save(self, name: str, content: "File[Any]") -> str:
        while True:
            try:
                self.put(name, _bytes_of(content), exclusive=True)
            except Exists:
                name = self.get_available_name(name)  # somebody was faster since it was asked for the first time
            else:
                return name

    def size(self, name: str) -> int:
        return self.stat(name).size

    def get_modified_time(self, name: str) -> datetime:
        return datetime.fromtimestamp(self.stat(name).modified_ns / 1e9, tz=UTC)

    def url(self, name: str | None) -> str:
        key = name or ""
        return self.sign(key, seconds=SIGNED_S, name=key.rpartition("/")[2])

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        rests = [stored.key.removeprefix(prefix) for stored in self.listing(prefix=prefix)]
        folders = {rest.partition("/")[0] for rest in rests if "/" in rest}
        return sorted(folders), sorted(rest for rest in rests if "/" not in rest)


def _noted(chunks: Iterable[bytes], alive: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        alive()
        yield chunk


def _bytes_of(content: "File[Any]") -> Iterator[bytes]:
    for chunk in content.chunks():
        yield chunk if isinstance(chunk, bytes) else str(chunk).encode()
