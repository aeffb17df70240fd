"""What files hold, each content once, under a name that is made of it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition

from django.conf import settings
from django.utils.crypto import salted_hmac

from core.backups.age import sealed
from core.backups.errors import BackupDamaged
from core.backups.lists import KeptBlob
from core.backups.place import BLOBS, Lying, Place
from core.backups.streams import expected, measured

SALT = "core.backups.blobs"
NAME = re.compile("[0-9a-f]{64}", re.ASCII)

type Opens = Callable[[], Iterable[bytes]]


class Blobs:
    """Those of one place, and of one set of public keys: what others can open is no use to us.

    Args:
        recipients: with whose public keys they are encrypted; none: they are not.
        lists: what earlier backups say of theirs, the newest first.
        rereads: what they say is not trusted, and each that is needed is read once more.
    """

    def __init__(
        self,
        place: Place,
        *,
        recipients: Sequence[str] = (),
        lists: Iterable[Iterable[KeptBlob]] = (),
        rereads: bool = False,
    ) -> None:
        self._place = place
        self._recipients = tuple(recipients)
        self._there = {bytes.fromhex(each.key.rpartition("/")[2]): each.size for each in lying(place)}
        # Bytes, since there may be millions: the name, then the checksum of what lies there.
        self._known: dict[bytes, bytes] = {}
        # The same, as it was written down; whether it still holds is to be seen.
        self._said: dict[bytes, bytes] = {}
        self._all_is_said = True
        for each in lists:
            self._learn(each, rereads=rereads)
        self._busy: set[str] = set()
        self._turn = Condition()
        self.added = self.added_bytes = 0

    def name_of(self, sha256: str) -> str:
        """What the content with that checksum is called. Where it is encrypted, the name does not tell whether somebody's file is there."""
        if not self._recipients:
            return sha256
        words = f"{sha256} {' '.join(self._recipients)}"
        return salted_hmac(SALT, words, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()

    def _learn(self, listed: Iterable[KeptBlob], *, rereads: bool) -> None:
        try:
            every = {bytes.fromhex(each.name): (each.size, bytes.fromhex(each.sha256)) for each in listed}
        except BackupDamaged:
            self._all_is_said = False
            return
        for name, (size, digest) in every.items():
            if name in self._there and name not in self._said:
                self._said[name] = digest
                if self._there[name] == size and not rereads:
                    self._known[name] = digest

    def has(self, name: str) -> bool:
        """Whether it lies there and was checked."""
        return bytes.fromhex(name) in self._known

    def of(self, name: str) -> KeptBlob:
        """One that is there."""
        key = bytes.fromhex(name)
        return KeptBlob(name=name, size=self._there[key], sha256=self._known[key].hex())

    def keep(self, name: str, sha256: str, opens: Opens) -> None:
        """See that the content is there, and read back what was written.

        Args:
            opens: gives the content from its beginning.

        Raises:
            ContentDiffers: it is another content; nothing is kept.
            BackupDamaged: what was written is not what lies there.
            RunsheetError: one of the two places does not do it.
        """
        with self._alone(name):
            if not self.has(name):
                self._keep(name, sha256, opens)

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Two files may hold the same."""
        with self._turn:
            self._turn.wait_for(lambda: name not in self._busy)
            self._busy.add(name)
        try:
            yield
        finally:
            with self._turn:
                self._busy.remove(name)
                self._turn.notify_all()

    def _keep(self, name: str, sha256: str, opens: Opens) -> None:
        key = bytes.fromhex(name)
        found = self._lies(name) if key in self._there else None
        if found is None:
            written = self._place.put(blob_key(name), sealed(expected(opens(), sha256), self._recipients))
            found = measured(self._place.stream(blob_key(name)))
            if found != (written.size, written.sha256):
                raise BackupDamaged(f"{blob_key(name)} was written, and something else lies there.")
            with self._turn:
                self.added, self.added_bytes = self.added + 1, self.added_bytes + written.size
        size, digest = found
        self._there[key], self._known[key] = size, bytes.fromhex(digest)

    def _lies(self, name: str) -> tuple[int, str] | None:
        """Size and checksum of what lies there; None if it is not, or may not be, what has to."""
        try:
            size, digest = measured(self._place.stream(blob_key(name)))
        except BackupDamaged:  # it has gone since
            return None
        is_right = self._may_be(name, digest) if self._recipients else digest == name
        return (size, digest) if is_right else None

    def _may_be(self, name: str, digest: str) -> bool:
        """What is encrypted does not tell what it is. What nobody has written down is of a backup that came to no end."""
        said = self._said.get(bytes.fromhex(name))
        return self._all_is_said if said is None else said.hex() == digest


def blob_key(name: str) -> str:
    """Where it lies."""
    return f"{BLOBS}{name[:2]}/{name}"


def lying(place: Place) -> Iterator[Lying]:
    """All of them, of whichever backup; what else lies there is nobody's business."""
    return (each for each in place.listing(BLOBS) if _is_name(each.key))


def _is_name(key: str) -> bool:
    name = key.rpartition("/")[2]
    return NAME.fullmatch(name) is not None and key == blob_key(name)
