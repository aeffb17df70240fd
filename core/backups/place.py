"""Where backups lie: a directory, or a bucket; by the gateway that documents have, so that what is put is there as a whole or not at all."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from core.backups import manifest as manifests
from core.backups.errors import BackupDamaged, BackupFailed, BackupRefused
from core.backups.manifest import Manifest
from core.backups.streams import Source
from core.base.errors import RunsheetError
from storage.backends import Storage
from storage.backends import documents as documents_storage
from storage.backends.errors import Denied, FullDisk, NotFound
from storage.backends.keys import check_prefix
from storage.backends.local import LocalStorage
from storage.backends.stored import Written

BACKUPS, BLOBS, MANIFEST = "backups/", "blobs/", "manifest.json"
ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z", re.ASCII)
KIND = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """A file of the place.

    Attributes:
        modified_ns: in nanoseconds since 1970, by the clock of the place.
    """

    key: str
    size: int
    modified_ns: int


class Place:
    """Where the backups of one installation lie.

    Every method may raise `BackupFailed`, `Throttled` and `Unavailable`.

    Args:
        prefix: what stands before each key, with a slash at its end; empty: nothing.
    """

    def __init__(self, storage: Storage, *, prefix: str = "") -> None:
        self._storage = storage
        self._prefix = check_prefix(prefix)
        self.name = f"{storage.place}/{prefix}".rstrip("/")

    def put(self, key: str, chunks: Iterable[bytes], *, exclusive: bool = False) -> Written:
        """What the chunks raise is passed on.

        Raises:
            Exists: something lies there, and `exclusive`.
        """
        source = Source(chunks)
        try:
            return self._storage.put(f"{self._prefix}{key}", source, exclusive=exclusive, content_type=KIND)
        except (Denied, FullDisk) as error:
            if error is source.failure:
                raise
            raise self._failed(error) from error

    def stream(self, key: str) -> Iterator[bytes]:
        """Raises: BackupDamaged: nothing lies there."""
        try:
            return self._storage.stream(f"{self._prefix}{key}")
        except NotFound as error:
            raise BackupDamaged(f"{key} is not there any more.") from error
        except Denied as error:
            raise self._failed(error) from error

    def delete(self, key: str) -> None:
        """That it is not there is fine."""
        try:
            self._storage.delete(f"{self._prefix}{key}")
        except Denied as error:
            raise self._failed(error) from error

    def listing(self, below: str) -> Iterator[Lying]:
        """What lies below a folder, by its key here."""
        cut = len(self._prefix)
        try:
            for each in self._storage.listing(prefix=f"{self._prefix}{below}"):
                yield Lying(key=each.key[cut:], size=each.size, modified_ns=each.modified_ns)
        except Denied as error:
            raise self._failed(error) from error

    def _failed(self, error: RunsheetError) -> BackupFailed:
        said = "There is no room left." if isinstance(error, FullDisk) else str(error)
        return BackupFailed(f"{self.name}: {said}")

    def ids(self) -> list[str]:
        """Of all backups that came to their end, the oldest first."""
        keys = (each.key.removeprefix(BACKUPS).partition("/") for each in self.listing(BACKUPS))
        return sorted(name for name, _, part in keys if part == MANIFEST and ID.fullmatch(name))

    def manifest(self, backup_id: str) -> Manifest:
        """What a backup says of itself.

        Raises:
            BackupRefused: there is no such backup, or it is of a newer Runsheet.
            BackupDamaged: it says nothing that could be used.
        """
        if not ID.fullmatch(backup_id) or backup_id not in self.ids():
            raise BackupRefused(f"There is no backup {backup_id!r} in {self.name}. “verify_backup --list” tells them.")
        content = bytearray()
        for piece in self.stream(key_of(backup_id, MANIFEST)):
            content += piece
            if len(content) > manifests.AT_MOST_BYTES:
                raise BackupDamaged("The manifest is larger than any that was ever written.")
        found = manifests.read(bytes(content))
        if found.id != backup_id:
            raise BackupDamaged(f"The manifest of {backup_id} is that of {found.id}.")
        return found

    def last_readable(self) -> Manifest | None:
        """The last backup whose manifest can be used; None if there is none."""
        for each in reversed(self.ids()):
            with suppress(BackupDamaged):
                return self.manifest(each)
        return None


def key_of(backup_id: str, part: str) -> str:
    """Where a part of a backup lies."""
    return f"{BACKUPS}{backup_id}/{part}"


def id_at(moment: datetime) -> str:
    """What a backup of that moment is called."""
    return f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z"


def place_of(text: str) -> Place:
    """The place that somebody names: the path of a directory, or `s3://BUCKET/PREFIX`.

    Raises:
        BackupRefused: it is none, it is not there, or it is where the documents lie.
    """
    if not text.strip():
        raise BackupRefused("Say where the backups lie: a directory, or s3://BUCKET/PREFIX. What was given is empty.")
    found = _s3(text) if text.startswith("s3://") else _directory(text)
    _refuse_among_documents(found)
    return found


def _directory(text: str) -> Place:
    if "://" in text:
        raise BackupRefused(f"Backups lie in a directory or in s3://BUCKET/PREFIX, not in {text!r}.")
    path = Path(text).absolute()
    if not path.is_dir():
        raise BackupRefused(f"There is no directory {path}. Mount the disk, or make the directory; then repeat.")
    return Place(LocalStorage(directory=str(path)))


def _s3(text: str) -> Place:
    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    if not bucket:
        raise BackupRefused("s3:// needs the name of a bucket, such as s3://backups/runsheet.")
    from storage.backends.s3 import S3Storage  # noqa: PLC0415 - its library may not be installed

    prefix = prefix.strip("/")
    return Place(S3Storage(bucket=bucket, **settings.BACKUP_S3), prefix=f"{prefix}/" if prefix else "")


def _refuse_among_documents(place: Place) -> None:
    """Else each backup would be a file of the documents, and the next one would back it up."""
    storage, documents = place._storage, documents_storage()  # noqa: SLF001 - of this module's own class
    inside = storage.place == documents.place
    if isinstance(storage, LocalStorage) and isinstance(documents, LocalStorage):
        here, there = storage.directory.resolve(), documents.directory.resolve()
        inside = here.is_relative_to(there) or there.is_relative_to(here)
    if inside:
        raise BackupRefused(f"The documents lie in {documents.place}. Let backups lie elsewhere, best on another disk.")
