"""Roots that are read by a cursor: what becomes of what is told of them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.base.errors import Refused
from storage.errors import NoChecksums, NotInParts
from storage.index.entries import Anomaly, Entry, Gone
from storage.models import IndexRun, ListedEntry, StoredFile
from storage.services import IndexSyncService
from tests.storage.conftest import Index, anomalies, archives, changes, dump, states, told_rows
from tests.storage.telling import KIND, Place

pytestmark = pytest.mark.django_db


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


class TestService:
    @pytest.mark.parametrize(("wish", "refusal"), [({"checksums": True}, NoChecksums), ({"user_id": 7}, NotInParts)])
    def test_refuses_what_such_a_root_does_not_have(
        self, place: Place, read: Index, wish: dict[str, Any], refusal: type[Refused]
    ) -> None:
        with pytest.raises(refusal):
            read("sync", **wish)

        assert not IndexRun.objects.exists()

    def test_reads_no_part_of_a_root_of_the_settings_either(
        self, place: Place, service: IndexSyncService, olivia: User, settings: Any
    ) -> None:
        settings.STORAGE_ROOTS = {"clouds": {"kind": KIND}}
        run = service.start(mode="sync", root="clouds", user_id=olivia.pk, rings=False)

        ended = service.work(run_id=run.pk)

        assert (ended.state, ended.failure_code) == ("failed", NotInParts.code)

    def test_looks_at_what_has_changed(self, place: Place, read: Index, service: IndexSyncService) -> None:
        read("sync")

        assert service.look(root="archives").incremental


class TestInterface:
    @pytest.mark.parametrize(
        ("wish", "told"),
        [({"checksums": True}, ("no_checksums", "checksums")), ({"user_id": 7}, ("not_in_parts", "user_id"))],
    )
    def test_says_which_wish_such_a_root_cannot_grant(
        self, place: Place, client: Client, olivia: User, wish: dict[str, Any], told: tuple[str, str]
    ) -> None:
        client.force_login(olivia)

        answer = client.post("/api/v1/index/rebuild/", {"root": "archives", **wish}, content_type="application/json")

        said = answer.json()
        assert (answer.status_code, said["code"], *(each["field"] for each in said["errors"])) == (422, *told)

    def test_tells_no_cursor(self, place: Place, read: Index, client: Client, olivia: User) -> None:
        client.force_login(olivia)
        place.put("Lease 1")
        run = read("audit")

        answer = client.get(f"/api/v1/index/runs/{run.pk}/").text

        assert run.place["cursor"]
        assert run.place["cursor"] not in answer
        assert "cursor" not in answer
