"""Roots in an object store: a gateway with a listing, here over the local disk, in our order and in another one."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.backends.errors import Denied, NotFound, Unavailable
from storage.backends.local import LocalStorage
from storage.backends.stored import Stored
from storage.index import listers
from storage.index.entries import EARLIEST_NS, LATEST_NS
from storage.index.objects import ObjectWalk
from storage.models import ListedEntry, StoredFile
from tests.storage.conftest import Index, anomalies, changes, in_batches, states
from tests.storage.trees import Tree

pytestmark = pytest.mark.django_db


class Bucket(LocalStorage):
    """A local back-end that lists as an object store may.

    Attributes:
        is_backwards: its order is not ours.
        foreign: keys that somebody has laid there by other means.
        fails_at: its listing breaks off at this key, once.
    """

    is_backwards = False
    foreign: tuple[Stored, ...] = ()
    fails_at = ""
    denies_reading = denies_writing = is_without_marker = False

    def _listing(self, prefix: str, after: str) -> Iterator[Stored]:
        found = [each for each in super()._listing(prefix, "") if not each.key.startswith(".incoming")]
        found = sorted([*found, *self.foreign], reverse=self.is_backwards)
        keys = [each.key for each in found]
        begin = keys.index(after) + 1 if after in keys else 0
        for each in found[begin:]:
            if each.key == self.fails_at:
                self.fails_at = ""
                raise Unavailable
            yield each._replace(etag=f"etag of {each.size} {each.modified_ns}")

    def _stat(self, key: str) -> Stored:
        found = super()._stat(key)
        return found._replace(etag=f"etag of {found.size} {found.modified_ns}")

    def _stream(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        if self.denies_reading:
            raise Denied
        if self.is_without_marker:
            raise NotFound
        return super()._stream(key, start, end)

    def _put(self, key: str, chunks: Iterable[bytes], **said: Any) -> None:
        if self.denies_writing:
            raise Denied
        super()._put(key, chunks, **said)


@pytest.fixture
def bucket(tree: Tree, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket(directory=str(tree.path))
    monkeypatch.setattr(listers, "_makers", {"bucket": lambda _root: ObjectWalk(made)})
    settings.STORAGE_ROOTS = {"documents": {"kind": "bucket", "owned": True}}
    return made


class TestObjects:
    def test_are_rows_without_directories(self, tree: Tree, bucket: Bucket, index: Index) -> None:
        tree.put("7/a", "7/b/c", "8/d")

        run = index("sync")

        assert run.state == "done", run.refusal or run.failure_message
        assert sorted(states()) == ["7/a", "7/b/c", "8/d"]
        assert changes(index("sync")) == []
        assert StoredFile.objects.get(key="7/a").etag.startswith("etag of 4 ")

    def test_that_are_gone_are_looked_at_once_more_and_deleted(self, tree: Tree, bucket: Bucket, index: Index) -> None:
        tree.put("7/a", "7/b")
        index("sync")
        tree.remove("7/b")

        run = index("full")

        assert changes(run) == [("delete", "7/b")]

    def test_keep_their_row_when_they_are_renamed(self, tree: Tree, bucket: Bucket, index: Index) -> None:
        tree.put("7/a.pdf", text="unlike all others")
        index("sync")
        row = StoredFile.objects.get().pk
        tree.move("7/a.pdf", "8/b.pdf")

        index("full")

        assert StoredFile.objects.get(key="8/b.pdf").pk == row

    def test_under_names_that_cannot_be_kept_are_told(self, tree: Tree, bucket: Bucket, index: Index) -> None:
        tree.put("7/a")
        bucket.foreign = (Stored("7/b//c", 1, 1, ""), Stored("7/nul\0", 1, 1, ""), Stored("7/folder/", 0, 1, ""))

        run = index("sync")

        assert anomalies(run) == {"7/b//c": "name", "7/nul\\x00": "name"}
        assert sorted(states()) == ["7/a", "7/folder/"]

    def test_that_stand_for_directories_are_looked_at_by_the_listing(
        self, tree: Tree, bucket: Bucket, index: Index
    ) -> None:
        bucket.foreign = (Stored("7/folder/", 0, 1, ""),)
        walk = ObjectWalk(bucket)

        assert walk.look("7/folder/") is not None
        assert walk.look("7/other/") is None

    def test_are_read_for_their_checksums(self, tree: Tree, bucket: Bucket, index: Index) -> None:
        tree.put("7/a", text="a")

        index("sync", checksums=True)

        assert StoredFile.objects.get().sha256 == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
        assert ObjectWalk(bucket).digest("7/gone") is None

    @pytest.mark.usefixtures("bucket")
    def test_have_no_directories_to_look_at_alone(self, tree: Tree, index: Index) -> None:
        tree.put("7/a")

        run = index("sync", incremental=True)

        assert run.counts["records_created"] == 1, "a whole run"


class TestTimes:
    @pytest.mark.parametrize(("told_ns", "kept_ns"), [(10**21, LATEST_NS), (-(10**21), EARLIEST_NS)])
    def test_beyond_all_columns_are_kept_as_the_last_that_one_holds(
        self, bucket: Bucket, index: Index, told_ns: int, kept_ns: int
    ) -> None:
        bucket.foreign = (Stored("7/odd", 4, told_ns, "etag"),)

        assert index("full").state == "done"
        assert StoredFile.objects.get(key="7/odd").modified_ns == kept_ns


class TestAnotherOrder:
    @pytest.fixture(autouse=True)
    def _backwards(self, bucket: Bucket) -> None:
        bucket.is_backwards = True

    @pytest.mark.parametrize("sliced", [False, True])
    def test_is_sorted_first(
        self, tree: Tree, bucket: Bucket, index: Index, monkeypatch: pytest.MonkeyPatch, sliced: bool
    ) -> None:
        in_batches(monkeypatch, 3)
        if sliced:
            monkeypatch.setattr("statemachine.reactions.Run.is_time_up", property(lambda _: True))
        tree.fill("7/a", 8)
        tree.put("8/b", "8/a/c")
        bucket.foreign = (Stored("8/odd//", 0, 1, ""),)

        run = index("full")

        assert run.state == "done", run.failure_message
        assert len(states()) == 10
        assert not ListedEntry.objects.exists()
        assert [each for each in changes(index("full")) if each[0] != "anomaly"] == []

    def test_breaks_off_and_goes_on(
        self, tree: Tree, bucket: Bucket, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        in_batches(monkeypatch, 3)
        tree.fill("7/a", 10)
        bucket.fails_at = "7/a/000004"
        _at_once(monkeypatch)

        run = index("full")

        assert run.state == "done"
        assert len(states()) == 10


class TestAnswers:
    def test_503_in_the_middle_is_tried_again_from_there(
        self, tree: Tree, bucket: Bucket, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        in_batches(monkeypatch, 3)
        tree.fill("7/a", 10)
        bucket.fails_at = "7/a/000007"
        _at_once(monkeypatch)

        run = index("full")

        assert run.state == "done"
        assert len(states()) == 10
        assert len(set(changes(run))) == len(changes(run))

    def test_of_a_place_that_lets_nobody_in_is_refused(self, tree: Tree, bucket: Bucket, index: Index) -> None:
        bucket.denies_reading = True
        (tree.path / ".runsheet-root").write_text("x")

        run = index("full")

        assert run.state == "refused"
        assert run.refusal.startswith("The root is not there: ")

    def test_of_a_place_that_nothing_can_be_put_into_is_refused(self, tree: Tree, bucket: Bucket, index: Index) -> None:
        bucket.denies_writing = bucket.is_without_marker = True

        run = index("full")

        assert run.state == "refused"
        assert run.refusal.startswith("The root cannot be marked: ")


class TestStorages:
    def test_on_a_disk_are_walked(self, tree: Tree, index: Index, settings: Any, tmp_path: Path) -> None:
        settings.STORAGES = {
            **settings.STORAGES,
            "documents": {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": {"directory": str(tree.path)}},
        }
        settings.STORAGE_ROOTS = {"documents": {"kind": "storage", "storage": "documents", "owned": True}}
        tree.put("7/a")

        index("sync")

        assert sorted(states()) == ["7/", "7/a"]

    def test_that_are_not_there_are_refused(self, tree: Tree, index: Index, settings: Any) -> None:
        settings.STORAGES = {
            **settings.STORAGES,
            "documents": {"BACKEND": "storage.backends.local.LocalStorage", "OPTIONS": {"directory": "/not/there"}},
        }
        settings.STORAGE_ROOTS = {"documents": {"kind": "storage", "storage": "documents", "owned": True}}

        assert index("sync").state == "refused"

    def test_that_are_no_disk_are_listed(self, tree: Tree, settings: Any) -> None:
        settings.STORAGES = {
            **settings.STORAGES,
            "documents": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        }
        settings.STORAGE_ROOTS = {"documents": {"kind": "storage", "storage": "documents"}}

        from storage.models import StorageRoot

        assert isinstance(listers.lister_of(StorageRoot.named("documents")), ObjectWalk)


def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before the next try."""
    monkeypatch.setattr("statemachine.reactions.Reaction.delay_s", lambda *_, **__: 0.0)
