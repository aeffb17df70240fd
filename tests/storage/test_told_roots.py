"""Roots that are read by a cursor: what is told of them, up to where they were read, and since when the rows say so."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from core.base.errors import Refused
from statemachine.models import TransitionLog
from statemachine.reactions import Backoff
from storage.errors import IndexBraked, ListingBrokenOff, NoChecksums, NotInParts, RootNotThere
from storage.index.entries import Anomaly, Entry, Gone
from storage.index.glancing import has_news
from storage.index.presence import forget_marker
from storage.models import IndexRun, ListedEntry, StorageRoot, StoredFile
from storage.services import IndexSyncService
from tests.storage.conftest import NO_GRACE, Index, anomalies, archives, changes, dump, states
from tests.storage.telling import Place
from tests.storage.test_slices import Killed, Killer

pytestmark = pytest.mark.django_db


def told_rows() -> dict[str, tuple[Any, ...]]:
    found = StoredFile.objects.filter(state="present")
    return {row.key: (row.size, row.modified_ns, row.etag, row.name) for row in found}


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


class TestFirst:
    def test_listing_makes_rows_of_all_that_is_told(self, place: Place, read: Index) -> None:
        place.put("Lease 1/Deed.PDF", "Lease 1/scans/Map.tif", "Lease 2/Note.txt")
        place.make("Lease 3")

        run = read("sync")

        assert run.state == "done", run.refusal or run.failure_message
        assert told_rows() == place.oracle()
        assert states().keys() == {
            "lease 1/", "lease 1/deed.pdf", "lease 1/scans/", "lease 1/scans/map.tif", "lease 2/", "lease 2/note.txt", "lease 3/",
        }  # fmt: skip
        assert StoredFile.objects.get(key="lease 1/deed.pdf").name == "Deed.PDF"
        assert (run.counts["records_created"], run.counts["dirs_scanned"], run.counts["files_on_disk"]) == (7, 4, 3)
        assert not ListedEntry.objects.exists()

    def test_listing_done_twice_does_nothing(self, place: Place, read: Index) -> None:
        place.put("Lease 1/Deed.PDF")
        read("sync")
        before = dump()

        run = read("sync")

        assert (changes(run), dump()) == ([], before)
        assert run.counts["unchanged"] == 2

    def test_incremental_run_is_a_whole_one(self, place: Place, read: Index) -> None:
        """Nothing is known of what was before, so nothing is told of what has changed."""
        place.put("Lease 1/Deed.PDF")

        run = read(incremental=True)

        assert (run.state, run.incremental) == ("done", False)
        assert told_rows() == place.oracle()

    def test_says_what_changed_while_it_was_listed(self, place: Place, read: Index) -> None:
        place.put(*(f"Lease {number}/Deed.pdf" for number in range(8)))

        def happens(cursor: str) -> None:
            if cursor and place.told_at:
                place.told_at = None
                place.remove("Lease 1", "Lease 7")
                place.put("Lease 1", "Lease 9/Map.tif")
                place.move("Lease 2", "Lease 20")

        place.told_at = happens
        read("sync")

        assert told_rows() == place.oracle()
        assert {"lease 1", "lease 9/map.tif", "lease 20/deed.pdf"} <= states().keys()


class TestDelta:
    @pytest.fixture(autouse=True)
    def _known(self, place: Place, read: Index) -> None:
        place.put("Lease 1/Deed.pdf", "Lease 1/Map.tif", "Lease 1/scans/1.tif", "Lease 2/Deed.pdf")
        read("sync")

    def test_without_news_does_nothing(self, place: Place, read: Index) -> None:
        run = read(incremental=True)

        assert (run.state, run.incremental, changes(run)) == ("done", True, [])

    def test_makes_changes_and_misses_only_what_is_told(self, place: Place, read: Index) -> None:
        place.put("Lease 1/Deed.pdf", size=7)
        place.put("Lease 3/New.pdf")
        place.remove("Lease 2")

        run = read(incremental=True)

        assert sorted(changes(run)) == [
            ("create", "lease 3/"),
            ("create", "lease 3/new.pdf"),
            ("miss", "lease 2/"),
            ("miss", "lease 2/deed.pdf"),
            ("update", "lease 1/deed.pdf"),
        ]
        assert told_rows() == place.oracle()

    def test_of_a_directory_says_nothing_about_what_is_in_it(self, place: Place, read: Index) -> None:
        place.make("Lease 1", is_partial=True)

        assert changes(read(incremental=True)) == [("update", "lease 1/")]
        assert told_rows() == place.oracle()

    def test_notices_a_directory_that_was_made_anew(self, place: Place, read: Index) -> None:
        place.remove("Lease 2")
        place.make("Lease 2")

        assert changes(read(incremental=True)) == [("update", "lease 2/"), ("miss", "lease 2/deed.pdf")]
        assert told_rows() == place.oracle()

    def test_notices_another_case_of_a_name(self, place: Place, read: Index) -> None:
        place.move("Lease 2/Deed.pdf", "Lease 2/DEED.pdf")

        assert changes(read(incremental=True)) == [("update", "lease 2/deed.pdf")]
        assert StoredFile.objects.get(key="lease 2/deed.pdf").name == "DEED.pdf"

    def test_knows_a_file_that_takes_the_place_of_a_directory(self, place: Place, read: Index) -> None:
        place.put("Lease 1")

        assert sorted(changes(read(incremental=True))) == [
            ("create", "lease 1"),
            ("miss", "lease 1/"),
            ("miss", "lease 1/deed.pdf"),
            ("miss", "lease 1/map.tif"),
            ("miss", "lease 1/scans/"),
            ("miss", "lease 1/scans/1.tif"),
        ]
        assert told_rows() == place.oracle()

    def test_knows_a_directory_that_takes_the_place_of_a_file(self, place: Place, read: Index) -> None:
        place.make("Lease 1/Map.tif")

        assert changes(read(incremental=True)) == [("miss", "lease 1/map.tif"), ("create", "lease 1/map.tif/")]
        assert told_rows() == place.oracle()

    def test_finds_again_what_is_back_under_the_same_row(self, place: Place, read: Index) -> None:
        row = StoredFile.objects.get(key="lease 2/deed.pdf")
        place.remove("Lease 2")
        read(incremental=True)
        place.put("Lease 2/Deed.pdf")

        run = read(incremental=True)

        assert changes(run) == [("revive", "lease 2/"), ("revive", "lease 2/deed.pdf")]
        assert StoredFile.objects.get(key="lease 2/deed.pdf").pk == row.pk

    def test_leaves_what_is_in_quarantine(self, place: Place, read: Index) -> None:
        StoredFile.objects.filter(key="lease 2/deed.pdf").update(state="quarantined")
        place.remove("Lease 2")

        read(incremental=True)

        assert states()["lease 2/deed.pdf"] == "quarantined"

    def test_of_the_place_itself_takes_out_all_of_it(self, place: Place, read: Index) -> None:
        place.journal.append(Gone(""))
        place.nodes.clear()
        place.put("Lease 1/Deed.pdf")

        read(incremental=True)

        assert told_rows() == place.oracle()
        assert states()["lease 2/deed.pdf"] == "missing"

    def test_of_a_clean_run_leaves_the_rest_to_the_next(self, place: Place, read: Index) -> None:
        place.put("Lease 3/New.pdf")
        place.remove("Lease 2")
        cursor = archives().cursor

        run = read("clean", incremental=True)

        assert (run.state, "lease 2/" in states(), "lease 3/" in states()) == ("done", False, False)
        assert (archives().cursor, archives().read_at) == (cursor, None)
        read(incremental=True)
        assert told_rows() == place.oracle()


class TestOdd:
    def test_is_told_and_what_is_known_there_is_left_alone(self, place: Place, read: Index) -> None:
        place.put("Lease 1/Deed.pdf", "Lease 2/Deed.pdf")
        read("sync")
        place.journal += [
            Gone("lease 1"),
            Anomaly("lease 1", "unreadable", "It cannot be read.", ("lease 1", "lease 1/")),
        ]

        run = read(incremental=True)

        assert anomalies(run) == {"lease 1": "unreadable"}
        assert (run.counts["errors"], run.counts["masked"]) == (1, 2)
        assert set(states().values()) == {"present"}

    def test_is_forgotten_when_something_else_is_told_afterwards(self, place: Place, read: Index) -> None:
        place.journal += [Anomaly("lease 1", "name", "It is odd."), Gone("lease 1")]
        place.put("Lease 1/Deed.pdf")

        run = read("sync")
        again = read(incremental=True)

        assert (anomalies(run), anomalies(again)) == ({}, {})

    def test_is_told_once(self, place: Place, read: Index) -> None:
        read("sync")
        place.journal += [Anomaly("lease 1", "name", "It is odd."), Anomaly("lease 1", "name", "It is odd.")]

        assert changes(read(incremental=True)) == [("anomaly", "lease 1")]

    @pytest.mark.parametrize(
        ("key", "kind"), [("long/" + "ä" * 1_200, "too_long"), ("nul\0", "name"), ("half \ud83d", "name")]
    )
    def test_is_what_no_row_can_be_called(self, place: Place, read: Index, key: str, kind: str) -> None:
        read("sync")
        place.journal += [Entry(key, 1, 1, "id:1"), Entry("good", 1, 1, "id:2"), Gone(key), Entry(key, 1, 1, "id:3")]

        run = read(incremental=True)

        assert list(anomalies(run).values()) == [kind]
        assert states() == {"good": "present"}

    def test_about_the_place_itself_is_told(self, place: Place, read: Index) -> None:
        read("sync")
        place.journal += [Anomaly("", "unreadable", "A part of it cannot be read."), Entry("/", 0, 0, "id:0")]

        run = read(incremental=True)

        assert (anomalies(run), states()) == ({"/": "unreadable"}, {})


class TestRenames:
    def test_keep_the_rows_by_what_lasts(self, place: Place, read: Index) -> None:
        """Size, time and revision may be others, and there may be many that look alike."""
        place.put("Lease 1/Deed.pdf", "Lease 1/scans/1.tif", "Lease 1/scans/2.tif")
        read("sync")
        known = dict(StoredFile.objects.values_list("key", "pk"))
        place.move("Lease 1", "Old/Lease 1")
        place.put("Old/Lease 1/Deed.pdf", size=99)

        run = read(incremental=True)

        assert (run.counts["renamed"], run.counts["records_created"], run.counts["records_missed"]) == (5, 1, 0)
        assert {f"old/{key}": pk for key, pk in known.items()} == {
            key: pk for key, pk in StoredFile.objects.values_list("key", "pk") if key != "old/"
        }
        assert told_rows() == place.oracle()

    def test_forget_the_checksum_of_what_is_another_revision(self, place: Place, read: Index) -> None:
        place.put("same", "other")
        read("sync")
        StoredFile.objects.update(sha256="0" * 64)
        place.move("same", "same 2")
        place.move("other", "other 2")
        place.put("other 2")

        read(incremental=True)

        assert dict(StoredFile.objects.values_list("key", "sha256")) == {"same 2": "0" * 64, "other 2": None}

    def test_are_none_where_two_have_the_same_id(self, place: Place, read: Index) -> None:
        place.put("a")
        read("sync")
        place.move("a", "b")
        place.journal.append(place.entry("b")._replace(key="c"))

        run = read(incremental=True)

        assert (run.counts["renamed"], states()) == (0, {"a": "missing", "b": "present", "c": "present"})

    def test_of_a_directory_of_thousands_are_not_braked(self, place: Place, read: Index) -> None:
        place.page = 2_000
        place.put(*(f"Lease 1/{number:04}.tif" for number in range(3_000)))
        read("sync")
        place.move("Lease 1", "Lease 2")

        run = read(incremental=True)

        assert (run.state, run.counts["renamed"], run.counts["newly_missing"]) == ("done", 3_001, 0)
        assert told_rows() == place.oracle()


class TestBrake:
    @pytest.fixture(autouse=True)
    def _many(self, place: Place, read: Index) -> None:
        place.page = 500
        place.put(*(f"Lease 1/{number:03}.tif" for number in range(150)), "Lease 2/Deed.pdf")
        read("sync")

    def test_leaves_the_cursor_where_it_was(self, place: Place, read: Index) -> None:
        cursor = archives().cursor
        place.remove("Lease 1")

        run = read(incremental=True)

        assert (run.state, run.failure_code) == ("refused", IndexBraked.code)
        assert (archives().cursor, archives().read_at) == (cursor, None)
        assert states()["lease 1/000.tif"] == "present"

    def test_lets_the_next_look_say_the_same_and_what_came_after(self, place: Place, read: Index) -> None:
        place.remove("Lease 1")
        read(incremental=True)
        place.put("Lease 3/Deed.pdf")

        run = read(incremental=True, allow_missing=200)

        assert run.state == "done"
        assert told_rows() == place.oracle()
        assert archives().read_at is not None

    def test_is_let_go(self, place: Place, read: Index, service: IndexSyncService) -> None:
        place.remove("Lease 1")
        run = read(incremental=True)

        service.override(run_id=run.pk, allow_missing=151)
        done = service.work(run_id=run.pk)

        assert (done.state, told_rows()) == ("done", place.oracle())
        assert archives().read_at is not None
        assert place.asked.count(archives().cursor) == 0, "it goes on behind what was told"

    def test_that_is_let_go_late_has_all_of_it_read_again(
        self, place: Place, read: Index, service: IndexSyncService
    ) -> None:
        """A later run has changed the rows, and knows more."""
        place.remove("Lease 1")
        place.put("Lease 9")
        run = read(incremental=True)
        place.remove("Lease 9")
        read(incremental=True, allow_missing=200)

        service.override(run_id=run.pk, allow_missing=151)
        service.work(run_id=run.pk)

        assert (archives().cursor, archives().read_at) == ("", None)
        read(incremental=True)
        assert told_rows() == place.oracle()


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

        assert read("sync").place == {"done": True}
        assert read(incremental=True).place == {"done": True}

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


class TestGlance:
    def test_that_finds_nothing_leaves_no_run_and_notes_the_time(self, place: Place, read: Index) -> None:
        read("sync")
        root = archives()

        assert not has_news(root, place)
        assert IndexRun.objects.count() == 1
        assert root.read_at is not None
        assert archives().read_at > root.read_at  # type: ignore[operator]  # it is there

    def test_that_finds_something_says_so_and_reads_no_further(self, place: Place, read: Index) -> None:
        read("sync")
        before = archives()
        place.put("Lease 1")

        assert has_news(before, place)
        assert (archives().cursor, archives().read_at) == (before.cursor, before.read_at)
        read(incremental=True)
        assert told_rows() == place.oracle()

    def test_asks_nothing_where_more_has_to_be_read(self, place: Place, read: Index) -> None:
        assert has_news(archives(), place)
        read("sync")
        StorageRoot.objects.filter(name="archives").update(read_at=None)
        place.asked.clear()

        assert has_news(archives(), place)
        assert place.asked == []

    def test_leaves_it_to_a_run_that_the_cursor_is_not_known(self, place: Place, read: Index) -> None:
        read("sync")
        place.forgotten = 1

        assert has_news(archives(), place)

    def test_notes_nothing_while_a_run_is_active(self, place: Place, read: Index, service: IndexSyncService) -> None:
        read("sync")
        root = archives()
        service.start(mode="sync", root="archives", rings=False)

        assert not has_news(root, place)
        assert archives().read_at is None


class TestService:
    @pytest.mark.parametrize(("wish", "refusal"), [({"checksums": True}, NoChecksums), ({"user_id": 7}, NotInParts)])
    def test_refuses_what_such_a_root_does_not_have(
        self, place: Place, read: Index, wish: dict[str, Any], refusal: type[Refused]
    ) -> None:
        with pytest.raises(refusal):
            read("sync", **wish)

        assert not IndexRun.objects.exists()

    def test_looks_at_what_has_changed(self, place: Place, read: Index, service: IndexSyncService) -> None:
        read("sync")

        assert service.look(root="archives").incremental


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
