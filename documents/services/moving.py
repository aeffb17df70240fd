"""All that lies in storage goes from one place to another, while people go on with their work.

First everything is copied, again and again until little is new. Then, for the last of it, nobody writes for a moment, and the
target takes the source's part: in one transaction, so that whoever dies anywhere leaves either the one or the other in charge
(`documents.services.in_charge`). The source stays as it is. What lies in the target was read there, and has the SHA-256 of what
was read from the source; whether that is what its version says is told, and moved as it is.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from itertools import batched
from typing import Final

from django.db import connection

from core.base.errors import RunsheetError, Temporary
from documents.errors import CopyDiffers, MoveBroken
from documents.models import DocumentVersion, Leftover, Move, MovedFile, Upload
from documents.services.receiving import STORED_AS
from storage.backends import Storage
from storage.backends.errors import NotFound
from storage.backends.keys import check_key
from storage.backends.stored import Stored
from storage.index.walking import MARKER

# So many rows are looked up, and noted, with one statement.
AT_ONCE: Final = 500
# How often one file is tried before the whole move stops, and how long is waited after the first time; then twice as long.
TRIES, FIRST_PAUSE_S = 5, 1.0
# Whoever has so many files that cannot be moved is told of these, and no more are tried.
TROUBLES_AT_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A file that cannot be moved, and why."""

    key: str
    why: str


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far it is.

    Attributes:
        seen, seen_bytes: what the present pass has found in the source.
        held: how many of these lie in the target.
        copied, copied_bytes: by this command, in all its passes.
        troubles: of the present pass.
    """

    seen: int = 0
    seen_bytes: int = 0
    held: int = 0
    copied: int = 0
    copied_bytes: int = 0
    troubles: list[Trouble] = field(default_factory=list)


type Told = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copier:
    """Copies what is not there yet, or has changed since.

    Attributes:
        at_once: so many files are on their way side by side.
        told: hears after each batch; what it raises ends the move.
    """

    move: Move
    source: Storage
    target: Storage
    told: Told
    at_once: int = 4
    progress: Progress = field(default_factory=Progress)

    def run(self) -> int:
        """Look through the whole source once, and copy what has to be; how many files that were.

        Raises:
            MoveBroken: storage does not do it now.
            Denied, Throttled, Unavailable: the source does not say what it holds.
        """
        before = self.progress.copied
        self.progress.seen = self.progress.seen_bytes = self.progress.held = 0
        self.progress.troubles.clear()
        with ThreadPoolExecutor(self.at_once) as pool:
            for some in batched(self._listed(), AT_ONCE, strict=False):
                self._copy(some, pool)
                self.told(self.progress)
                if len(self.progress.troubles) >= TROUBLES_AT_MOST:
                    break
            else:
                self._follow_deletions()
        return self.progress.copied - before

    def _listed(self) -> Iterator[Stored]:
        return (each for each in self.source.listing() if each.key != MARKER)

    def _copy(self, some: Sequence[Stored], pool: ThreadPoolExecutor) -> None:
        self.progress.seen += len(some)
        self.progress.seen_bytes += sum(each.size for each in some)
        due, unchanged = _due(self.move, some)
        self.progress.held += unchanged
        known = _checksums(each.key for each in due)
        rows = []
        for row in pool.map(partial(self._moved, known=known), due):
            if isinstance(row, Trouble):
                self.progress.troubles.append(row)
            elif row:
                rows.append(row)
                self.progress.held += 1
                self.progress.copied += 1
                self.progress.copied_bytes += row.size
        changed = ["size", "modified_ns", "etag", "sha256", "is_damaged"]
        MovedFile.objects.bulk_create(rows, update_conflicts=True, unique_fields=["move", "key"], update_fields=changed)

    def _follow_deletions(self) -> None:
        """Take away copies of what is not in the source any more; only what this move has put there."""
        if self.progress.held == self.move.files.count():
            return
        for some in batched(self.move.files.values_list("key", flat=True).iterator(), AT_ONCE, strict=False):
            for key in some:
                if not self.source.exists(key):
                    self.target.delete(key)
                    self.move.files.filter(key=key).delete()

    def _moved(self, found: Stored, *, known: Mapping[str, str]) -> MovedFile | Trouble | None:
        """In a thread of its own, without the database. None: it is not there any more."""
        try:
            check_key(found.key)
            digest = patiently(partial(self._copied, found.key, is_version=found.key in known))
        except NotFound:
            return None
        except Temporary as error:
            raise MoveBroken(
                f"{found.key} could not be moved: {error} Nothing is lost: run the same command again, and it goes on where it has "
                "stopped.",
                evidence=error.evidence,
            ) from error
        except RunsheetError as error:
            return Trouble(key=found.key, why=str(error))
        return MovedFile(
            move=self.move,
            key=found.key,
            size=found.size,
            modified_ns=found.modified_ns,
            etag=found.etag,
            sha256=digest,
            is_damaged=known.get(found.key, digest) != digest,
        )

    def _copied(self, key: str, *, is_version: bool) -> str:
        """Its SHA-256, in both places.

        Raises:
            NotFound: the source has it no more.
            CopyDiffers: and the target has something else.
            RunsheetError: one of them does not do it.
        """
        content = self.source.stream(key)
        written = self.target.put(key, content, content_type=STORED_AS if is_version else "")
        digest = sha256()
        try:
            for piece in self.target.stream(key):
                digest.update(piece)
        except NotFound as error:
            raise CopyDiffers(evidence={"key": key}) from error
        if digest.hexdigest() != written.sha256:
            raise CopyDiffers(evidence={"key": key, "read": written.sha256, "written": digest.hexdigest()})
        return written.sha256


def _due(move: Move, some: Sequence[Stored]) -> tuple[list[Stored], int]:
    """Those that are to be copied, and how many lie there as they are now. What is on its way, or is to be deleted, is neither."""
    keys = [each.key for each in some]
    rows = move.files.filter(key__in=keys).values_list("key", "size", "modified_ns", "etag")
    there = {key: (size, modified_ns, etag) for key, size, modified_ns, etag in rows}
    new = [each for each in some if there.get(each.key) != (each.size, each.modified_ns, each.etag)]
    passed_over = _passed_over([each.key for each in new])
    return [each for each in new if each.key not in passed_over], len(some) - len(new)


def _passed_over(keys: Sequence[str]) -> set[str]:
    """In one statement: an upload that comes to nothing becomes a leftover in one step.

    What becomes a version in the next moment is copied by the next pass; no pass is the last one while uploads go on.
    """
    uploads = Upload.objects.filter(key__in=keys).values_list("key")
    leftovers = Leftover.objects.filter(key__in=keys).values_list("key")
    found = set(_keys(uploads.union(leftovers)))
    return found - set(_keys(DocumentVersion.objects.filter(key__in=found).values_list("key")))


def _keys(found: Iterable[tuple[str]]) -> Iterator[str]:
    return (key for (key,) in found)


def _checksums(keys: Iterable[str]) -> dict[str, str]:
    return dict(DocumentVersion.objects.filter(key__in=list(keys)).values_list("key", "sha256"))


def patiently[T](act: Callable[[], T]) -> T:
    """Do it, and again after a while where it may work then.

    Raises:
        RunsheetError: it did not.
    """
    for tries in range(TRIES - 1):
        try:
            return act()
        except Temporary as error:
            time.sleep(max(error.retry_after_s or 0, FIRST_PAUSE_S * 2**tries))
    return act()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarks:
    """What is not as it should be, and is so in both places.

    Attributes:
        damaged: the keys of files that are not what was uploaded.
        missing: the keys of versions whose file is not there.
    """

    damaged: tuple[str, ...]
    missing: tuple[str, ...]


def remarks(move: Move) -> Remarks:
    """What is wrong with what has moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT v.key FROM documents_documentversion v WHERE NOT EXISTS"
            " (SELECT FROM documents_movedfile f WHERE f.move_id = %s AND f.key = v.key) ORDER BY 1",
            [move.pk],
        )
        missing = tuple(key for (key,) in cursor.fetchall())
    damaged = tuple(move.files.filter(is_damaged=True).order_by("key").values_list("key", flat=True))
    return Remarks(damaged=damaged, missing=missing)


def lost(move: Move, target: Storage) -> list[Trouble]:
    """What was copied and does not lie in the target as it was: somebody was at it meanwhile.

    Its copy is forgotten, so that the next pass makes another one.
    """
    there = 0
    wrong: list[str] = []
    for some in batched(target.listing(), AT_ONCE, strict=False):
        sizes = {each.key: each.size for each in some}
        found = dict(move.files.filter(key__in=list(sizes)).values_list("key", "size"))
        there += len(found)
        wrong += [key for key, size in found.items() if size != sizes[key]]
    if there != move.files.count():  # only now is it worth asking for each
        wrong += [key for key in move.files.values_list("key", flat=True).iterator() if not target.exists(key)]
    move.files.filter(key__in=wrong).delete()
    return [Trouble(key=key, why="its copy was taken away or replaced by somebody") for key in wrong]
