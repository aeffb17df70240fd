"""Each thing that the index is measured at. Imported once Django is ready."""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from storage.index import listers
from storage.index.objects import ObjectWalk
from storage.services import IndexSyncService

logging.getLogger().setLevel(logging.ERROR)
BATCH = 5_000
EVERY = 10  # one file of so many is changed
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
