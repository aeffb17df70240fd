"""A backup is put back: what lay in storage, then the database, then what makes them fit each other.

Whoever dies on the way leaves nothing that could be taken for the whole: files lie there of which no row knows, the database
is replaced in one transaction, and a mark in each says which restore is to go on.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched
from time import monotonic
from typing import Any

from django.db.migrations.loader import MigrationLoader

from core.backups import keys, replacing, settling
from core.backups.age import opened
from core.backups.alone import alone
from core.backups.blobs import blob_key
from core.backups.contents import files_of
from core.backups.copying import AT_ONCE
from core.backups.errors import BackupDamaged, BackupFailed, BackupRefused, ContentDiffers
from core.backups.lists import KeptFile
from core.backups.manifest import Manifest
from core.backups.place import Place
from core.backups.postgres import major_of, programs
from core.backups.settling import Settled
from core.backups.streams import expected, measured
from core.backups.verifying import dump_as_sql, require_key
from core.base.errors import Refused
from core.ops import last_backup
from documents.queries import roots_of_documents
from documents.services.moving import patiently
from documents.services.receiving import STORED_AS
from storage.backends import Storage
from storage.backends import documents as documents_storage
from storage.backends.errors import NotFound
from storage.index.walking import OURS
from storage.models import StorageRoot

# The index passes over what is called so.
NOTE = ".runsheet-restore"
DATABASE, STORAGE = "database", "storage"

type Told = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Restored:
    """What was done.

    Attributes:
        put, there: files that were written, and that lay there already as they should.
        was_done: the database was restored by an earlier run, which was broken off; it was left as it is.
        lacking: the keys that are needed and not here.
        took_s: each part, in seconds.
    """

    manifest: Manifest
    put: int = 0
    put_bytes: int = 0
    there: int = 0
    was_done: bool = False
    lacking: dict[str, list[str]] = field(default_factory=dict)
    settled: Settled | None = None
    took_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be restored, and how.

    Attributes:
        identities: private keys of age's.
        parts: of `DATABASE` and `STORAGE`.
        replaces: what is there may be replaced.
        at_once: so many files side by side.
    """

    identities: Sequence[Any] = ()
    parts: frozenset[str] = frozenset({DATABASE, STORAGE})
    replaces: bool = False
    at_once: int = 4


def restore(place: Place, manifest: Manifest, wish: Wish, *, told: Told) -> Restored:
    """Put it back; again after it was broken off, and it goes on.

    Raises:
        BackupRefused: nothing was changed.
        BackupDamaged: it is not whole; what was put back stays, and the database is as it was.
        BackupBroken: PostgreSQL does not take it.
        Denied, Throttled, Unavailable, FullDisk: a place does not do it now.
    """
    require_key(manifest, wish.identities)
    tools = programs(least=major_of(manifest.servers.pg_dump))
    replacing.require_fit(manifest, MigrationLoader(None).disk_migrations)
    if DATABASE in wish.parts:
        replacing.require_alone()
    found = Restored(manifest=manifest, lacking=keys.lacking(manifest.keys))
    storage = documents_storage()
    with alone() as here:
        found.was_done = _require_room(storage, manifest, wish)
        if STORAGE in wish.parts:
            with _timed(found, STORAGE):
                told("Files")
                storage.put(NOTE, [manifest.id.encode()])
                _fill(place, storage, found, wish, told)
        if DATABASE in wish.parts:
            with _timed(found, DATABASE):
                told("The database")
                if not found.was_done:
                    replacing.require_alone(besides=here.pid)  # somebody may have begun since
                    dump = dump_as_sql(place, manifest, tools, wish.identities)
                    replacing.replace(dump, backup_id=manifest.id, tools=tools)
                settling.migrate(manifest)
        with _timed(found, "fitting"):
            found.settled = _settle(place, storage, manifest, wish, told)
    return found


@contextmanager
def _timed(found: Restored, part: str) -> Iterator[None]:
    began = monotonic()
    yield
    found.took_s[part] = monotonic() - began


def _settle(place: Place, storage: Storage, manifest: Manifest, wish: Wish, told: Told) -> Settled:
    root = StorageRoot.named(roots_of_documents()[0])
    if STORAGE in wish.parts:
        told("Rows of files")
        settling.fit_rows(storage, root, files_of(place, manifest, wish.identities), at_once=wish.at_once)
        told("What stands beside the files")
        settling.write_beside(storage, root)
    settled = settling.compare(root, told=told)
    if DATABASE in wish.parts:
        last_backup.note(manifest.id, made_at=manifest.made_at)
    replacing.forget_mark()
    storage.delete(NOTE)
    return settled


def _require_room(storage: Storage, manifest: Manifest, wish: Wish) -> bool:
    """Go on only if nothing is lost by it that nobody wanted to be; whether the database was restored already.

    It is restored once more where it may be replaced: somebody may have worked in it since.

    Raises:
        BackupRefused: it would be.
    """
    storage.check()
    earlier = replacing.restored_from()
    was_done = DATABASE in wish.parts and not wish.replaces and earlier == manifest.id
    if DATABASE in wish.parts and not wish.replaces and earlier is None:
        raise BackupRefused(
            "The database holds leases, documents or people. “--replace” gives them up for what the backup says."
        )
    if STORAGE in wish.parts and not wish.replaces and _under_way(storage) != manifest.id and _holds(storage):
        raise BackupRefused(
            f"Files lie in {storage.place}. “--replace” replaces those that differ from the backup, and leaves all others where they are."
        )
    return was_done


def _under_way(storage: Storage) -> str:
    try:
        return storage.read(NOTE, end=100).decode(errors="replace")
    except NotFound:
        return ""


def _holds(storage: Storage) -> bool:
    return any(not each.key.startswith(OURS) for each in storage.listing())


def _fill(place: Place, storage: Storage, found: Restored, wish: Wish, told: Told) -> None:
    is_empty = not _holds(storage)

    def put(kept: KeptFile) -> bool:
        return _put(place, storage, found.manifest, kept, wish.identities, is_empty=is_empty)

    with ThreadPoolExecutor(wish.at_once) as pool:
        for some in batched(files_of(place, found.manifest, wish.identities), AT_ONCE, strict=False):
            for kept, is_new in zip(some, pool.map(put, some), strict=True):
                found.put += is_new
                found.put_bytes += kept.size if is_new else 0
                found.there += not is_new
            told(f"{found.put + found.there:,} files of {found.manifest.files.count:,}")
    if found.put + found.there != found.manifest.files.count:
        raise BackupDamaged(
            f"The backup lists {found.put + found.there:,} files, and should {found.manifest.files.count:,}."
        )


def _put(
    place: Place,
    storage: Storage,
    manifest: Manifest,
    kept: KeptFile,
    identities: Sequence[Any],
    *,
    is_empty: bool,
) -> bool:
    """See that the file lies there, and read it; whether it did not before."""

    def write() -> None:
        content = opened(place.stream(blob_key(kept.blob)), identities, is_sealed=manifest.is_sealed)
        kind = STORED_AS if kept.seen is None else ""
        storage.put(kept.key, expected(content, kept.sha256), content_type=kind)

    if not is_empty and _lies(storage, kept):
        return False
    try:
        patiently(write)
    except ContentDiffers as error:
        raise BackupDamaged(f"{blob_key(kept.blob)} is not what {kept.key} was.") from error
    except Refused as error:  # others were put back before it
        raise BackupFailed(f"A file cannot be put back. {error}") from error
    if not patiently(lambda: _lies(storage, kept)):
        raise BackupDamaged(f"{kept.key} was written, and something else lies there.")
    return True


def _lies(storage: Storage, kept: KeptFile) -> bool:
    try:
        return measured(storage.stream(kept.key)) == (kept.size, kept.sha256)
    except NotFound:
        return False
