from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud import errors
from cloud.models import DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services.archive_lister import EACH, ArchiveLister, lister_of_archives
from discovery.services.entry_marks import Mark
from storage.errors import RootNotThere
from storage.index.entries import Anomaly, CursorReset, Entry, Gone
from storage.index.listers import lister_of
from storage.models import StorageRoot
from tests.cloud.dropbox.conftest import LIST, METADATA, MORE, union
from tests.factories import ARCHIVE, BLM, NUMBER, give_dropbox, watched

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

KEY = NUMBER.lower()
DOWN: dict[str, Any] = {"status": 503, "body": "down"}


@pytest.fixture
def watch(operator: User) -> ArchiveWatch:
    return watched(DropboxAccount.objects.get(user=operator))


@pytest.fixture
def lister(watch: ArchiveWatch) -> ArchiveLister:
    return ArchiveLister(watch)


def told(lister: ArchiveLister, cursor: str = "") -> list[Any]:
    return [each for page in lister.pages(cursor) for each in page.entries]


def keys(lister: ArchiveLister, cursor: str = "") -> list[str]:
    return [each.key for each in told(lister, cursor)]


def end(lister: ArchiveLister, cursor: str = "") -> str:
    """Where it goes on from when all is told."""
    return [*lister.pages(cursor)][-1].cursor


class TestListerOfArchives:
    def test_is_that_of_the_roots_of_its_kind(self, watch: ArchiveWatch) -> None:
        assert lister_of(watch.root) == ArchiveLister(watch)

    def test_says_that_nobody_needs_it_any_more(self) -> None:
        root = StorageRoot.objects.create(name="dropbox-1", declaration={"kind": "dropbox"})

        with pytest.raises(RootNotThere, match="Nobody needs what lies there"):
            lister_of_archives(root)


class TestMarker:
    def test_is_dropboxs_lasting_name_of_the_folder(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        found = lister.marker()

        assert found.startswith("id:")
        assert dropbox.calls() == {METADATA: 1}
        assert ArchiveLister(lister.watch).marker() == found

    def test_comes_with_the_shared_folder_that_it_lies_in(
        self, lister: ArchiveLister, watch: ArchiveWatch, dropbox: "Standin"
    ) -> None:
        sharing = {"read_only": False, "parent_shared_folder_id": "84"}
        told = {".tag": "folder", "name": "x", "id": "id:1", "path_lower": BLM.lower(), "sharing_info": sharing}
        dropbox.fault(METADATA, status=200, body=told)

        assert lister.marker() == "id:1"

        watch.refresh_from_db()
        assert watch.namespace == "84"

    @pytest.mark.parametrize("sight", ["traverse_only", "no_access"])
    def test_is_none_of_a_folder_that_is_seen_in_part(
        self, lister: ArchiveLister, dropbox: "Standin", sight: str
    ) -> None:
        dropbox.sight("olivia", BLM, sight)

        with pytest.raises(RootNotThere, match="sees only a part"):
            lister.marker()

    def test_is_none_of_a_folder_that_is_not_there(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.delete(BLM)

        with pytest.raises(RootNotThere, match=r"not in the Dropbox of Olivia .* any more"):
            lister.marker()

    def test_is_none_of_a_file(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.delete(BLM)
        dropbox.put(BLM)

        with pytest.raises(RootNotThere, match="is a file"):
            lister.marker()

    def test_is_asked_of_nobody_elses_account(
        self, lister: ArchiveLister, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        DropboxAccount.objects.all().delete()
        give_dropbox(django_user_model.objects.create_superuser("paul"), dropbox, "paul")

        with pytest.raises(RootNotThere, match="nobody has that connected"):
            lister.marker()
        assert dropbox.calls() == {}

    @pytest.mark.parametrize(
        "lost", [{"is_active": False}, {"is_superuser": False}], ids=["may not log in", "may run nothing"]
    )
    def test_is_asked_by_nobody_who_lends_nothing(
        self, lister: ArchiveLister, dropbox: "Standin", lost: dict[str, bool]
    ) -> None:
        User.objects.update(**lost)

        with pytest.raises(RootNotThere, match="nobody has that connected who may run discovery"):
            lister.marker()
        assert dropbox.calls() == {}

    def test_is_asked_by_another_person_who_has_the_account(
        self, lister: ArchiveLister, operator: User, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        give_dropbox(django_user_model.objects.create_superuser("paul"), dropbox)
        User.objects.filter(pk=operator.pk).update(is_superuser=False)

        assert lister.marker()

    def test_passes_on_that_the_account_is_paused(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.fault(METADATA, status=429, headers={"Retry-After": "30"}, body=union("too_many_requests"))
        with pytest.raises(errors.RateLimited):
            lister.marker()

        with pytest.raises(errors.AccountPaused):
            ArchiveLister(lister.watch).marker()

    def test_is_not_asked_where_the_paths_begin_elsewhere(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        DropboxAccount.objects.update(root_namespace_id="4711")

        with pytest.raises(RootNotThere, match="another root folder of the team now"):
            lister.marker()
        assert dropbox.calls() == {}

    def test_is_none_where_the_root_moves_while_it_is_asked(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.migrate_root()

        with pytest.raises(RootNotThere, match="another root folder of the team now"):
            lister.marker()


class TestPages:
    def test_tell_all_that_lies_there(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/Master Documents.pdf")

        found = {each.key: each for each in told(lister)}

        assert set(found) == {f"{KEY}/", f"{KEY}/runsheets/", f"{KEY}/master documents.pdf"}
        report = found[f"{KEY}/master documents.pdf"]
        assert report.name == "Master Documents.pdf"
        assert report.modified_ns > 0
        assert Mark.read(report.etag).revision
        folder = found[f"{KEY}/"]
        assert (folder.name, folder.size, folder.modified_ns) == (NUMBER, 0, 0)
        assert Mark.read(folder.etag).file_id.startswith("id:")

    def test_take_a_call_each(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.put(*[f"{ARCHIVE}/{number}.pdf" for number in range(5)])
        dropbox.page_size(3)

        pages = list(lister.pages(""))

        assert [page.has_more for page in pages] == [True] * (len(pages) - 1) + [False]
        assert dropbox.calls() == {LIST: 1, MORE: len(pages) - 1, METADATA: 1}

    def test_tell_what_has_changed_in_its_order(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/a.pdf", f"{BLM}/NMNM 2/")
        cursor = end(lister)
        dropbox.delete(f"{BLM}/NMNM 2")
        dropbox.put(f"{BLM}/NMNM 3/")

        found = told(lister, cursor)

        assert [(type(each), each.key) for each in found if isinstance(each, Gone)] == [(Gone, "nmnm 2")]
        assert [each.key for each in found if isinstance(each, Entry)] == ["nmnm 3/"]

    def test_go_on_from_any_page(self, lister: ArchiveLister, watch: ArchiveWatch, dropbox: "Standin") -> None:
        dropbox.put(*[f"{ARCHIVE}/{number}.pdf" for number in range(5)])
        dropbox.page_size(3)
        whole = list(lister.pages(""))

        rest = list(ArchiveLister(watch).pages(whole[0].cursor))

        assert [each for page in rest for each in page.entries] == [each for page in whole[1:] for each in page.entries]

    def test_tell_nothing_where_nothing_has_changed(self, lister: ArchiveLister) -> None:
        assert told(lister, end(lister)) == []

    def test_keep_what_is_seen_in_part(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.sight("olivia", ARCHIVE, "traverse_only")

        (found,) = told(lister)

        assert Mark.read(found.etag).is_partial

    def test_end_with_a_reset(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        cursor = end(lister)
        dropbox.reset_cursors()

        with pytest.raises(CursorReset):
            told(lister, cursor)

    def test_end_where_the_folder_is_gone(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        cursor = end(lister)
        dropbox.delete(BLM)

        with pytest.raises(RootNotThere, match="any more"):
            told(lister, cursor)

    def test_end_where_dropbox_says_that_it_is_gone(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        cursor = end(lister)
        dropbox.fault(MORE, status=409, body=union("path", "not_found"))

        with pytest.raises(RootNotThere, match="any more"):
            told(lister, cursor)

    @pytest.mark.parametrize(
        ("entry", "sentence"),
        [
            ({".tag": "folder", "path_lower": BLM.lower(), "sharing_info": {"traverse_only": True}}, "only a part"),
            ({".tag": "folder", "path_lower": "/elsewhere/archive/nmnm 1"}, "renamed, moved or deleted"),
            ({".tag": "folder", "path_lower": f"{BLM.lower()} 2/nmnm 1"}, "renamed, moved or deleted"),
            ({".tag": "deleted", "path_lower": BLM.lower()}, "renamed, moved or deleted"),
            ({".tag": "deleted", "path_lower": BLM.lower().rpartition("/")[0]}, "renamed, moved or deleted"),
        ],
    )
    def test_end_where_the_folder_is_not_what_it_was(
        self, lister: ArchiveLister, dropbox: "Standin", entry: dict[str, Any], sentence: str
    ) -> None:
        body = {"entries": [{"name": "x", "id": "id:1", **entry}], "cursor": "c", "has_more": False}
        dropbox.fault(MORE, status=200, body=body)

        with pytest.raises(RootNotThere, match=sentence):
            told(lister, end(lister))

    def test_end_where_a_file_has_taken_its_place(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        file = {"name": "x", "id": "id:1", "rev": "0123456789", "size": 1, "server_modified": "2020-01-01T00:00:00Z"}
        body = {"entries": [{".tag": "file", "path_lower": BLM.lower(), **file}], "cursor": "c", "has_more": False}
        dropbox.fault(MORE, status=200, body=body)

        with pytest.raises(RootNotThere, match="is a file"):
            told(lister, end(lister))

    def test_leave_out_what_has_no_path(
        self, lister: ArchiveLister, dropbox: "Standin", caplog: pytest.LogCaptureFixture
    ) -> None:
        entry = {".tag": "folder", "name": "x", "id": "id:1"}
        dropbox.fault(LIST, status=200, body={"entries": [entry], "cursor": "c", "has_more": False})

        with caplog.at_level("INFO"):
            assert told(lister) == []
        assert "1 entries have no path and are left out" in caplog.text

    def test_end_where_the_root_has_moved(self, lister: ArchiveLister, dropbox: "Standin") -> None:
        cursor = end(lister)
        dropbox.migrate_root()

        with pytest.raises((RootNotThere, CursorReset)):
            told(lister, cursor)
        with pytest.raises(RootNotThere, match="another root folder"):
            told(ArchiveLister(lister.watch), cursor)


class TestDirectoryByDirectory:
    @pytest.fixture
    def _no_whole(self, dropbox: "Standin") -> None:
        dropbox.fault(LIST, times=2, **DOWN)

    @pytest.fixture
    def tree(self, dropbox: "Standin") -> set[str]:
        dropbox.put(f"{ARCHIVE}/Runsheets/a.pdf", f"{ARCHIVE}/b.pdf", f"{BLM}/NMNM 2/", f"{BLM}/c.pdf")
        return {f"{KEY}/", f"{KEY}/runsheets/", f"{KEY}/runsheets/a.pdf", f"{KEY}/b.pdf", "nmnm 2/", "c.pdf"}

    @pytest.mark.usefixtures("_no_whole")
    def test_tells_the_same(self, lister: ArchiveLister, tree: set[str], dropbox: "Standin") -> None:
        found = keys(lister)

        assert sorted(found) == sorted(tree)
        assert [call.path for call in dropbox.journal(LIST) if call.status == 200] == [
            BLM,
            f"{BLM}/{KEY}",
            f"{BLM}/{KEY}/runsheets",
            f"{BLM}/nmnm 2",
        ]

    @pytest.mark.usefixtures("_no_whole")
    def test_says_at_its_end_that_it_can_tell_no_change(self, lister: ArchiveLister, tree: set[str]) -> None:
        pages = list(lister.pages(""))

        assert [page.has_more for page in pages] == [True, True, True, False]
        assert pages[-1].cursor == EACH
        with pytest.raises(CursorReset):
            told(lister, EACH)

    @pytest.mark.usefixtures("_no_whole")
    @pytest.mark.parametrize("done", [1, 2, 3])
    def test_goes_on_from_any_directory(
        self, lister: ArchiveLister, watch: ArchiveWatch, tree: set[str], done: int
    ) -> None:
        whole = list(lister.pages(""))

        rest = list(ArchiveLister(watch).pages(whole[done - 1].cursor))

        assert [page.entries for page in rest] == [page.entries for page in whole[done:]]
        assert rest[-1].cursor == EACH

    @pytest.mark.usefixtures("_no_whole")
    def test_comes_to_its_end_where_the_rest_went_away(
        self, lister: ArchiveLister, watch: ArchiveWatch, tree: set[str], dropbox: "Standin"
    ) -> None:
        whole = list(lister.pages(""))
        dropbox.delete(f"{BLM}/NMNM 2")

        (rest,) = ArchiveLister(watch).pages(whole[2].cursor)

        assert (rest.entries, rest.cursor, rest.has_more) == ([], EACH, False)

    @pytest.mark.usefixtures("_no_whole")
    def test_lists_large_directories_page_by_page(
        self, lister: ArchiveLister, tree: set[str], dropbox: "Standin"
    ) -> None:
        dropbox.page_size(1)

        assert sorted(keys(lister)) == sorted(tree)

    @pytest.mark.usefixtures("_no_whole")
    def test_lists_no_directory_that_may_not_be_opened(
        self, lister: ArchiveLister, tree: set[str], dropbox: "Standin"
    ) -> None:
        dropbox.sight("olivia", ARCHIVE, "no_access")

        assert sorted(keys(lister)) == ["c.pdf", f"{KEY}/", "nmnm 2/"]

    @pytest.mark.usefixtures("_no_whole")
    def test_says_what_went_away_meanwhile(self, lister: ArchiveLister, tree: set[str], dropbox: "Standin") -> None:
        pages = lister.pages("")
        next(pages)
        dropbox.delete(f"{BLM}/NMNM 2")

        assert Gone("nmnm 2") in [each for page in pages for each in page.entries]

    @pytest.mark.usefixtures("_no_whole")
    def test_says_what_cannot_be_read(self, lister: ArchiveLister, tree: set[str], dropbox: "Standin") -> None:
        pages = lister.pages("")
        next(pages)
        dropbox.fault(LIST, status=409, body=union("path", "restricted_content"))

        _, anomaly = next(pages).entries

        assert isinstance(anomaly, Anomaly)
        assert (anomaly.key, anomaly.kind, anomaly.masks) == (f"{KEY}/", "unreadable", (f"{KEY}/",))

    @pytest.mark.usefixtures("_no_whole")
    def test_is_tried_again_where_dropbox_loses_its_place(
        self, lister: ArchiveLister, tree: set[str], dropbox: "Standin"
    ) -> None:
        dropbox.page_size(1)
        dropbox.fault(MORE, status=409, body=union("reset"))

        with pytest.raises(errors.DropboxUnavailable):
            keys(lister)

    def test_is_not_begun_for_one_failure(self, lister: ArchiveLister, tree: set[str], dropbox: "Standin") -> None:
        dropbox.fault(LIST, **DOWN)

        assert end(lister) != EACH

    @pytest.mark.parametrize(
        ("answers", "error"),
        [
            ([DOWN] * 3, errors.DropboxUnavailable),
            ([DOWN] * 2 + [{"status": 409, "body": union("path", "not_found")}], RootNotThere),
            ([DOWN] * 2 + [{"status": 409, "body": union("path", "restricted_content")}], errors.DropboxRefused),
            ([{"status": 409, "body": union("path", "not_folder")}], RootNotThere),
            ([DOWN, {"status": 409, "body": union("path", "not_found")}], RootNotThere),
        ],
    )
    def test_concludes_nothing_where_the_folder_cannot_be_listed(
        self, lister: ArchiveLister, dropbox: "Standin", answers: list[dict[str, Any]], error: type[Exception]
    ) -> None:
        for answer in answers:
            dropbox.fault(LIST, **answer)

        with pytest.raises(error):
            keys(lister)
