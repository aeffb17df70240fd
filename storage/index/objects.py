"""What lies in an object store. There are no directories in it but the keys that end in “/”."""

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from storage.backends.errors import BadKey, Denied, NotFound
from storage.backends.keys import check_key
from storage.errors import RootNotThere
from storage.index.entries import Anomaly, Entry, OutOfOrder, kept_ns
from storage.index.walking import MARKER, MARKER_BYTES, OURS, marker_text

if TYPE_CHECKING:
    from storage.backends import Storage
    from storage.backends.stored import Stored


class ObjectWalk:
    """The lister of an object store. That it does not answer is told by the errors of the gateway, which are tried again.

    Args:
        storage: the gateway to it.
    """

    has_directories = False

    def __init__(self, storage: "Storage") -> None:
        self.storage = storage

    def marker(self) -> str | None:
        """What the marker holds; None if there is none.

        Raises:
            RootNotThere: there is no such place, or it does not let us in.
        """
        try:
            return marker_text(self.storage.read(MARKER, end=MARKER_BYTES))
        except NotFound:
            return None
        except Denied as error:
            raise RootNotThere(f"The root is not there: {error}") from error

    def lay_marker(self, text: str) -> None:
        """Mark the root.

        Raises:
            RootNotThere: nothing can be written there.
        """
        try:
            self.storage.put(MARKER, [f"{text}\n".encode()], exclusive=True, content_type="text/plain")
        except Denied as error:
            raise RootNotThere(f"The root cannot be marked: {error}") from error

    def walk(self, *, after: str = "", prefix: str = "") -> Iterator[Entry | Anomaly]:
        """Whatever has a key that begins so, behind that one.

        Raises:
            OutOfOrder: the store has another order than the index.
        """
        last = after
        for told in self.listed(after=after, prefix=prefix):
            if told[0] <= last:
                raise OutOfOrder
            last = told[0]
            yield told

    def listed(self, *, after: str = "", prefix: str = "") -> Iterator[Entry | Anomaly]:
        """The same in the order of the store, whatever that is."""
        for stored in self.storage.listing(prefix=prefix, after=after):
            if not stored.key.startswith(OURS):
                yield _told(stored)

    def look(self, key: str) -> Entry | Anomaly | None:
        """What lies there now; None if nothing does."""
        if key.endswith("/"):
            return next((_told(each) for each in self.storage.listing(prefix=key) if each.key == key), None)
        try:
            return _told(self.storage.stat(key))
        except NotFound:
            return None

    def digest(self, key: str) -> str | None:
        """The SHA-256 of what lies there; None if that went away."""
        found = hashlib.sha256()
        try:
            for piece in self.storage.stream(key):
                found.update(piece)
        except NotFound:
            return None
        return found.hexdigest()


def _told(stored: "Stored") -> Entry | Anomaly:
    key, size, modified_ns, etag, *_ = stored
    try:
        check_key(key.removesuffix("/"))
    except BadKey as error:
        return Anomaly(key, "name", f"{error} Copy it to another name, so that it can be kept.", (key,))
    return Entry(key, size, kept_ns(modified_ns), etag, "")
