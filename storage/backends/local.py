"""Files on a disk of this machine, or on one that is mounted here.

What is put is written beside the others (`INCOMING`), made safe, and then given its name in one step: nobody ever sees a
part of it, not even after the power has failed.
"""

import os
import secrets
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.urls import reverse

from storage.backends import descriptors
from storage.backends.descriptors import folder, open_file, translated
from storage.backends.errors import FullDisk, NotFound
from storage.backends.gateway import CONTENT_TYPE, Storage
from storage.backends.keys import INCOMING
from storage.backends.signed import signed
from storage.backends.stored import KeptPart, OnDisk, Stored, begun, pieces
from storage.backends.types import type_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

# Who reads gets so much at once.
READ_BYTES = 1024 * 1024
# What comes in several requests is kept in `INCOMING`, too, until it is whole or dropped.
PART_ENDING = ".part"
PART = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
# What a process that was killed has left is of nobody after so long.
LEFT_S = 24 * 3600
# How often the room on the disk is looked at while a file grows.
LOOK_BYTES = 64 * 1024 * 1024
# And how much of it the system holds before it begins to write.
BEGUN_BYTES = 16 * 1024 * 1024


class LocalStorage(Storage):
    """A folder of a file system that knows hard links (nearly all do). Folders that a file needs are made, and stay.

    Args:
        directory: holds everything.
        is_made: make it where it is not there; not where its absence may tell that a disk is not mounted.
        free_bytes: so much room stays free; who would need it is refused.
    """

    PARTS_ARE_APART = False

    def __init__(self, *, directory: str, is_made: bool = False, free_bytes: int = 0) -> None:
        self.directory = Path(directory)
        self._is_made = is_made
        self._free_bytes = free_bytes
        self._is_swept = False

    @property
    def place(self) -> str:
        return f"local:{self.directory}"

    def check(self) -> None:
        with self._root():
            pass

    def check_room(self) -> None:
        with self._root() as top:
            self._refuse_when_full(top)

    def room_bytes(self) -> int:
        with self._root() as top:
            return _free_bytes(top) - self._free_bytes

    def _put(self, key: str, chunks: Iterable[bytes], *, exclusive: bool, content_type: str, mark: str) -> None:  # noqa: ARG002 - told by the name; see `Storage._mark`
        *folders, name = key.split("/")
        with self._root() as top, self._incoming(top) as incoming, _new_file(incoming, key) as (temporary, file):
            self._write(file, chunks, key=key, top=top)
            with translated(key), folder(top, folders, is_made=True) as target:
                place = os.link if exclusive else os.replace
                place(temporary, name, src_dir_fd=incoming, dst_dir_fd=target)
                os.fsync(target)

    def _write(self, file: BinaryIO, chunks: Iterable[bytes], *, key: str, top: int) -> None:
        left = begun = 0
        for piece in pieces(chunks, size=READ_BYTES):  # what the source raises is no failure of the disk
            with translated(key):
                if left <= 0:
                    self._refuse_when_full(top)
                    left = LOOK_BYTES
                _write_all(file, piece)
                left -= len(piece)
                begun = _begin_to_keep(file, begun)
        with translated(key):
            os.fsync(file.fileno())

    def _refuse_when_full(self, top: int) -> None:
        free = _free_bytes(top)
        if free < self._free_bytes:
            raise FullDisk(evidence={"free_bytes": free, "floor_bytes": self._free_bytes})

    def _stream(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        *folders, name = key.split("/")
        with self._root() as top, translated(key), folder(top, folders) as above:
            file = os.fdopen(open_file(above, name), "rb", buffering=0)
        return OnDisk(file, begun(_pieces_of(file, start, end, key=key)))

    def _stat(self, key: str) -> Stored:
        *folders, name = key.split("/")
        with self._root() as top, translated(key), folder(top, folders) as above:
            found = os.stat(name, dir_fd=above, follow_symlinks=False)
            descriptors.refuse_all_but_files(found)
        return _stored(key, found)._replace(content_type=type_of(key) or CONTENT_TYPE)

    def _delete(self, key: str) -> None:
        *folders, name = key.split("/")
        with self._root() as top, suppress(NotFound), translated(key), folder(top, folders) as above:
            descriptors.refuse_all_but_files(os.stat(name, dir_fd=above, follow_symlinks=False))
            os.unlink(name, dir_fd=above)
            os.fsync(above)

    def _listing(self, prefix: str, after: str) -> Iterator[Stored]:
        with self._root() as top:
            yield from _from_below(top, prefix, after)

    def _keep_part(self, key: str, chunk: bytes, *, of: str, start: int) -> KeptPart:
        """All parts lie in one file, which is to become the file itself."""
        with self._root() as top, self._incoming(top) as incoming, translated(key):
            self._refuse_when_full(top)
            descriptor = os.open(
                _part(of), PART if start else PART | os.O_CREAT, descriptors.FILE_MODE, dir_fd=incoming
            )
            with os.fdopen(descriptor, "r+b", buffering=0) as file:
                if os.fstat(descriptor).st_size < start:
                    raise NotFound(f"What was kept of {key} is cut short.")
                file.truncate(start)
                file.seek(start)
                _write_all(file, chunk)
                os.fsync(descriptor)
            if not start:
                os.fsync(incoming)
        return KeptPart("", start, len(chunk))

    def _join(self, key: str, parts: Sequence[KeptPart], *, of: str, alive: Callable[[], None]) -> None:  # noqa: ARG002 - it takes no time
        *folders, name = key.split("/")
        size = parts[-1].start + parts[-1].size
        with self._root() as top, self._incoming(top) as incoming, translated(key):
            found = os.stat(_part(of), dir_fd=incoming, follow_symlinks=False)
            if found.st_size < size:
                raise NotFound(f"What was kept of {key} is cut short.")
            if found.st_size > size:  # of somebody who was killed before it was told to be kept
                _cut(_part(of), size, dir_fd=incoming)
            with folder(top, folders, is_made=True) as target:
                os.link(_part(of), name, src_dir_fd=incoming, dst_dir_fd=target, follow_symlinks=False)
                os.fsync(target)

    def _drop_parts(self, key: str, *, of: str) -> None:
        with self._root() as top, self._incoming(top) as incoming, suppress(NotFound), translated(key):
            os.unlink(_part(of), dir_fd=incoming)

    def _sign(self, key: str, seconds: int, name: str) -> str:
        token = signed(key=key, name=name, seconds=seconds)
        return f"{settings.CONSOLE_URL}{reverse('stored_file', kwargs={'token': token})}"

    def _root(self) -> "AbstractContextManager[int]":
        return descriptors.root(self.directory, is_made=self._is_made)

    @contextmanager
    def _incoming(self, top: int) -> Iterator[int]:
        with translated(INCOMING), folder(top, [INCOMING], is_made=True) as entered:
            incoming = os.dup(entered)
        try:
            if not self._is_swept:
                _sweep(incoming)
                self._is_swept = True
            yield incoming
        finally:
            os.close(incoming)


@contextmanager
def _new_file(incoming: int, key: str) -> Iterator[tuple[str, BinaryIO]]:
    """A file under a name that nobody has; whatever is left under it at the end goes."""
    name = secrets.token_hex(16)
    with translated(key):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, descriptors.FILE_MODE, dir_fd=incoming)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            yield name, file
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=incoming)


def _begin_to_keep(file: BinaryIO, begun: int) -> int:
    """Let the system begin to write what it holds of a large file, so that little is left to wait for at its end.

    Returns:
        Up to where it has been asked to.
    """
    end = file.tell()
    if end - begun < BEGUN_BYTES or not hasattr(os, "posix_fadvise"):  # which macOS has not
        return begun
    os.posix_fadvise(file.fileno(), begun, end - begun, os.POSIX_FADV_DONTNEED)
    return end


def _part(of: str) -> str:
    """Of these it is known elsewhere when they have been left."""
    return f"{of}{PART_ENDING}"


def _cut(name: str, size: int, *, dir_fd: int) -> None:
    with os.fdopen(os.open(name, PART, dir_fd=dir_fd), "r+b", buffering=0) as file:
        file.truncate(size)
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


def _pieces_of(file: BinaryIO, start: int, end: int | None, *, key: str) -> Generator[bytes]:
    with file:
        yield b""
        file.seek(start)
        while end is None or file.tell() < end:
            with translated(key):
                piece = file.read(READ_BYTES if end is None else min(READ_BYTES, end - file.tell()))
            if not piece:
                return
            yield piece


def _walk(descriptor: int, above: str, prefix: str, after: str) -> Iterator[Stored]:
    """The files below, in the order of their keys; links, and names that are no text, are none."""
    for key, entry in _in_order(descriptor, above):
        if key.endswith("/"):
            is_wanted = key.startswith(prefix) or prefix.startswith(key)
            if is_wanted and (key > after or after.startswith(key)):
                yield from _below(descriptor, entry.name, key, prefix, after)
        elif key.startswith(prefix) and key > after:
            with suppress(FileNotFoundError):
                yield _stored(key, entry.stat(follow_symlinks=False))


def _from_below(top: int, prefix: str, after: str) -> Iterator[Stored]:
    """The same without reading the folders on the way to where the prefix leads, which may hold many others."""
    *folders, _ = prefix.split("/")
    opened, above = os.dup(top), ""
    try:
        for name in folders:
            with translated(prefix):
                if not stat.S_ISDIR(os.stat(name, dir_fd=opened, follow_symlinks=False).st_mode):
                    return
                entered = os.open(name, descriptors.FOLDER | os.O_NOFOLLOW, dir_fd=opened)
            os.close(opened)
            opened, above = entered, f"{above}{name}/"
        yield from _walk(opened, above, prefix, after)
    except NotFound:
        return
    finally:
        os.close(opened)


def _below(descriptor: int, name: str, key: str, prefix: str, after: str) -> Iterator[Stored]:
    try:
        with translated(key), folder(descriptor, [name]) as entered:
            below = os.dup(entered)
    except NotFound:  # taken away meanwhile
        return
    try:
        yield from _walk(below, key, prefix, after)
    finally:
        os.close(below)


def _in_order(descriptor: int, above: str) -> "list[tuple[str, os.DirEntry[str]]]":
    with translated(above), os.scandir(descriptor) as entries:
        found = [(f"{above}{entry.name}{_ending(entry)}", entry) for entry in entries if _is_listed(entry, above)]
    return sorted(found, key=itemgetter(0))


def _is_listed(entry: "os.DirEntry[str]", above: str) -> bool:
    is_ours = entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
    return is_ours and _is_text(entry.name) and not (above == "" and entry.name == INCOMING)


def _is_text(name: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in name)


def _ending(entry: "os.DirEntry[str]") -> str:
    return "/" if entry.is_dir(follow_symlinks=False) else ""


def _stored(key: str, found: os.stat_result) -> Stored:
    return Stored(key, found.st_size, found.st_mtime_ns, f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}")


def _free_bytes(descriptor: int) -> int:
    disk = os.fstatvfs(descriptor)
    return disk.f_bavail * disk.f_frsize


def _sweep(incoming: int) -> None:
    """Take away what processes have left that were killed while they wrote."""
    before = time.time() - LEFT_S
    with translated(INCOMING):
        for name in os.listdir(incoming):
            if name.endswith(PART_ENDING):
                continue
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=incoming, follow_symlinks=False).st_mtime < before:
                    os.unlink(name, dir_fd=incoming)
