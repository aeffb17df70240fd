"""Ways on a disk that lead nowhere else: each part is opened from the one before it, and a symbolic link is no part of any."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.backends.errors import Denied, Exists, FullDisk, NotFound, Unavailable

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FOLDER_MODE, FILE_MODE = 0o750, 0o640
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.EMLINK, errno.EXDEV, errno.ENAMETOOLONG}


@contextmanager
def translated(key: str) -> Iterator[None]:
    """What the system refuses, as one of our own failures.

    Raises:
        NotFound: there is nothing of that name.
        Exists: something of that name, or what would be a folder on the way to it, is there and is something else.
        FullDisk: there is no room.
        Denied: rights, a disk that may only be read, a symbolic link.
        Unavailable: the disk itself fails.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no {key} in storage.") from error
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise Exists(f"There is something in storage under {key} already, or a file on the way to it.") from error
    except OSError as error:
        said = {"key": key, "answer": f"{errno.errorcode.get(error.errno or 0, '?')}: {error.strerror}"}
        if error.errno in FULL:
            raise FullDisk(evidence=said) from error
        if error.errno in DENIED:
            raise Denied(f"The disk does not let us have {key}: {error.strerror}.", evidence=said) from error
        raise Unavailable(f"The disk does not give {key}: {error.strerror}.", evidence=said) from error


@contextmanager
def root(directory: Path, *, is_made: bool = False) -> Iterator[int]:
    """A descriptor of the folder that holds everything.

    Raises:
        Denied: it is not there, unless it `is_made` then; or it is no folder, or closed to us.
    """
    if is_made:
        with translated(str(directory)):
            directory.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    try:
        descriptor = os.open(directory, FOLDER)
    except OSError as error:
        raise Denied(
            f"The folder for documents, {directory}, cannot be opened: {error.strerror}. See whether its disk is mounted."
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def folder(above: int, names: Sequence[str], *, is_made: bool = False) -> Iterator[int]:
    """A descriptor of the folder to which the names lead; what `is_made` is safe on the disk before it is used.

    Raises:
        OSError: as the system says; `ELOOP` for a symbolic link, wherever on the way.
    """
    descriptor = os.dup(above)
    try:
        for name in names:
            below = _enter(descriptor, name, is_made=is_made)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def open_file(above: int, name: str) -> int:
    """A descriptor to read the file with.

    Raises:
        OSError: as the system says; `ENOENT` for a folder, `ELOOP` for a symbolic link, `EPERM` for what is no file.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=above)
    try:
        refuse_all_but_files(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def refuse_all_but_files(found: os.stat_result) -> None:
    """Let regular files pass.

    Raises:
        OSError: as `open_file` does.
    """
    if stat.S_ISDIR(found.st_mode):
        raise FileNotFoundError(errno.ENOENT, "it is a folder")
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed")
    if not stat.S_ISREG(found.st_mode):
        raise PermissionError(errno.EPERM, "it is no file")


def _enter(above: int, name: str, *, is_made: bool) -> int:
    if is_made:
        with suppress(FileExistsError):
            os.mkdir(name, FOLDER_MODE, dir_fd=above)
            os.fsync(above)
    try:
        return os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=above)
    except NotADirectoryError:
        # What the system says of a link to a folder, too.
        if stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, "a symbolic link is on the way, which is not followed") from None
        if is_made:
            raise
        raise FileNotFoundError(errno.ENOENT, "there is a file on the way") from None
