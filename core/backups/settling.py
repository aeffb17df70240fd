"""What follows once files and rows are there: that they fit each other, as if nothing had happened."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core.backups.copying import AT_ONCE
from core.backups.lists import KeptFile
from core.backups.manifest import Manifest
from core.base.database import update_all
from documents import sidecars
from documents.errors import DocumentsMoved
from documents.models import Document, Move
from documents.services import writing
from documents.services.in_charge import require_here
from statemachine.transitions import TERMINAL
from storage.backends import Storage
from storage.index.entries import Entry
from storage.index.listers import Lister, lister_of, reads_by_cursor
from storage.index.walking import MARKER
from storage.models import ACTIVE, FileState, IndexRun, Mode, StorageRoot, StoredFile
from storage.services import IndexSyncService, RunReport

LASTS_S = 60
OWED = """
INSERT INTO documents_owedsidecar (document_id, quota_id)
SELECT id, NULL FROM documents_document UNION ALL SELECT NULL, id FROM documents_quota WHERE limit_bytes IS NOT NULL
"""

type Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the index says in the end.

    Attributes:
        synced: what the rows lacked: what people have laid into storage since it was looked through last, for example.
        audited: the comparison after that.
    """

    synced: RunReport
    audited: RunReport

    @property
    def is_in_sync(self) -> bool:
        return self.audited.in_sync and not self.audited.why


def migrate(manifest: Manifest) -> None:
    """Bring the tables up to date, if an older Runsheet has made them."""
    had = {(app, name) for app, names in manifest.migrations.items() for name in names}
    if set(MigrationLoader(None).disk_migrations) - had:
        call_command("migrate", interactive=False, verbosity=0)
    ContentType.objects.clear_cache()


def fit_rows(storage: Storage, root: StorageRoot, files: Iterable[KeptFile], *, at_once: int) -> None:
    """Let the rows of files that lie there as they did say the times and the etags that these have now.

    Else each of them would seem to have been changed by somebody, and be verified again. Of directories nobody knows what they
    were like, so the next run makes their rows anew.
    """
    _be_in_charge()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storage_storedfile WHERE root_id = %s AND is_directory", [root.pk])
    lister = lister_of(root)
    assert not reads_by_cursor(lister), "documents lie in a root that is listed"
    with ThreadPoolExecutor(at_once) as pool:
        for some in batched(files, AT_ONCE, strict=False):
            _fit(root, some, lister, pool)
            _clear_sidecars(storage, some)


def write_beside(storage: Storage, root: StorageRoot) -> None:
    """Write what stands beside the files anew from the rows, and at last the marker, by which the root is there."""
    with connection.cursor() as cursor:
        cursor.execute(OWED)
    while writing.write_owed(lasts_s=LASTS_S):
        pass
    if root.marker:
        storage.put(MARKER, [f"{root.marker}\n".encode()], content_type="text/plain")


def compare(root: StorageRoot, *, told: Told) -> Settled:
    """Bring the index up to date with what people had laid there, and look whether it is."""
    service = IndexSyncService(instead=TERMINAL)
    for run in IndexRun.objects.filter(
        root=root, state__in=ACTIVE
    ):  # whatever it was planning, it was about what is gone
        service.abort(run_id=run.pk)
    reports = []
    for mode in (Mode.SYNC, Mode.AUDIT):
        told(f"The index: {mode}")
        run = service.start(mode=mode, root=root.name, rings=False)
        reports.append(RunReport.of(service.work(run_id=run.pk)))
    return Settled(synced=reports[0], audited=reports[1])


def _be_in_charge() -> None:
    """They lie here now, wherever they have moved before."""
    try:
        require_here()
    except DocumentsMoved:
        Move.objects.all().delete()


def _fit(root: StorageRoot, files: Sequence[KeptFile], lister: Lister, pool: ThreadPoolExecutor) -> None:
    kept = {each.key: each for each in files}
    rows = StoredFile.objects.filter(root=root, key__in=list(kept), state=FileState.PRESENT, is_directory=False)
    same = [row for row in rows if _is_as_seen(row, kept[row.key])]
    changed = list(_now(same, pool.map(lister.look, [row.key for row in same])))
    if changed:
        update_all(changed, [field for field in StoredFile._meta.fields if field.name in {"modified_ns", "etag"}])


def _is_as_seen(row: StoredFile, kept: KeptFile) -> bool:
    """Whether the row is of the content that was kept; what it did not know yet, the index is to find out."""
    if kept.seen is None:
        return row.size == kept.size
    return (row.size, row.modified_ns, row.etag) == (kept.seen.size, kept.seen.modified_ns, kept.seen.etag)


def _now(rows: Iterable[StoredFile], found: Iterable[object]) -> Iterator[StoredFile]:
    for row, entry in zip(rows, found, strict=True):
        if isinstance(entry, Entry) and entry.size == row.size:
            row.modified_ns, row.etag = entry.modified_ns, entry.etag
            yield row


def _clear_sidecars(storage: Storage, files: Iterable[KeptFile]) -> None:
    """Those of documents that were deleted while the backup went on, and are back: their rows hold."""
    for each in files:
        folder = sidecars.folder_of(each.key)
        if folder and Document.objects.filter(owner=folder[0], pk=folder[1]).exists():
            storage.delete(each.key)
