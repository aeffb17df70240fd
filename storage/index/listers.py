"""Who can list a root: one lister for each kind, registered like reactions."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeIs, cast

from django.core.files.storage import storages
from django.db import transaction

from storage.backends.errors import Denied
from storage.backends.local import LocalStorage
from storage.errors import ListerUnknown, RootUnknown
from storage.index.entries import Anomaly, CursorPage, Entry
from storage.index.objects import ObjectWalk
from storage.index.walking import DirectoryWalk
from storage.models import StorageRoot

if TYPE_CHECKING:
    from storage.backends import Storage


class Lister(Protocol):
    """What lies in a root, in the order of the keys, in bounded memory.

    Attributes:
        has_directories: directories are there by themselves and have a time; else only keys are.
    """

    has_directories: bool

    def marker(self) -> str | None:
        """What the root's marker object holds; None if there is none.

        Raises:
            RootNotThere: there is no such place.
        """
        ...

    def lay_marker(self, text: str) -> None:
        """Mark the root, if it has no marker.

        Raises:
            RootNotThere: nothing can be written there.
        """
        ...

    def walk(self, *, after: str = "", prefix: str = "") -> Iterator[Entry | Anomaly]:
        """Whatever lies below the prefix behind that key.

        Raises:
            RootNotThere: the root is not.
            OutOfOrder: the storage has another order than the index.
        """
        ...

    def listed(self, *, after: str = "", prefix: str = "") -> Iterator[Entry | Anomaly]:
        """The same, where `walk` raises `OutOfOrder`, in the order of the storage."""
        ...

    def look(self, key: str) -> Entry | Anomaly | None:
        """What lies there now; None if nothing does."""
        ...

    def digest(self, key: str) -> str | None:
        """The SHA-256 of what a file holds; None if it cannot be read."""
        ...


class DirectoryLister(Lister, Protocol):
    """A lister of a place that has directories."""

    def directory(self, key: str) -> Iterator[Entry | Anomaly]:
        """What lies in one of them."""
        ...


class CursorLister(Protocol):
    """Tells what lies in a place, and from then on what happens there, page by page. No single key can be looked at."""

    def marker(self) -> str:
        """What the place is known by as long as it is the same one.

        Raises:
            RootNotThere: it is not there, or not all of it can be seen.
        """
        ...

    def pages(self, cursor: str) -> Iterator[CursorPage]:
        """What is told behind that cursor, or, if it is empty, all that lies there; to the first page behind which there is nothing more.

        Raises:
            CursorReset: the cursor is not known any more.
        """
        ...


type AnyLister = Lister | CursorLister


def reads_by_cursor(lister: AnyLister) -> TypeIs[CursorLister]:
    """Whether it tells what happens, by a cursor."""
    return hasattr(lister, "pages")


def reads_directories(lister: AnyLister) -> TypeIs[DirectoryLister]:
    """Whether one directory can be read by itself."""
    return not reads_by_cursor(lister) and lister.has_directories


type Maker = Callable[[StorageRoot], AnyLister]


def _files(root: StorageRoot) -> Lister:
    """A directory of this machine, or one that is mounted here."""
    path = root.declared.get("path")
    if not path:
        raise RootUnknown(f"The settings do not say where the root “{root.name}” is: STORAGE_ROOTS needs its “path”.")
    return DirectoryWalk(Path(path))


def _storage(root: StorageRoot) -> Lister:
    """One of Django's STORAGES that is a gateway of ours, whichever back-end that has."""
    storage = storages[root.declared["storage"]]
    if not isinstance(storage, LocalStorage):
        return ObjectWalk(cast("Storage", storage))
    if not root.marker:
        with suppress(Denied):  # what is to be made is made; else the walk says that it is not there
            storage.check()
    return DirectoryWalk(storage.directory)


_makers: dict[str, Maker] = {"files": _files, "storage": _storage}


_listeners: dict[str, Callable[[], object]] = {}


def register(kind: str, maker: Maker, *, changed: Callable[[], object] | None = None) -> None:
    """Let roots of a kind be listed, by keys or by a cursor.

    Args:
        changed: called when a run has brought the rows of such a root up to date, once that is committed. It may be lost with
            the process, so whoever wants to know for certain looks at the runs from time to time.
    """
    _makers[kind] = maker
    if changed:
        _listeners[kind] = changed


def tell_changed(root: StorageRoot) -> None:
    """Call whoever wants to know that the rows of the root have been brought up to date, at the end of this transaction."""
    if changed := _listeners.get(root.declared.get("kind", "files")):
        transaction.on_commit(changed, robust=True)


def lister_of(root: StorageRoot) -> AnyLister:
    """The lister of a root.

    Raises:
        RootUnknown: the settings do not know it.
        ListerUnknown: nobody lists its kind.
    """
    kind = root.declared.get("kind", "files")
    if kind not in _makers:
        raise ListerUnknown(
            f"Nothing here can list a root of the kind “{kind}”. Known are {', '.join(sorted(_makers))}."
        )
    return _makers[kind](root)
