"""What lies in storage goes to where backups lie: first what the moment's rows stand on, then whatever else people have laid there."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from typing import Final

from core.backups.blobs import Blobs
from core.backups.errors import BackupBroken, BackupFailed, BackupRefused, ContentDiffers
from core.backups.lists import KeptBlob, KeptFile, Seen, Spool, Version
from core.backups.streams import measured
from core.base.errors import RunsheetError, Temporary
from documents import sidecars
from documents.models import Document, DocumentVersion, Leftover, Upload
from documents.services.moving import patiently
from storage.backends import Storage
from storage.backends.errors import NotFound
from storage.index.entries import Anomaly, Entry
from storage.index.listers import Lister, lister_of, reads_by_cursor
from storage.models import FileState, StorageRoot, StoredFile

AT_ONCE: Final = 500
# A file that changes while it is read is read so often.
TRIES: Final = 3


@dataclass(slots=True, kw_only=True)
class Copied:
    """How far it is, and what is to be said of it.

    Attributes:
        files, bytes: what is in the backup.
        missing: the keys of versions without a file; neither storage nor an earlier backup has it.
        damaged: the keys of versions whose file is not what was uploaded; it is in the backup as it is.
        left_out: what lies in storage and no backup takes, and why.
    """

    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def has_remarks(self) -> bool:
        """Whether something was wrong before, which the backup has as it is."""
        return bool(self.missing or self.damaged or self.left_out)


type Told = Callable[[Copied], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """Of one file. Neither: it is not there any more."""

    kept: KeptFile | None = None
    is_damaged: bool = False
    why_not: str = ""


class Copier:
    """Copies what is not there yet.

    Args:
        told: hears after each batch; what it raises ends the backup.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        blobs: Blobs,
        files: Spool[KeptFile],
        listed: Spool[KeptBlob],
        told: Told,
        at_once: int,
    ) -> None:
        self._storage = storage
        self._blobs = blobs
        self._files = files
        self._listed = listed
        self._names: set[bytes] = set()
        self._told = told
        self._at_once = at_once
        self.copied = Copied()

    def run(self, versions: Iterable[Version], root: StorageRoot) -> Copied:
        """All of it.

        Raises:
            BackupBroken: one of the places does not do it now.
            BackupFailed: it is full, lets nobody in, or does not keep what was written.
        """
        with ThreadPoolExecutor(self._at_once) as pool:
            for some in batched(versions, AT_ONCE, strict=False):
                self._note(some, pool.map(self._version, some))
            for entries in batched(self._entries(lister_for(root)), AT_ONCE, strict=False):
                others = _others(entries)
                known = _checksums(root, others)
                self._note(others, pool.map(partial(self._entry, known=known), others))
        return self.copied

    def _note(self, some: Sequence[Version | Entry], outcomes: Iterable[_Outcome]) -> None:
        for each, outcome in zip(some, outcomes, strict=True):
            if outcome.kept is not None:
                self._add(outcome.kept)
            elif outcome.why_not:
                self.copied.left_out.append((each.key, outcome.why_not))
            elif isinstance(each, Version):
                self.copied.missing.append(each.key)
            if outcome.is_damaged:
                self.copied.damaged.append(each.key)
        self._told(self.copied)

    def _add(self, kept: KeptFile) -> None:
        self._files.add(kept)
        self.copied.files += 1
        self.copied.bytes += kept.size
        if (name := bytes.fromhex(kept.blob)) not in self._names:
            self._names.add(name)
            self._listed.add(self._blobs.of(kept.blob))

    def _entries(self, lister: Lister) -> Iterator[Entry]:
        for each in lister.listed():
            if isinstance(each, Anomaly):
                self.copied.left_out.append((each.key, each.detail))
            elif not each.key.endswith("/"):
                yield each

    # --- In threads, without the database -----------------------------------------------------------------------------

    def _version(self, version: Version) -> _Outcome:
        """The bytes that were uploaded, wherever they are; else what lies in their place."""
        name = self._blobs.name_of(version.sha256)
        kept = KeptFile(key=version.key, sha256=version.sha256, size=version.size, blob=name)
        try:
            _patiently(
                lambda: self._blobs.keep(name, version.sha256, lambda: self._storage.stream(version.key)), version.key
            )
        except ContentDiffers:
            return self._as_it_is(version.key, is_damaged=True)
        except NotFound:
            return _Outcome()
        except BackupFailed:
            raise
        except RunsheetError as error:
            return _Outcome(why_not=_why(error))
        return _Outcome(kept=kept)

    def _entry(self, entry: Entry, *, known: dict[str, str]) -> _Outcome:
        seen = Seen(size=entry.size, modified_ns=entry.modified_ns, etag=entry.etag)
        return self._as_it_is(entry.key, seen=seen, sha256=known.get(entry.key))

    def _as_it_is(
        self, key: str, *, seen: Seen | None = None, sha256: str | None = None, is_damaged: bool = False
    ) -> _Outcome:
        """Whatever lies there; it is read twice, since its name among the blobs is made of what it holds.

        Args:
            sha256: what the index knows; None: it is read.
        """
        for _ in range(TRIES):
            try:
                size, digest = (seen.size, sha256) if seen and sha256 else self._measured(key)
                name = self._blobs.name_of(digest)
                _patiently(partial(self._blobs.keep, name, digest, partial(self._storage.stream, key)), key)
            except ContentDiffers:  # somebody writes it just now, or the index does not know what it holds
                sha256 = None
                continue
            except NotFound:
                return _Outcome()
            except BackupFailed:
                raise
            except RunsheetError as error:
                return _Outcome(why_not=_why(error))
            kept = KeptFile(key=key, sha256=digest, size=size, blob=name, seen=seen)
            return _Outcome(kept=kept, is_damaged=is_damaged)
        return _Outcome(why_not="It was changed again and again while it was read.")

    def _measured(self, key: str) -> tuple[int, str]:
        found: tuple[int, str] = _patiently(lambda: measured(self._storage.stream(key)), key)
        return found


def lister_for(root: StorageRoot) -> Lister:
    """Who tells what lies in storage, if the root is there.

    Raises:
        BackupRefused: it is not: an empty disk would become an empty backup.
    """
    lister = lister_of(root)
    assert not reads_by_cursor(lister), "documents lie in a root that is listed"
    if root.marker and lister.marker() != root.marker:
        raise BackupRefused(
            f"What lies in storage is not the root “{root}”: its marker “.runsheet-root” is missing, or another's. See that the "
            "disk is mounted."
        )
    return lister


def _others(entries: Sequence[Entry]) -> list[Entry]:
    """What nobody knows but storage.

    A version is copied as such, if the moment has it; what is newer does not belong to it, and what is on its way or left over to
    nobody. Sidecars are written anew from the rows.
    """
    keys = [each.key for each in entries]
    # In one statement: an upload becomes a version, or a leftover, in one step.
    rows = [model._default_manager.filter(key__in=keys) for model in (DocumentVersion, Upload, Leftover)]
    first, *others = (each.values_list("key") for each in rows)
    known = first.union(*others).order_by()
    passed_over = {key for (key,) in known} | _sidecars(keys)
    return [each for each in entries if each.key not in passed_over]


def _sidecars(keys: Iterable[str]) -> set[str]:
    """Those of documents that have a row."""
    folders = {key: folder for key in keys if (folder := sidecars.folder_of(key))}
    there = dict(Document.objects.filter(pk__in=[pk for _, pk in folders.values()]).values_list("pk", "owner_id"))
    return {key for key, (owner, pk) in folders.items() if there.get(pk) == owner}


def _checksums(root: StorageRoot, entries: Sequence[Entry]) -> dict[str, str]:
    """Of those of which the index knows what they hold, as they are now."""
    rows = StoredFile.objects.filter(
        root=root, key__in=[each.key for each in entries], sha256__isnull=False, state=FileState.PRESENT
    )
    known = {
        key: (said, digest) for key, *said, digest in rows.values_list("key", "size", "modified_ns", "etag", "sha256")
    }
    now = {each.key: [each.size, each.modified_ns, each.etag] for each in entries}
    return {key: digest for key, (said, digest) in known.items() if digest and said == now[key]}


def _patiently[T](act: Callable[[], T], key: str) -> T:
    """Raises:
    BackupBroken: it did not work now, however often it was tried.
    RunsheetError: it will not.
    """
    try:
        return patiently(act)
    except Temporary as error:
        raise BackupBroken(
            f"{key} could not be copied: {error} Run the same command again, and it goes on with what is there.",
            evidence=error.evidence,
        ) from error


def _why(error: RunsheetError) -> str:
    """Raises:
    RunsheetError: it is of the whole backup, and not of one file.
    """
    if isinstance(error, Temporary):
        raise error
    return str(error)
