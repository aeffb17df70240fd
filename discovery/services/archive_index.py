"""What is known of a folder of archives without asking Dropbox: the index that one account has read, while it is fresh.

It is asked for many archives at once. It says nothing where comparing is not safe, and nothing for another account.
"""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Now

from cloud.models import DropboxAccount, Folded
from core.base.folding import fold_case
from discovery.models import ArchiveWatch
from discovery.services.entry_marks import Mark
from leases.models import Origin
from storage.models import ACTIVE, IndexRun, Mode

NANOSECONDS = 1_000_000_000
# What is polled every five minutes is read a little later than that; until then it is fresh.
LATE_AT_MOST = timedelta(minutes=1)
# A run that is owed so long and that nobody works on has no worker.
TAKEN_UP_WITHIN = timedelta(seconds=10)
# Looks at Dropbox follow one another in no less than seconds.
READ_AT_MOST = 3
# The archives that were asked for, and what lies directly in them: each by its key, even before the database has counted
# what lies in a folder that was read a moment ago.
ARCHIVES = """
SELECT file.key, file.name, file.is_directory, file.size, file.modified_ns, file.etag, file.changed_at
FROM unnest(%(keys)s::text[]) AS given(key) CROSS JOIN LATERAL (
    SELECT key, name, is_directory, size, modified_ns, etag, changed_at FROM storage_storedfile
    WHERE root_id = %(root)s AND state = 'present' AND key = ANY (ARRAY[given.key, given.key || '/'])
    UNION ALL
    SELECT key, name, is_directory, size, modified_ns, etag, changed_at FROM storage_storedfile
    WHERE root_id = %(root)s AND state = 'present' AND key > given.key || '/' AND key < given.key || '0'
        AND NOT is_directory AND position('/' IN substr(key, length(given.key) + 2)) = 0
) file
"""
# Where nothing but that is to be known: under which of them no directory lies, and whether a file does.
ABSENT = """
SELECT given.key, file.is_directory IS NOT NULL FROM unnest(%(keys)s::text[]) AS given(key) LEFT JOIN LATERAL (
    SELECT is_directory FROM storage_storedfile
    WHERE root_id = %(root)s AND state = 'present' AND key = ANY (ARRAY[given.key, given.key || '/'])
    ORDER BY is_directory DESC LIMIT 1
) file ON true WHERE file.is_directory IS NOT TRUE
"""
# Who has ever read that a directory lies there under that name, be it there by now or not; what is there first.
REMEMBERED = """
SELECT DISTINCT ON (given.name) given.name, watch.account_id, watch.path_root, watch.namespace, file.etag
FROM discovery_archivewatch watch CROSS JOIN unnest(%(names)s::text[], %(keys)s::text[]) AS given(name, key)
CROSS JOIN LATERAL (
    SELECT etag, state FROM storage_storedfile WHERE root_id = watch.root_id AND key = given.key || '/' LIMIT 1
) file
WHERE dropbox_fold(watch.base_path) = dropbox_fold(%(base_path)s)
ORDER BY given.name, file.state = 'present' DESC, watch.account_id = %(account)s DESC
"""
# From each entry of the folder straight to the next, past whatever lies below it, be the row of its directory there or not.
NAMES = """
WITH RECURSIVE entry AS (
    (SELECT key, name, state FROM storage_storedfile WHERE root_id = %(root)s ORDER BY key LIMIT 1)
    UNION ALL
    SELECT beside.* FROM entry, LATERAL (
        SELECT file.key, file.name, file.state FROM storage_storedfile file
        WHERE file.root_id = %(root)s
            AND file.key >= split_part(entry.key, '/', 1)
                || CASE WHEN position('/' IN entry.key) > 0 THEN '0' ELSE chr(1) END
        ORDER BY file.key LIMIT 1
    ) beside
)
SELECT name FROM entry WHERE position('/' IN key) = length(key) AND state = 'present'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFile:
    """A file that lies directly in an archive.

    Attributes:
        modified_at: aware.
    """

    name: str
    size_bytes: int
    modified_at: datetime
    file_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedArchive:
    """An archive as the index knows it.

    Attributes:
        name: as Dropbox shows it.
        is_directory: else a file has the name of a lease, which Dropbox is asked about.
        namespace: the shared folder that it is, or lies in; empty where it lies in none.
        is_partial: the account sees only a part of it, so that what the index lacks may be there all the same.
        changed_at: when the index learned what it says of the archive itself, so also that it is seen in part only.
        files: directly in it, in the order of their folded names.
    """

    name: str
    is_directory: bool
    folder_id: str
    namespace: str
    is_partial: bool
    changed_at: datetime
    files: tuple[IndexedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveIndex:
    """One folder of archives, as one account has read it.

    Attributes:
        read_at: what it says was so at this instant.
        is_being_read: a worker is bringing it up to date just now.
    """

    watch: ArchiveWatch
    read_at: datetime | None
    is_fresh: bool
    is_being_read: bool

    def archives(self, names: Collection[str]) -> dict[str, IndexedArchive | None]:
        """What lies there under these names; None: nothing does. One statement, however many are asked for.

        A name that may be compared otherwise at Dropbox than here is left out, unless something lies there under it.
        """
        keys = {name: folded(name) for name in names}
        found = _archives(self.watch, set(keys.values()))
        return {name: found.get(key) for name, key in keys.items() if key in found or name.isascii()}

    def absent(self, names: Collection[str]) -> tuple[list[str], frozenset[str]]:
        """Those of the names under which nothing lies there, in their order; and those of which it cannot be told.

        These are names that `archives` leaves out, and files that have the name of a lease.
        """
        keys = {name: folded(name) for name in names}
        with connection.cursor() as cursor:
            cursor.execute(ABSENT, {"root": self.watch.root_id, "keys": list(set(keys.values()))})
            is_file: dict[str, bool] = dict(cursor.fetchall())
        without = {name: is_file[key] for name, key in keys.items() if key in is_file}
        absent = [name for name, has_file in without.items() if name.isascii() and not has_file]
        return absent, frozenset(without.keys() - set(absent))

    def names(self) -> list[str]:
        """Of all archives, as Dropbox shows them, in the order of their folded names."""
        with connection.cursor() as cursor:
            cursor.execute(NAMES, {"root": self.watch.root_id})
            return [name for (name,) in cursor.fetchall()]

    def evidence(self, *, path: str) -> dict[str, Any]:
        """What to record about an answer: whose index, of what time, up to which place of Dropbox's own record."""
        return {
            "account": self.watch.account_id,
            "path_root": self.watch.path_root,
            "path": path,
            "answer": "index",
            "read_at": self.read_at.isoformat() if self.read_at else "",
            "cursor": cursor_name(self.watch.root.cursor),
        }


def index_of(*, account: DropboxAccount, base_path: str, poll_minutes: int) -> ArchiveIndex | None:
    """The index that an account has of a folder; None if nobody has begun to read it. One query.

    It is fresh if it was read within the period, no notification has come since, and no run is changing it.
    """
    watches = _watches(account_id=account.account_id, path_root=account.root_namespace_id, base_path=base_path)
    runs = _active_runs()
    found = watches.annotate(
        database_now=Now(), active=Exists(runs), worked_at=Exists(runs.filter(_is_worked_at()))
    ).first()
    if found is None:
        return None
    read_at = found.root.read_at
    is_late = read_at is None or found.database_now - read_at > timedelta(minutes=poll_minutes) + LATE_AT_MOST
    is_told = read_at is not None and account.changed_at is not None and account.changed_at > read_at
    return ArchiveIndex(
        watch=found,
        read_at=read_at,
        is_fresh=not (is_late or is_told or found.active),
        is_being_read=found.worked_at,
    )


def read_undisturbed[T](
    index: ArchiveIndex | None, read: Callable[[ArchiveIndex], T], *, again: Callable[[], ArchiveIndex | None]
) -> tuple[ArchiveIndex, T] | None:
    """What several statements read of an index while nobody changed it, and which index that was.

    Whoever has looked at Dropbox meanwhile, and be it that nothing was new, has begun another time of reading; then it is
    read once more rather than not at all, since else a whole set of leases would ask Dropbox one by one.

    Args:
        again: the same index as it is now.

    Returns:
        None if there is no fresh one, or it is being changed all the time.
    """
    for _ in range(READ_AT_MOST):
        if index is None or not index.is_fresh:
            return None
        found = read(index)
        now = again()
        if now is not None and now.is_fresh and now.read_at == index.read_at:
            return index, found
        index = now
    return None


def watch_of(*, account_id: str, path_root: str, base_path: str) -> ArchiveWatch | None:
    """The watch of a folder by an account, with its root; None if there is none. One query."""
    return _watches(account_id=account_id, path_root=path_root, base_path=base_path).first()


def remembered(names: Collection[str], *, base_path: str, account_id: str) -> dict[str, Origin]:
    """Whom it is known from, by the names, that archives lay in a folder: whoever has read that, and has not forgotten the rows.

    An account that has lost sight of an archive is told the same as if that were deleted. One statement.

    Args:
        account_id: who asks; of several who know, that one comes first.
    """
    given: dict[str, Any] = {"names": list(names), "keys": [folded(name) for name in names]}
    with connection.cursor() as cursor:
        cursor.execute(REMEMBERED, given | {"base_path": base_path, "account": account_id})
        rows = cursor.fetchall()
    found = {}
    for name, account, path_root, namespace, etag in rows:
        mark = Mark.read(etag)
        within = mark.namespace or namespace
        found[name] = Origin(
            base_path=base_path,
            account=account,
            path_root=path_root,
            namespace="" if within == path_root else within,
            folder_id=mark.file_id,
        )
    return found


def folded(name: str) -> str:
    """What the index finds a name by."""
    return fold_case(unicodedata.normalize("NFC", name))


def cursor_name(cursor: str) -> str:
    """A short name of a cursor, which is long and secret; empty where there is none."""
    return sha256(cursor.encode()).hexdigest()[:12] if cursor else ""


def _watches(*, account_id: str, path_root: str, base_path: str) -> QuerySet[Any]:
    """One at most; found by the index that keeps them apart."""
    of_account = ArchiveWatch.objects.filter(account_id=account_id, path_root=path_root)
    return of_account.alias(at=Folded("base_path")).filter(at=Folded(Value(base_path))).select_related("root")


def _active_runs() -> QuerySet[IndexRun]:
    """Those that bring rows up to date; who only compares changes none."""
    runs = IndexRun.objects.filter(root=OuterRef("root"), state__in=sorted(ACTIVE), dry_run=False)
    return runs.exclude(mode=Mode.AUDIT)


def _is_worked_at() -> Q:
    """A worker has it, or is about to: where none listens to its queue, nobody has to wait for it."""
    return Q(claimed_until__gt=Now()) | Q(due_at__gt=Now() - TAKEN_UP_WITHIN)


def _archives(watch: ArchiveWatch, keys: Collection[str]) -> Mapping[str, IndexedArchive]:
    with connection.cursor() as cursor:
        cursor.execute(ARCHIVES, {"root": watch.root_id, "keys": list(keys)})
        rows = cursor.fetchall()
    files: dict[str, list[IndexedFile]] = {}
    tops: dict[str, tuple[str, bool, Mark, datetime]] = {}
    for key, name, is_directory, size, modified_ns, etag, changed_at in sorted(rows):
        top, _, rest = key.partition("/")
        mark = Mark.read(etag)
        if rest:
            files.setdefault(top, []).append(_file(name, size, modified_ns, mark))
        else:
            tops[top] = (name, is_directory, mark, changed_at)
    return {
        top: IndexedArchive(
            name=name,
            is_directory=is_directory,
            folder_id=mark.file_id,
            namespace=mark.namespace or watch.namespace,
            is_partial=mark.is_partial,
            changed_at=changed_at,
            files=tuple(files.get(top, ())),
        )
        for top, (name, is_directory, mark, changed_at) in tops.items()
    }


def _file(name: str, size: int, modified_ns: int, mark: Mark) -> IndexedFile:
    at = datetime.fromtimestamp(modified_ns // NANOSECONDS, tz=UTC)
    return IndexedFile(name=name, size_bytes=size, modified_at=at, file_id=mark.file_id)
