"""Each thing that the index is measured at. Imported once Django is ready."""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from storage.index import listers
from storage.index.entries import CursorPage, Entry, Gone
from storage.index.objects import ObjectWalk
from storage.models import StorageRoot
from storage.services import IndexSyncService

logging.getLogger().setLevel(logging.ERROR)
BATCH = 5_000
EVERY = 10  # one file of so many is changed
PAGE, DELTA, IN_FOLDER = 2_000, 10_000, 20
STRIDE = 7_919  # no divisor of a round number
SECOND_NS = 1_000_000_000


def first(root: Path) -> Mapping[str, float]:
    """The first sync."""
    for number in range(1, 11):
        User.objects.get_or_create(pk=number, defaults={"username": f"user {number}"})
    found = _run(root, mode="sync")
    with connection.cursor() as cursor:  # as autovacuum does a minute later
        cursor.execute("VACUUM ANALYZE storage_storedfile")
        cursor.execute("VACUUM ANALYZE storage_indexchange")
    return found


def audit(root: Path) -> Mapping[str, float]:
    """A run that finds nothing to do."""
    return _run(root, mode="audit")


def incremental(root: Path) -> Mapping[str, float]:
    """The same by the time of directories."""
    return _run(root, mode="audit", incremental=True)


def changed(root: Path) -> Mapping[str, float]:
    """One of ten files is another one; the times go up and down, so that the tree can be measured again."""
    for directory in root.glob("*/*"):
        for scan in range(0, 1_000, EVERY):
            path = directory / f"scan-{scan:06}.pdf"
            later = path.stat().st_mtime_ns + SECOND_NS
            os.utime(path, ns=(later, later))
    with _counted() as statements:
        found = _run(root, mode="sync")
    batches = found["files"] / BATCH
    return {**found, "statements_per_5000_rows": round(statements() / batches, 1)}


def objects(_root: Path, *, count: int = 100_000) -> Mapping[str, float]:
    """An audit of an object store, by what a bare listing takes."""
    from bench.stores import seaweedfs  # noqa: PLC0415 - not everybody has its package

    keys = [f"{number % 10 + 1}/folder {number // 1_000:03}/scan-{number:06}.pdf" for number in range(count)]
    from storage.backends.s3 import S3Storage  # noqa: PLC0415

    with TemporaryDirectory() as directory, seaweedfs(Path(directory), empty_files=keys) as store:
        storage = S3Storage(**store.options)
        listers.register("bench", lambda _root: ObjectWalk(storage))
        settings.STORAGE_ROOTS["objects"] = {"kind": "bench", "owned": True}
        _service("objects", mode="sync")
        began = perf_counter()
        deque(storage.listing(), maxlen=0)
        bare_s = perf_counter() - began
        found = _service("objects", mode="audit")
    return {**found, "bare_s": bare_s, "ratio": round(found["run_s"] / bare_s, 3)}


def told(root: Path) -> Mapping[str, float]:
    """The first listing of a root that is read by a cursor, told from memory: nothing is asked over a network."""
    return _told(int(root.parent.name))


def told_delta(root: Path) -> Mapping[str, float]:
    """Ten thousand entries behind it: files that are new, that are others, that went, and a folder that was moved."""
    with connection.cursor() as cursor:  # as autovacuum does a minute later
        cursor.execute("VACUUM ANALYZE storage_storedfile")
    with _counted() as statements:
        found = _told(int(root.parent.name), incremental=True)
    return {**found, "statements": statements()}


class Cloud:
    """Tells of so many entries, one of twenty a folder, in no order of ours."""

    def __init__(self, count: int) -> None:
        self.count = count

    def marker(self) -> str:
        return "id:bench"

    def pages(self, cursor: str) -> Iterator[CursorPage]:
        told = self._changes() if cursor == "end" else map(self._entry, self._numbers(int(cursor or 0)))
        at = int(cursor or 0) if cursor != "end" else 0
        for page in batched(told, PAGE, strict=False):
            at += len(page)
            is_end = at == (DELTA if cursor == "end" else self.count)
            yield CursorPage(page, "end" if is_end else str(at), not is_end)

    def _numbers(self, begin: int) -> Iterator[int]:
        return (number * STRIDE % self.count for number in range(begin, self.count))

    def _entry(self, number: int, *, of: str = "lease", size: int = 1_000) -> Entry:
        lease, place = divmod(number, IN_FOLDER)
        folder, mark = f"{of} {lease:07}", f"id:{number:018}"
        if not place:
            return Entry(f"{folder}/", 0, 0, mark, folder.title())
        name = f"Scan {place:02}.pdf"
        return Entry(f"{folder}/{name.lower()}", size, number * SECOND_NS, f"{mark} rev:{number:015}{size}", name)

    def _changes(self) -> Iterator[Entry | Gone]:
        """Of the last folders first, each a quarter."""
        part = DELTA // 4
        for number in range(part):
            changed = self._entry(number * IN_FOLDER + 1)
            yield changed._replace(size=2_000, etag=f"{changed.etag}0")
        for number in range(part):
            yield Gone(self._entry(number * IN_FOLDER + 2).key)
        for number in range(part):
            yield self._entry(number + self.count, of="new lease")
        yield Gone(self._entry(self.count // 2)[0])
        for number in range(part - 1):
            yield self._entry(self.count // 2 + number % IN_FOLDER, of="moved lease")


def _told(count: int, **said: Any) -> dict[str, float]:
    listers.register("bench", lambda _root: Cloud(count))
    StorageRoot.objects.get_or_create(name=f"told-{count}", declaration={"kind": "bench", "title": "Told"})
    return _service(f"told-{count}", mode="sync", **said)


def _run(root: Path, **said: Any) -> dict[str, float]:
    settings.STORAGE_ROOTS[root.parent.name] = {"kind": "files", "path": root, "owned": True}
    return _service(root.parent.name, **said)


def _service(root: str, **said: Any) -> dict[str, float]:
    service = IndexSyncService()
    began = perf_counter()
    started = service.start(root=root, rings=False, **said)
    run = service.work(run_id=started.pk)
    took_s = perf_counter() - began
    if run.state not in {"done", "planned"}:
        raise SystemExit(f"The run ended as {run.state}: {run.refusal or run.failure_message}")
    seconds = {f"{phase}_s": float(s) for phase, s in run.counts["seconds"].items()}
    return {"run_s": round(took_s, 3), "files": run.counts.get("files_on_disk", 0), **seconds}


@contextmanager
def _counted() -> Iterator[Callable[[], int]]:
    """How many statements were executed in the body."""
    count = 0

    def noting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(noting):
        yield lambda: count
