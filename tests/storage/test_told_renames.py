"""What went and came under one id in a root that is read by a cursor, and what the brake makes of the rest."""

import pytest
from django.db import connection

from storage.errors import IndexBraked
from storage.models import StoredFile
from storage.services import IndexSyncService
from tests.storage.conftest import Index, archives, states, told_rows
from tests.storage.telling import Place

pytestmark = pytest.mark.django_db


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
        # As autovacuum does a minute later. It may also have seen the table empty, which makes this take half a minute.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE storage_storedfile")
        place.move("Lease 1", "Lease 2")

        run = read(incremental=True)

        assert (run.state, run.counts["renamed"], run.counts["newly_missing"]) == ("done", 3_001, 0)
        assert told_rows() == place.oracle()

    @pytest.mark.parametrize("is_known", [True, False])
    def test_to_where_something_was_known_are_not_braked(self, place: Place, read: Index, is_known: bool) -> None:
        """Their rows stay where they were; but nobody has lost anything."""
        place.page = 1_000
        place.put(*(f"Lease 1/{number:03}.tif" for number in range(150)), *(f"Lease 2/{n:03}.tif" for n in range(150)))
        read("sync")
        place.remove("Lease 2")
        if not is_known:
            read(incremental=True, allow_missing=200)
        place.move("Lease 1", "Lease 2")

        run = read(incremental=True)

        assert (run.state, run.counts["newly_missing"], run.counts["elsewhere"]) == ("done", 151, 151)
        assert told_rows() == place.oracle()

    def test_to_where_something_was_known_spare_nothing_else(self, place: Place, read: Index) -> None:
        place.page = 1_000
        place.put("Lease 2/Deed.pdf", *(f"Lease 1/{number:03}.tif" for number in range(150)))
        read("sync")
        place.put("Lease 2/Deed.pdf", size=9)
        place.remove("Lease 1")

        run = read(incremental=True)

        assert (run.state, run.missing_count, run.counts["elsewhere"]) == ("refused", 151, 0)


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
