"""What lies in a backup, read back: whoever comes to its end knows that it is what was written."""

from collections.abc import Iterator, Sequence
from typing import Any

from core.backups.age import opened
from core.backups.errors import BackupDamaged, ContentDiffers
from core.backups.lists import KeptBlob, KeptFile, items
from core.backups.manifest import Manifest
from core.backups.place import Place, key_of
from core.backups.streams import expected


def part_of(place: Place, manifest: Manifest, name: str, identities: Sequence[Any] = ()) -> Iterator[bytes]:
    """A part of a backup as it was before it was encrypted; that of the blobs never is.

    Raises:
        BackupDamaged: at its end, or before, it is not what was written.
    """
    is_sealed = manifest.is_sealed and name != "blobs"
    return opened(_as_written(place, manifest, name), identities, is_sealed=is_sealed)


def files_of(place: Place, manifest: Manifest, identities: Sequence[Any]) -> Iterator[KeptFile]:
    """The files that lay in storage."""
    return items(KeptFile, part_of(place, manifest, "files", identities))


def blobs_of(place: Place, manifest: Manifest) -> Iterator[KeptBlob]:
    """What they hold, each content once."""
    return items(KeptBlob, part_of(place, manifest, "blobs"))


def _as_written(place: Place, manifest: Manifest, name: str) -> Iterator[bytes]:
    key, part = key_of(manifest.id, name), dict(manifest.parts)[name]
    try:
        yield from expected(place.stream(key), part.sha256)
    except ContentDiffers as error:
        raise BackupDamaged(f"{key} is not what was written there.") from error
