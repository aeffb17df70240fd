"""Up to where a root was read that is read by a cursor, since when its rows say so, and what breaks meanwhile."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from statemachine.models import TransitionLog
from statemachine.reactions import Backoff
from storage.errors import ListingBrokenOff, RootNotThere
from storage.index.cursors import note_unchanged
from storage.index.presence import forget_marker
from storage.models import IndexRun, ListedEntry, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.storage.conftest import NO_GRACE, Index, archives, changes, states, told_rows
from tests.storage.telling import Place
from tests.storage.test_slices import Killed, Killer

pytestmark = pytest.mark.django_db


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the next try."""
    monkeypatch.setattr(Backoff, "delay_s", lambda *_, **__: 0.0)
    monkeypatch.setattr("storage.services.sleep", lambda _: None)


class TestReadAt:
    def test_is_before_the_last_page_was_asked_for(self, place: Place, read: Index) -> None:
        place.put(*(f"Lease {number}" for number in range(12)))
        asked: list[datetime] = []
        place.told_at = lambda _: asked.append(database_now())

        read("sync")

        read_at = archives().read_at
        assert read_at is not None
        assert len(asked) == 3
        assert asked[1] < read_at <= asked[2]
        assert archives().cursor == "listing-0 12 12"

    def test_comes_with_an_empty_plan_too(self, place: Place, read: Index) -> None:
        read("sync")
        first = archives().read_at

        read(incremental=True)

        assert first is not None
        second = archives().read_at
        assert second is not None
        assert second > first

    @pytest.mark.parametrize("mode", ["audit", "sync"])
    def test_is_left_alone_by_who_only_looks(self, place: Place, read: Index, mode: str) -> None:
        place.put("Lease 1")
        read("sync")
        root = archives()
        place.put("Lease 2")

        run = read(mode, incremental=mode == "sync", dry_run=True)

        assert run.state == "planned"
        assert (archives().cursor, archives().read_at) == (root.cursor, root.read_at)

    def test_is_empty_while_a_run_changes_rows(self, place: Place, read: Index, service: IndexSyncService) -> None:
        read("sync")

        run = service.start(mode="sync", root="archives", rings=False)

        assert archives().read_at is None
        service.abort(run_id=run.pk)
        assert archives().read_at is None

    def test_comes_with_the_plan_of_an_audit_that_is_applied(
        self, place: Place, read: Index, service: IndexSyncService
    ) -> None:
        place.put("Lease 1")
        read("sync")
        place.put("Lease 2")
        run = read("audit", incremental=True)
        place.put("Lease 3")

        service.apply(run_id=run.pk)
        assert archives().read_at is None
        service.work(run_id=run.pk)

        assert sorted(states()) == ["lease 1", "lease 2"]
        assert archives().read_at is not None
        read(incremental=True)
        assert told_rows() == place.oracle()

    def test_is_not_there_where_something_was_left(self, place: Place, read: Index, service: IndexSyncService) -> None:
        place.put("Lease 1")
        read("sync")
        place.remove("Lease 1")
        run = read("audit", incremental=True)
        StoredFile.objects.update(changed_at=Now())

        service.apply(run_id=run.pk)
        done = service.work(run_id=run.pk)

        assert done.counts["left"] == 1
        assert (archives().cursor, archives().read_at) == ("", None)

    def test_and_cursor_are_forgotten_where_a_run_is_undone(
        self, place: Place, read: Index, service: IndexSyncService
    ) -> None:
        place.put("Lease 1")
        read("sync")
        place.put("Lease 2")
        run = read(incremental=True)

        service.undo(run_id=run.pk)
        undone = service.work(run_id=run.pk)

        assert (undone.state, sorted(states())) == ("undone", ["lease 1"])
        assert (archives().cursor, archives().read_at) == ("", None)
        assert read(incremental=True).incremental is False
        assert told_rows() == place.oracle()

    def test_is_not_touched_on_a_disk(self, index: Index) -> None:
        index("sync")

        root = StorageRoot.objects.get(name="documents")
        assert (root.cursor, root.read_at) == ("", None)


class TestCursor:
    def test_is_kept_by_no_run_that_is_done(self, place: Place, read: Index) -> None:
        place.put("Lease 1")

        for run in (read("sync"), read(incremental=True)):
            assert run.place["done"] is True
            assert run.place.keys() <= {"done", "followed"}

    def test_that_is_not_known_any_more_has_all_of_it_read(self, place: Place, read: Index) -> None:
        place.put("Lease 1", "Lease 2/Deed.pdf")
        read("sync")
        place.put("Lease 3")
        place.forgotten = 1

        run = read(incremental=True)

        assert (run.state, run.incremental, changes(run)) == ("done", False, [("create", "lease 3")])
        assert told_rows() == place.oracle()
        reasons = TransitionLog.objects.of(run).values_list("reason", flat=True)
        assert "it was not known any more what had been read, so all of it was read" in reasons

    def test_that_is_forgotten_in_the_middle_costs_a_listing_more(self, place: Place, read: Index) -> None:
        place.put(*(f"Lease {number}" for number in range(12)))
        place.forgotten = 1

        run = read("sync")

        assert (run.state, run.counts["records_created"]) == ("done", 12)
        assert told_rows() == place.oracle()

    def test_that_is_forgotten_whenever_it_is_given_ends_the_run(
        self, place: Place, read: Index, at_once: None
    ) -> None:
        place.put(*(f"Lease {number}" for number in range(12)))
        place.forgotten = 1_000

        run = read("sync")

        assert (run.state, run.failure_code, states()) == ("failed", ListingBrokenOff.code, {})

    def test_goes_with_the_marker(self, place: Place, read: Index) -> None:
        place.put("Lease 1")
        read("sync")
        place.known_as = "id:another"
        place.nodes.clear()

        refused = read(incremental=True)
        forget_marker(root_id=archives().pk, marker="id:place")
        cursor = archives().cursor
        run = read(incremental=True)

        assert (refused.state, refused.failure_code) == ("refused", RootNotThere.code)
        assert refused.refusal.startswith("Another folder lies in the place of the root “Archives of archives” by now.")
        assert (cursor, run.state, run.incremental) == ("", "done", False)
        assert states() == {"lease 1": "missing"}

    def test_stays_where_the_place_is_away(self, place: Place, read: Index) -> None:
        place.put("Lease 1")
        read("sync")
        cursor, place.known_as = archives().cursor, ""

        run = read(incremental=True)

        assert (run.state, run.failure_code) == ("refused", RootNotThere.code)
        assert (archives().cursor, archives().read_at) == (cursor, None)


class TestNothingNew:
    def test_is_noted_without_a_run(self, place: Place, read: Index) -> None:
        read("sync")
        root, at = archives(), database_now()

        assert note_unchanged(root.pk, cursor=root.cursor, reached="further", at=at)
        assert (archives().cursor, archives().read_at) == ("further", at)
        assert IndexRun.objects.count() == 1

    def test_is_not_noted_while_a_run_is_under_way(self, place: Place, read: Index, service: IndexSyncService) -> None:
        read("sync")
        root = archives()
        service.start(mode="sync", root="archives", rings=False)

        assert not note_unchanged(root.pk, cursor=root.cursor, reached="further", at=database_now())
        assert (archives().cursor, archives().read_at) == (root.cursor, None)

    def test_is_not_noted_where_a_run_has_read_further(self, place: Place, read: Index) -> None:
        read("sync")
        root = archives()
        place.put("Lease 1")
        read(incremental=True)
        now = archives()

        assert not note_unchanged(root.pk, cursor=root.cursor, reached="further", at=database_now())
        assert (archives().cursor, archives().read_at) == (now.cursor, now.read_at)


class TestKilled:
    """At each page and each batch in turn; whoever goes on comes to the same rows."""

    @pytest.fixture(autouse=True)
    def _small(self, small_batches: None) -> None: ...

    @pytest.mark.parametrize("incremental", [False, True])
    def test_at_any_page_it_is_taken_up_and_comes_to_the_same(
        self, place: Place, service: IndexSyncService, monkeypatch: pytest.MonkeyPatch, incremental: bool
    ) -> None:
        killer = Killer(monkeypatch)
        killed = 0
        for at in range(1, 100):
            place.put(*(f"Round {at}/Lease {number}/Deed.pdf" for number in range(3)))
            place.remove(f"Round {at - 1}")
            wishes: dict[str, Any] = {"incremental": incremental, "grace": NO_GRACE, "force": True}
            run = service.start(mode="full", root="archives", rings=False, **wishes)
            killer.at = at
            self._through(service, run)
            assert told_rows() == place.oracle()
            assert archives().read_at is not None
            assert not ListedEntry.objects.exists()
            if killer.at > 0:
                break
            killed += 1
            killer.at = 0

        assert killed >= 8, "each page and batch was met"

    def _through(self, service: IndexSyncService, run: IndexRun) -> IndexRun:
        while True:
            try:
                return service.work(run_id=run.pk)
            except Killed:
                IndexRun.objects.filter(pk=run.pk).update(claimed_until=Now(), due_at=Now())


class TestBrokenOff:
    def test_listing_is_tried_again(
        self, place: Place, read: Index, at_once: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It ends in the middle, once."""
        place.put("Lease 1", "Lease 2")
        pages, calls = place.pages, iter(range(10))

        def breaking(cursor: str) -> Any:
            for page in pages(cursor):
                if next(calls):
                    yield page
                else:
                    yield page._replace(has_more=True)
                    return

        monkeypatch.setattr(place, "pages", breaking)

        run = read("sync")

        assert (run.state, told_rows()) == ("done", place.oracle())
