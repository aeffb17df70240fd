"""Roots that an app has declared, which are read by a cursor: how they stand in the console."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from storage.models import IndexRun, RunState, StoredFile
from storage.standing import standing
from tests.storage.admin.conftest import NO_STATIC, changes_of, made, page_of, text_of
from tests.storage.conftest import Index, archives
from tests.storage.telling import Place, root_of
from tests.storage.trees import Tree

pytestmark = [pytest.mark.django_db, NO_STATIC]

TITLE = "Archives of archives"
ROOTS, FILES, RUNS = "/admin/storage/storageroot/", "/admin/storage/storedfile/", "/admin/storage/indexrun/"


@pytest.fixture(autouse=True)
def _known(place: Place, read: Index) -> None:
    place.put("Lease 1/Deed.PDF", "Lease 2/Map.tif")
    read("sync")
    place.remove("Lease 2")
    read(incremental=True)


def root_page() -> str:
    return f"{ROOTS}{archives().pk}/change/"


class TestRoot:
    def test_stands_in_the_list_by_its_title(self, console: Client) -> None:
        found = text_of(console.get(ROOTS))

        assert f"{TITLE} Read by a cursor: Told" in found

    def test_is_found_by_its_title(self, console: Client) -> None:
        assert TITLE in text_of(console.get(ROOTS, {"q": "of arch"}))
        assert TITLE not in text_of(console.get(ROOTS, {"q": "deeds"}))

    def test_says_of_which_run_the_figures_are(self, console: Client, place: Place, read: Index) -> None:
        whole, overtaken = IndexRun.objects.earliest("pk"), "not in these figures"

        assert f"as of Index run {whole.pk}, " in text_of(console.get(ROOTS))
        assert overtaken in text_of(console.get(root_page()))

        place.put("Lease 3/Deed.PDF")
        read("sync")

        assert " as of Index run" not in text_of(console.get(ROOTS))
        assert overtaken not in text_of(console.get(root_page()))

    def test_says_what_is_different_and_what_is_missing(self, console: Client, place: Place, read: Index) -> None:
        place.put("Lease 3/Deed.PDF")
        read("sync", incremental=True)
        place.remove("Lease 3")
        last = read("sync", incremental=True)

        found = text_of(console.get(root_page()))

        assert f"did not say what lay there. That run has brought them up to date. Index run {last.pk}" in found
        assert "each row stays for 30 days" in found

    def test_says_of_an_audit_that_its_differences_are_open(self, console: Client, place: Place, read: Index) -> None:
        place.put("Lease 3/Deed.PDF")
        read("audit", incremental=True)

        found = text_of(console.get(root_page()))

        assert "did not say what lay there. See the run for what became of them." in found

    def test_says_up_to_when_it_is_known_and_who_looks_after_it(self, console: Client) -> None:
        found = text_of(console.get(root_page()))

        assert TITLE in found
        assert "Known up to" in found
        assert "The schedule begins none: the app that has declared this root looks after it." in found
        assert "An app has declared this root." in found
        assert "STORAGE_ROOTS" not in found

    def test_says_that_nobody_knows(self, console: Client, place: Place, read: Index) -> None:
        place.known_as = ""
        read(incremental=True)

        found = text_of(console.get(root_page()))

        assert "Known up to Nobody knows" in found
        assert "look now, once all is as it should be" not in found

    def test_can_be_looked_at_by_hand(self, console: Client) -> None:
        answer = console.post(reverse("admin:storage_indexrun_look"), {"root": "archives"}, follow=True)

        run = IndexRun.objects.latest("pk")
        assert (answer.status_code, run.root.name, run.incremental) == (200, "archives", True)

    def test_asks_as_many_statements_for_many_as_for_one(self, console: Client) -> None:
        console.get(ROOTS)
        with CaptureQueriesContext(connection) as one:
            console.get(ROOTS)
        for number in range(5):
            root_of(f"another-{number}")
        with CaptureQueriesContext(connection) as six:
            console.get(ROOTS)

        assert len(six) == len(one)


class TestCursor:
    def test_is_shown_nowhere(self, console: Client, place: Place, read: Index) -> None:
        place.put("Lease 3")
        run = read("audit", incremental=True)
        assert run.place["cursor"]
        addresses = [root_page(), ROOTS, page_of(run), changes_of(run), RUNS, f"{RUNS}?q={run.pk}"]

        pages = [console.get(address).text for address in addresses]

        for secret in (run.place["cursor"], run.place["began"], archives().cursor):
            assert not [address for address, page in zip(addresses, pages, strict=True) if secret in page]


class TestRun:
    def test_tells_how_much_was_told_so_far(self, viewer: Client) -> None:
        run = made(RunState.PLANNING, place={"heard": 4_000, "told": False})

        found = text_of(viewer.get(page_of(run)))

        assert "4,000 entries were told so far. They are compared when all is told." in found


class TestNewRun:
    URL = "/admin/storage/indexrun/add/"

    def test_offers_it_by_its_title(self, console: Client) -> None:
        assert f'<option value="archives">{TITLE}</option>' in console.get(self.URL).text

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"checksums": "on"}, "Nobody tells checksums of what lies in this root. Leave them out."),
            ({"part": "7"}, "The paths of this root name no users, so it is read as a whole only. Leave the user out."),
        ],
    )
    def test_says_beside_the_field_what_it_does_not_have(
        self, console: Client, given: dict[str, str], told: str
    ) -> None:
        answer = console.post(self.URL, {"root": "archives", "mode": "audit", "grace_days": "30", **given})

        assert told in text_of(answer)
        assert IndexRun.objects.count() == 2


class TestFile:
    def test_can_neither_be_downloaded_nor_looked_at(self, console: Client) -> None:
        file = StoredFile.objects.get(key="lease 1/deed.pdf")

        page = console.get(f"{FILES}{file.pk}/change/")
        looked = console.post(f"{FILES}{file.pk}/look/", follow=True)
        fetched = console.get(f"{FILES}{file.pk}/fetch/", follow=True)

        found = text_of(page)
        assert "It can neither be downloaded nor looked at here" in found
        assert "Look at it now" not in found
        assert "Nobody tells it" in found
        assert f"Root {TITLE}" in found
        assert "no single file is looked at" in text_of(looked)
        assert "Files of this root cannot be downloaded here" in text_of(fetched)

    def test_stands_in_its_folder_under_the_title(self, console: Client) -> None:
        found = text_of(console.get(FILES, {"in": "archives/lease 1/"}))

        assert TITLE in found
        assert "Deed.PDF" in found

    def test_is_shown_by_the_names_and_not_by_the_key(self, console: Client, place: Place, read: Index) -> None:
        place.put("Lease 1/Old Maps/Plan.TIF")
        read("sync", incremental=True)
        file = StoredFile.objects.get(key="lease 1/old maps/plan.tif")
        folder = StoredFile.objects.get(key="lease 1/old maps/")

        page, about = (text_of(console.get(f"{FILES}{each.pk}/change/")) for each in (file, folder))
        listed = text_of(console.get(FILES, {"q": "Plan"}))
        walked = text_of(console.get(FILES, {"in": "archives/lease 1/old maps/"}))

        assert "Path Lease 1/Old Maps/Plan.TIF" in page
        assert f"{TITLE} Lease 1 Old Maps Plan.TIF" in page
        assert "Path Lease 1/Old Maps/" in about
        assert f"{TITLE}/Lease 1/Old Maps/" in listed
        assert f"{TITLE} Lease 1 Old Maps" in walked
        assert not [text for text in (page, about, listed, walked) if "old maps" in text]

    def test_asks_for_the_names_of_all_folders_at_once(self, console: Client, place: Place, read: Index) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as asked:
                console.get(FILES, {"q": "Deed"})
            return len(asked)

        console.get(FILES, {"q": "Deed"})
        one = statements()
        place.put(*(f"Lease 1/Part {number}/Deed.PDF" for number in range(5)))
        read("sync", incremental=True)

        assert statements() == one


class TestMissing:
    def test_is_not_counted_where_an_app_looks_after_it(self, console: Client, tree: Tree, index: Index) -> None:
        tree.put("7/a", "7/b")
        index()
        tree.remove("7/a", "7/b")
        index()

        start = console.get("/admin/").text
        schedule = text_of(console.get(FILES, {"state__exact": "missing", "after": "schedule"}))
        app = text_of(console.get(FILES, {"state__exact": "missing", "after": "app"}))

        assert f'href="{FILES}?state__exact=missing&amp;after=schedule"' in start
        assert ("documents/7/" in schedule, "Map.tif" in schedule) == (True, False)
        assert ("documents/7/" in app, "Map.tif" in app) == (False, True)

    def test_can_be_narrowed_by_who_looks_after_it_only(self, console: Client) -> None:
        answer = console.get(FILES, {"after": "nobody"})

        assert answer.status_code == 302

    def test_stands_in_no_report_of_the_roots_of_the_settings(self) -> None:
        assert "archives" not in [each.root.name for each in standing()]
