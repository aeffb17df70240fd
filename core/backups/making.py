"""A backup is made: the database of one moment, and what belongs to it in storage."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from core import VERSION
from core.backups import keys, manifest
from core.backups.age import check_recipients, sealed
from core.backups.alone import alone
from core.backups.blobs import Blobs
from core.backups.contents import blobs_of
from core.backups.copying import Copied, Copier, Told
from core.backups.errors import BackupDamaged, BackupRefused
from core.backups.lists import KeptBlob, KeptFile, Spool, Version
from core.backups.manifest import FORMAT, Amount, Manifest, Part, Parts, Servers
from core.backups.place import MANIFEST, Place, id_at, key_of
from core.backups.postgres import Programs, major_of, programs, server_version
from core.backups.retention import Removed, clear
from core.backups.snapshot import Snapshot, dumped, taken
from core.backups.streams import measured
from core.backups.verifying import check_rows
from core.ops import last_backup
from documents.queries import roots_of_documents
from documents.services.in_charge import require_here
from storage.backends import documents as documents_storage
from storage.backends.stored import Written
from storage.models import StorageRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that is there, and was read once.

    Attributes:
        copied: what it holds of storage, and what is wrong there.
        added, added_bytes: how many blobs were not there before.
        removed: what went, since it was older than it has to be. None: something is wrong, so that all stay.
        took_s: in seconds.
    """

    manifest: Manifest
    copied: Copied
    added: int
    added_bytes: int
    removed: Removed | None
    took_s: float


def back_up(
    place: Place,
    *,
    recipients: Sequence[str] | None,
    keep_days: int,
    at_once: int,
    told: Told,
    rereads: bool = False,
) -> Made:
    """Make one; whatever an earlier one has already is not copied again.

    Args:
        recipients: public keys of age's, for which it is encrypted; none: it is not, as the last one was not; None: in any case.
        keep_days: older ones go, if nothing is wrong with this one; 0: none do.
        at_once: so many files side by side.
        told: hears how far it is.
        rereads: what earlier ones have is read once more, and copied anew where it is not what it was.

    Raises:
        BackupRefused: it was not begun.
        BackupBroken: the database or a place does not do it now; nothing is there that could be taken for a backup.
        BackupFailed: it cannot be done there.
    """
    began = monotonic()
    public = check_recipients(recipients or ())
    tools = programs(least=major_of(server_version()))
    require_here()
    root = StorageRoot.named(roots_of_documents()[0])
    with alone() as here, Spool(Version) as versions:
        last = place.last_readable()
        with taken(versions, root=root) as moment:
            _require_fit(place, last, moment, may_be_open=recipients is None or bool(public))
            database = _dump(place, moment, tools, public)
        lists = _lists(place, last, is_sealed=bool(public))
        blobs = Blobs(place, recipients=public, lists=lists, rereads=rereads)

        def tell(copied: Copied) -> None:
            here.require()
            told(copied)

        def copy(files: Spool[KeptFile], listed: Spool[KeptBlob]) -> Copied:
            storage = documents_storage()
            copier = Copier(storage=storage, blobs=blobs, files=files, listed=listed, told=tell, at_once=at_once)
            return copier.run(versions.items(), root)

        said, copied = _lay_down(place, moment, database, public, copy)
        if not public:
            check_rows(place, said, tools=tools, identities=())
        here.require()
        removed = _conclude(place, said, copied, keep_days=keep_days)
    return Made(
        manifest=said,
        copied=copied,
        added=blobs.added,
        added_bytes=blobs.added_bytes,
        removed=removed,
        took_s=monotonic() - began,
    )


def _conclude(place: Place, said: Manifest, copied: Copied, *, keep_days: int) -> Removed | None:
    """Let it be a backup, and older ones go, unless something is wrong with it."""
    place.put(key_of(said.id, MANIFEST), [manifest.written(said)], exclusive=True)
    last_backup.note(said.id, made_at=said.made_at)
    return None if copied.has_remarks else clear(place, newest=said.id, keep_days=keep_days, at=said.made_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Database:
    part: Part
    servers: Servers


def _dump(place: Place, moment: Snapshot, tools: Programs, recipients: Sequence[str]) -> _Database:
    key = key_of(id_at(moment.made_at), "database")
    written = place.put(key, sealed(dumped(moment, tools), recipients), exclusive=True)
    servers = Servers(postgresql=server_version(), pg_dump=tools.version)
    return _Database(part=_checked(place, key, written), servers=servers)


def _lay_down(
    place: Place,
    moment: Snapshot,
    database: _Database,
    recipients: Sequence[str],
    copy: Callable[[Spool[KeptFile], Spool[KeptBlob]], Copied],
) -> tuple[Manifest, Copied]:
    """Copy, lay down the lists of it, and say what is there; nobody else does so before that is written down, too."""
    backup_id = id_at(moment.made_at)
    with Spool(KeptFile) as files, Spool(KeptBlob) as listed:
        copied = copy(files, listed)
        parts = Parts(
            database=database.part,
            files=_put(place, key_of(backup_id, "files"), sealed(files.chunks(), recipients)),
            blobs=_put(place, key_of(backup_id, "blobs"), listed.chunks()),
        )
        lying = Amount(count=listed.count, size=sum(each.size for each in listed.items()))
    said = Manifest(
        format=FORMAT,
        id=backup_id,
        made_at=moment.made_at,
        runsheet=VERSION,
        servers=database.servers,
        root=moment.root,
        migrations=moment.migrations,
        tables=moment.tables,
        files=Amount(count=copied.files, size=copied.bytes),
        blobs=lying,
        missing=len(copied.missing),
        damaged=len(copied.damaged),
        left_out=len(copied.left_out),
        recipients=list(recipients),
        keys=keys.present(),
        parts=parts,
    )
    return said, copied


def _lists(place: Place, last: Manifest | None, *, is_sealed: bool) -> Iterator[Iterable[KeptBlob]]:
    """What is written down of blobs: by the last backup, and where only that tells what they are, by all others, too."""
    if last is None:
        return
    yield blobs_of(place, last)
    if is_sealed:
        yield from (_blobs_of(place, each) for each in reversed(place.ids()) if each != last.id)


def _blobs_of(place: Place, backup_id: str) -> Iterator[KeptBlob]:
    yield from blobs_of(place, place.manifest(backup_id))


def _require_fit(place: Place, last: Manifest | None, moment: Snapshot, *, may_be_open: bool) -> None:
    """Go on only if nobody loses by it what the backups that lie there are for.

    Args:
        may_be_open: it is encrypted, or somebody wants it not to be.

    Raises:
        BackupRefused: somebody would.
    """
    if last is not None and last.root and moment.root and last.root != moment.root:  # and what it needs taken away
        raise BackupRefused(
            f"The backups in {place.name} are of another Runsheet, whose storage has another marker. Let this one's lie elsewhere."
        )
    if last is not None and last.is_sealed and not may_be_open:  # whoever loses a setting lays nothing open
        raise BackupRefused(
            f"Backup {last.id} is encrypted, and for this one no public key is named. Set BACKUP_RECIPIENTS again, or say “--unencrypted”."
        )
    newest, own = next(reversed(place.ids()), ""), id_at(moment.made_at)
    if newest >= own:  # else whoever restores the newest one gets another
        raise BackupRefused(
            f"Backup {newest} lies in {place.name}, and by the clock of the database this one would be {own}, which is earlier. Set that "
            "clock right; or if it was wrong then, move that backup's folder elsewhere."
        )


def _put(place: Place, key: str, chunks: Iterable[bytes]) -> Part:
    return _checked(place, key, place.put(key, chunks, exclusive=True))


def _checked(place: Place, key: str, written: Written) -> Part:
    """Raises:
    BackupDamaged: what was written does not lie there.
    """
    if measured(place.stream(key)) != (written.size, written.sha256):
        raise BackupDamaged(f"{key} was written, and something else lies there.")
    return Part(size=written.size, sha256=written.sha256)
