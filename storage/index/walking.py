"""What lies on a disk, in the order of the keys.

Every directory is opened by its name in the one above it, and no link is followed, so that nobody can lead the walk out
of its root by exchanging a directory while it is under way. The names of one directory are held at a time, and those of
the directories above it.
"""

import errno
import hashlib
import os
import stat
from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from operator import attrgetter, methodcaller
from pathlib import Path
from time import time_ns

from storage.errors import RootNotThere
from storage.index.entries import EARLIEST_NS, LATEST_NS, LONGEST_KEY_BYTES, Anomaly, Entry, kept_ns, shown
from storage.models import StoredFile

MARKER = ".runsheet-root"
MARKER_BYTES = 64  # so much of it is read
# What we lay into a root ourselves, and no row stands for.
OURS = (".runsheet-", ".incoming")
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
REGULAR = stat.S_IFREG
KIND = 0o170000  # what of a mode says what it is
# A directory that was changed so shortly before it is read may be changed again within the same tick of its clock.
RECENT_NS = 2_000_000_000
# Each is held open, and a process may hold some hundreds.
DEEPEST = 200
# Without a call of ours for each.
_is_directory = methodcaller("is_dir", follow_symlinks=False)
_plain_name = attrgetter("name")
new = tuple.__new__  # a third of the time of the named tuple's own
SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def marker_text(held: bytes) -> str:
    """What a marker says, as a column can hold it."""
    return held.decode(errors="replace").replace("\0", "\ufffd").strip()


class DirectoryWalk:
    """The lister of a file system.

    Args:
        path: where the root is.
    """

    has_directories = True

    def __init__(self, path: Path) -> None:
        self.path = path

    def marker(self) -> str | None:
        """What the marker holds; None if there is none.

        Raises:
            RootNotThere: there is no such directory, or it cannot be read.
        """
        with self._root() as root:
            try:
                opened = os.open(MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=root)
                try:
                    return marker_text(os.read(opened, MARKER_BYTES))
                finally:
                    os.close(opened)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise RootNotThere(f"The marker of “{self.path}” cannot be read: {error.strerror}.") from error

    def lay_marker(self, text: str) -> None:
        """Mark the root; somebody else's marker stays.

        Raises:
            RootNotThere: nothing can be written there.
        """
        with self._root() as root:
            try:
                opened = os.open(
                    MARKER, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=root
                )
                with os.fdopen(opened, "w", encoding="utf-8") as file:
                    file.write(f"{text}\n")
                    file.flush()
                    os.fsync(file.fileno())
                os.fsync(root)
            except FileExistsError:
                return
            except OSError as error:
                raise RootNotThere(f"“{self.path}” cannot be marked as a root: {error.strerror}.") from error

    def walk(self, *, after: str = "", prefix: str = "") -> Iterator[Entry | Anomaly]:
        """Whatever lies below the prefix behind that key.

        A directory that holds `after` is opened again; where that fails, it is told again.
        """
        with self._root() as root:
            if not prefix:
                opened = os.dup(root)
            else:
                first = self._below(root, prefix)
                if not isinstance(first, Entry):
                    if first is not None:
                        yield first
                    return
                if first.key > after:
                    yield first
                found = self._open(root, prefix)
                if isinstance(found, Anomaly):
                    yield found
                    return
                opened = found
            yield from _Descent(after).down(opened, prefix)

    def listed(self, *, after: str = "", prefix: str = "") -> Iterator[Entry | Anomaly]:
        """The same: a walk is in our order."""
        return self.walk(after=after, prefix=prefix)

    def directory(self, key: str) -> Iterator[Entry | Anomaly]:
        """What lies in one directory, without what lies below it."""
        with self._root() as root:
            opened = os.dup(root) if not key else self._open(root, key)
            if isinstance(opened, Anomaly):
                yield opened
                return
            yield from _Descent("", flat=True).down(opened, key)

    def look(self, key: str) -> Entry | Anomaly | None:
        """What lies there now; None if nothing does."""
        with self._root() as root:
            return self._below(root, key)

    def digest(self, key: str) -> str | None:
        """The SHA-256 of what a file holds; None if it cannot be read."""
        with self._root() as root:
            parent, _, name = key.rpartition("/")
            directory = self._open(root, f"{parent}/") if parent else os.dup(root)
            if isinstance(directory, Anomaly):
                return None
            try:
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=directory)
            except OSError:
                return None
            finally:
                os.close(directory)
            with os.fdopen(opened, "rb", buffering=0) as file:
                try:
                    return hashlib.file_digest(file, "sha256").hexdigest()
                except OSError:
                    return None

    @contextmanager
    def _root(self) -> Iterator[int]:
        """The root's descriptor. Only it may be reached by way of links: whoever set it up chose its path."""
        try:
            opened = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RootNotThere(
                f"“{self.path}” is not there ({error.strerror}). Nothing is concluded from that; see that it is mounted."
            ) from error
        try:
            yield opened
        finally:
            os.close(opened)

    def _open(self, root: int, key: str) -> int | Anomaly:
        """A directory's descriptor, part by part."""
        opened, path = os.dup(root), ""
        for name in key.rstrip("/").split("/"):
            above, path = opened, f"{path}{name}/"
            try:
                opened = os.open(name, DIRECTORY, dir_fd=above)
            except OSError as error:
                return _unopened(path, error)
            finally:
                os.close(above)
        return opened

    def _below(self, root: int, key: str) -> Entry | Anomaly | None:
        bare = key.rstrip("/")
        parent, _, name = bare.rpartition("/")
        opened = self._open(root, f"{parent}/") if parent else os.dup(root)
        if isinstance(opened, Anomaly):
            return opened if opened.kind == "unreadable" else None
        try:
            found = _entry(opened, f"{parent}/" if parent else "", f"{name}/" if key[-1] == "/" else name)
        finally:
            os.close(opened)
        if isinstance(found, Entry):
            return found if found.key == key else None
        return None if found.kind == "vanished" else found


class _Descent:
    """One walk down, with the descriptors of the directories that it is in."""

    def __init__(self, after: str, *, flat: bool = False) -> None:
        self.after = after
        self.flat = flat

    def down(self, opened: int, path: str) -> Iterator[Entry | Anomaly]:
        """What lies in an opened directory, which is closed at the end."""
        stack: list[tuple[int, str, Iterator[os.DirEntry[str]]]] = []
        try:
            listed = self._listed(opened, path)
            if isinstance(listed, Anomaly):
                os.close(opened)
                yield listed
                return
            stack.append((opened, path, listed))
            while stack:
                opened, path, names = stack[-1]
                below = yield from self._files(opened, path, names)
                if below is None:
                    stack.pop()
                    os.close(opened)
                    continue
                entered = self._enter(opened, below) if len(stack) < DEEPEST else _too_deep(below)
                if isinstance(entered, Anomaly):
                    yield entered
                else:
                    stack.append(entered)
        finally:
            for opened, _, _ in stack:
                os.close(opened)

    def _files(
        self, opened: int, path: str, names: Iterator[os.DirEntry[str]]
    ) -> Generator[Entry | Anomaly, None, str | None]:
        """What lies in a directory up to the next one in it, whose key is returned; None at the end.

        A million files come by here, so what they have in common is done without a call.
        """
        is_plain = path.isascii() and len(path) <= LONGEST_KEY_BYTES - 255
        for it in names:
            name = it.name
            if is_plain and name.isascii():
                try:
                    found = it.stat(follow_symlinks=False)
                except OSError as error:
                    yield _unseen(_key(path, it), error)
                    continue
                at_ns = found.st_mtime_ns
                is_file = found.st_mode & KIND == REGULAR and not it.is_dir(follow_symlinks=False)
                if is_file and EARLIEST_NS <= at_ns <= LATEST_NS:
                    yield new(Entry, (path + name, found.st_size, at_ns, "", ""))
                    continue
            told = _entry(opened, path, _name(it))
            if told[0] > self.after or type(told) is Anomaly:
                yield told
            if type(told) is Entry and told[0][-1] == "/" and not self.flat:
                return told[0]
        return None

    def _enter(self, above: int, path: str) -> tuple[int, str, Iterator[os.DirEntry[str]]] | Anomaly:
        try:
            opened = os.open(path[:-1].rpartition("/")[2], DIRECTORY, dir_fd=above)
        except OSError as error:
            return _unopened(path, error)
        listed = self._listed(opened, path)
        if isinstance(listed, Anomaly):
            os.close(opened)
            return listed
        return opened, path, listed

    def _listed(self, opened: int, path: str) -> Iterator[os.DirEntry[str]] | Anomaly:
        """What is named in a directory, in order, from where the walk goes on."""
        try:
            with os.scandir(opened) as found:
                listed = list(found)
        except OSError as error:
            return _unopened(path, error)
        if not path:
            listed = [it for it in listed if not it.name.startswith(OURS)]
        listed.sort(key=_name if any(map(_is_directory, listed)) else _plain_name)
        if self.after.startswith(path):
            rest = self.after[len(path) :]
            first, slash, _ = rest.partition("/")
            # A directory on the way to where it goes on is entered again, everything before that is done.
            place = bisect_left(listed, f"{first}/", key=_name) if slash else bisect_right(listed, rest, key=_name)
            return iter(listed[place:])
        return iter(listed)


def _name(it: os.DirEntry[str]) -> str:
    """As it is sorted: the name of what was a directory when it was listed ends in “/”."""
    return f"{it.name}/" if it.is_dir(follow_symlinks=False) else it.name


def _key(path: str, it: os.DirEntry[str]) -> str:
    return path + _name(it)


def _entry(opened: int, path: str, name: str) -> Entry | Anomaly:
    """What a name in an opened directory stands for; a name that ends in “/” was a directory when it was listed."""
    key = path + name
    if (not key.isascii() or len(key) > LONGEST_KEY_BYTES) and (wrong := _wrong_name(key)):
        return wrong
    is_directory = name[-1] == "/"
    try:
        # Without its slash: with it, a link that has taken the directory's place would be followed.
        found = os.stat(name[:-1] if is_directory else name, dir_fd=opened, follow_symlinks=False)
    except OSError as error:
        return _unseen(key, error)
    kind = found.st_mode & KIND
    if kind == REGULAR and not is_directory:
        return Entry(key, found.st_size, kept_ns(found.st_mtime_ns), "", "")
    if kind == stat.S_IFDIR and is_directory:
        recent = StoredFile.RECENT if found.st_mtime_ns > time_ns() - RECENT_NS else ""
        return Entry(key, 0, kept_ns(found.st_mtime_ns), recent, "")
    return _no_file(opened, path, name.rstrip("/"), kind)


def _no_file(opened: int, path: str, name: str, kind: int) -> Anomaly:
    key = path + name
    masks = (key, f"{key}/")
    if kind == stat.S_IFLNK:
        return Anomaly(key, "link", _where_to(opened, name), masks)
    if kind in {REGULAR, stat.S_IFDIR}:
        return Anomaly(key, "vanished", "It became something else while it was being looked at.", masks)
    what = SPECIAL.get(kind, "something that is no file")
    return Anomaly(key, "special", f"It is {what}, which holds nothing that could be kept.", masks)


def _where_to(opened: int, name: str) -> str:
    try:
        target = os.readlink(name, dir_fd=opened)
    except OSError:
        return "It is a link, which is not followed."
    there = True
    try:
        os.stat(name, dir_fd=opened)
    except OSError:
        there = False
    lost = "" if there else ", where nothing is"
    return f"It is a link to “{shown(target)}”{lost}. Links are not followed."


def _wrong_name(key: str) -> Anomaly | None:
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        return Anomaly(key, "name", f"Its name is no UTF-8: {shown(key)}. Rename it, so that it can be kept.")
    if length > LONGEST_KEY_BYTES:
        return Anomaly(key, "too_long", f"Its path has {length:,} bytes; at most {LONGEST_KEY_BYTES:,} can be kept.")
    return None


def _unseen(key: str, error: OSError) -> Anomaly:
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return Anomaly(key, "vanished", "It went away while it was being looked at.", (key,))
    return Anomaly(key, "unreadable", f"It cannot be looked at: {error.strerror}.", (key, f"{key.rstrip('/')}/"))


def _too_deep(path: str) -> Anomaly:
    return Anomaly(
        path, "too_deep", f"It lies more than {DEEPEST} directories deep. What lies in it is left alone.", (path,)
    )


def _unopened(path: str, error: OSError) -> Anomaly:
    """A directory that cannot be read: about what lies below it nothing is known."""
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
        return Anomaly(path, "vanished", "It went away while it was being looked at.", (path,))
    return Anomaly(path, "unreadable", f"It cannot be read: {error.strerror}. What lies in it is left alone.", (path,))
