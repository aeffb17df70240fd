"""A root on the local disk, people who own what lies there, and runs that are worked on where they are started."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from redis import Redis

from storage.index import applying, listers, merging, planning, protectors, words
from storage.index import rows as paging
from storage.models import IndexRun, Occasion, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.storage.telling import KIND, Place, root_of
from tests.storage.trees import Tree

NO_GRACE = timedelta()


@pytest.fixture
def tree(tmp_path: Path, settings: Any, db: None) -> Tree:
    """The root "documents", an empty directory; user 7 and user 8 are there."""
    path = tmp_path / "documents"
    path.mkdir()
    settings.STORAGE_ROOTS = {"documents": {"kind": "files", "path": path, "owned": True}}
    with connection.cursor() as cursor:  # whoever is made beside them gets another number
        cursor.execute("SELECT setval('auth_user_id_seq', GREATEST(1000, nextval('auth_user_id_seq')))")
    for number in (7, 8):
        User.objects.get_or_create(pk=number, defaults={"username": f"user {number}"})
    return Tree(path)


type Index = Callable[..., IndexRun]


@pytest.fixture
def index(tree: Tree, redis: Redis) -> Index:
    """Runs the index to its end in this process: `index("full")`. Nothing has a grace, unless it is said."""

    def run(mode: str = "sync", **said: Any) -> IndexRun:
        service = IndexSyncService()
        started = service.start(mode=mode, **{"force": True, "grace": NO_GRACE, "rings": False, **said})
        return service.work(run_id=started.pk)

    return run


@pytest.fixture
def service(tree: Tree, redis: Redis) -> IndexSyncService:
    return IndexSyncService()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    in_batches(monkeypatch, 5)


def in_batches(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (merging, applying, paging, planning, words):
        monkeypatch.setattr(module, "BATCH", size)


@pytest.fixture
def protect() -> Iterator[Callable[..., None]]:
    """Lets something stand on the rows of these keys."""

    def register(*keys: str) -> None:
        ids = set(StoredFile.objects.filter(key__in=keys).values_list("pk", flat=True))
        protectors.register("test", lambda asked: {each: "A share link leads to it." for each in asked if each in ids})

    yield register
    protectors.forget("test")


def rows() -> dict[str, tuple[Any, ...]]:
    """What the index says lies there."""
    found = StoredFile.objects.filter(state="present")
    return {row.key: (row.size, row.modified_ns, row.is_directory) for row in found}


def states() -> dict[str, str]:
    return dict(StoredFile.objects.order_by("key").values_list("key", "state"))


def dump() -> list[tuple[Any, ...]]:
    """Every row as it stands in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM storage_storedfile ORDER BY id")
        return list(cursor.fetchall())


def changes(run: IndexRun) -> list[tuple[str, str]]:
    """What the run's plan says, in order."""
    return list(run.changes.order_by("number").values_list("action", "key"))


def anomalies(run: IndexRun) -> dict[str, str]:
    """Key and kind of what the run had to say."""
    return dict(run.changes.filter(action="anomaly").values_list("key", "etag"))


@pytest.fixture
def by_itself(settings: Any, tree: Tree, redis: Redis) -> None:
    """Runs begin as in production: a minute, a day and a week."""
    settings.STORAGE_LOOK_EVERY_S = 60
    settings.STORAGE_INCREMENTAL_EVERY_HOURS = 24
    settings.STORAGE_WHOLE_EVERY_DAYS = 7
    settings.STORAGE_LOOK_AT_START = True
    settings.STORAGE_RUNS_KEPT_DAYS = 90


def began() -> list[tuple[str, bool, str]]:
    """Mode, whether incremental, and occasion of all runs, the first one first."""
    return list(IndexRun.objects.order_by("pk").values_list("mode", "incremental", "occasion"))


def worked() -> IndexRun:
    """The run that has just begun, at its end."""
    return IndexSyncService().work(run_id=IndexRun.objects.latest("pk").pk)


def later(passed: timedelta) -> None:
    IndexRun.objects.update(created_at=F("created_at") - passed)


@pytest.fixture
def place(db: None, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Place:
    """What the root "archives" of an app is read from, by a cursor."""
    made = Place()
    monkeypatch.setattr(listers, "_makers", {**listers._makers, KIND: lambda _root: made})
    root_of()
    return made


@pytest.fixture
def read(place: Place) -> Index:
    """Runs over it to their end, in this process: `read("sync")`, or `read(incremental=True)`."""

    def run(mode: str = "sync", **said: Any) -> IndexRun:
        service = IndexSyncService()
        wishes = {"root": "archives", "force": True, "grace": NO_GRACE, "rings": False, **said}
        return service.work(run_id=service.start(mode=mode, **wishes).pk)

    return run


def told_rows() -> dict[str, tuple[Any, ...]]:
    """All that the rows say of what lies there, as `Place.oracle` has it."""
    found = StoredFile.objects.filter(state="present")
    return {row.key: (row.size, row.modified_ns, row.etag, row.name) for row in found}


def archives() -> StorageRoot:
    """The root as it stands."""
    return StorageRoot.objects.get(name="archives")


@pytest.fixture
def indexed(tree: Tree, index: Index) -> Tree:
    """A root that was brought up to date just now, as the schedule would have done it."""
    tree.put("7/a.pdf")
    tree.settle()
    index(occasion=Occasion.SCHEDULE)
    return tree
