from datetime import datetime

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError, BadInputError
from dropbox.files import DeletedMetadata, FileMetadata, FolderMetadata, WriteMode

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import raw_call, tags

# The SDK warns of routes that have a newer name.
older_names = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


class TestCreateFolder:
    def test_makes_the_folder_and_those_above(self, team: Dropbox) -> None:
        folder = team.files_create_folder_v2("/A/b/C").metadata

        assert isinstance(folder, FolderMetadata)
        assert team.files_get_metadata("/a/B/c").path_display == "/A/b/C"

    @pytest.mark.parametrize(
        ("path", "kind"), [("/a/FOLDER", "folder"), ("/A/file.txt", "file"), ("/A/file.txt/beneath", "file_ancestor")]
    )
    def test_conflicts_with_what_is_there(self, standin: Standin, team: Dropbox, path: str, kind: str) -> None:
        standin.put("/A/folder/", "/A/file.txt")

        with pytest.raises(ApiError) as caught:
            team.files_create_folder_v2(path)

        assert caught.value.error.get_path().get_conflict()._tag == kind

    def test_finds_another_name_when_asked(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")

        assert team.files_create_folder_v2("/A", autorename=True).metadata.name == "A (1)"


class TestUpload:
    def test_keeps_content_and_time(self, team: Dropbox) -> None:
        moment = datetime(2024, 2, 29, 12, 30)  # noqa: DTZ001 - the SDK wants naive UTC

        team.files_upload(b"content", "/A/b.txt", client_modified=moment)

        metadata, response = team.files_download("/a/b.txt")
        assert response.content == b"content"
        assert metadata.client_modified == moment

    def test_of_the_same_content_changes_nothing_and_of_another_conflicts(self, team: Dropbox) -> None:
        first = team.files_upload(b"one", "/b.txt")
        assert team.files_upload(b"one", "/b.txt").id == first.id

        with pytest.raises(ApiError) as caught:
            team.files_upload(b"two", "/b.txt")

        assert caught.value.error.get_path().reason.get_conflict().is_file()

    def test_overwrites_when_asked_and_keeps_the_id(self, team: Dropbox) -> None:
        first = team.files_upload(b"one", "/b.txt")

        second = team.files_upload(b"two", "/B.txt", mode=WriteMode.overwrite)

        assert (second.id, second.name) == (first.id, "b.txt")
        assert second.rev != first.rev

    def test_updates_the_revision_it_names_only(self, team: Dropbox) -> None:
        first = team.files_upload(b"one", "/b.txt")
        team.files_upload(b"two", "/b.txt", mode=WriteMode.update(first.rev))

        with pytest.raises(ApiError):
            team.files_upload(b"three", "/b.txt", mode=WriteMode.update(first.rev))

        third = team.files_upload(b"3", "/b.txt", mode=WriteMode.update(first.rev), autorename=True)

        assert third.name == "b (conflicted copy).txt"

    def test_refuses_content_of_another_hash(self, team: Dropbox) -> None:
        with pytest.raises(ApiError) as caught:
            team.files_upload(b"content", "/b.txt", content_hash="0" * 64)

        assert caught.value.error.is_content_hash_mismatch()

    @pytest.mark.parametrize(("path", "kind"), [("/A", "folder"), ("/A/file.txt/beneath.txt", "file_ancestor")])
    def test_conflicts_with_what_stands_in_its_way(self, standin: Standin, team: Dropbox, path: str, kind: str) -> None:
        standin.put("/A/file.txt")

        with pytest.raises(ApiError) as caught:
            team.files_upload(b"content", path)

        assert caught.value.error.get_path().reason.get_conflict()._tag == kind

    def test_refuses_a_time_that_is_none(self, standin: Standin) -> None:
        response = raw_call(
            standin,
            "files/upload",
            data=b"x",
            headers={
                "Content-Type": "application/octet-stream",
                "Dropbox-API-Arg": '{"path":"/x","client_modified":"today"}',
            },
        )

        assert response.status_code == 400
        assert "client_modified" in response.text


class TestDelete:
    def test_takes_a_folder_with_all_beneath(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt")

        deleted = team.files_delete_v2("/a/B").metadata

        assert deleted.path_display == "/A/b"
        assert standin.tree() == ("/A/",)

    def test_spares_a_file_of_another_revision(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/b.txt")

        with pytest.raises(ApiError) as caught:
            team.files_delete_v2("/b.txt", parent_rev="123456789")

        assert caught.value.error.get_path_write().get_conflict().is_file()

    def test_says_what_is_not_there(self, team: Dropbox) -> None:
        with pytest.raises(ApiError) as caught:
            team.files_delete_v2("/missing")

        assert caught.value.error.get_path_lookup().is_not_found()

    def test_leaves_the_members_home_alone(self, team: Dropbox) -> None:
        with pytest.raises(ApiError) as caught:
            team.files_delete_v2("/Olivia Operator")

        assert caught.value.error.get_path_lookup().is_restricted_content()


class TestMove:
    def test_takes_id_and_contents_along(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt")
        before = team.files_get_metadata("/A/b")

        moved = team.files_move_v2("/a/B", "/New/Place").metadata

        assert (moved.id, moved.path_display) == (before.id, "/New/Place")
        assert team.files_get_metadata("/new/place/c.txt").path_display == "/New/Place/c.txt"

    def test_is_told_by_a_recursive_cursor(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt")
        cursor = team.files_list_folder("", recursive=True).cursor
        team.files_move_v2("/A/b", "/B")

        news = team.files_list_folder_continue(cursor).entries

        assert [(type(entry) is DeletedMetadata, entry.path_display) for entry in news] == [
            (True, "/A/b"),
            (True, "/A/b/c.txt"),
            (False, "/B"),
            (False, "/B/c.txt"),
        ]

    def test_changes_the_case_of_a_name(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/report.pdf")

        assert isinstance(team.files_move_v2("/report.pdf", "/Report.PDF").metadata, FileMetadata)
        assert "/Report.PDF" in standin.tree()

    @pytest.mark.parametrize(
        ("source", "target", "error"),
        [
            ("/missing", "/x", "from_lookup/not_found"),
            ("/A", "/B", "to/conflict/folder"),
            ("/A", "/A/inside", "cant_move_folder_into_itself"),
            ("/B/b", "/file.txt/x", "to/conflict/file_ancestor"),
            ("/A", "/C", "from_write/team_folder"),
            ("/A", "/Olivia Operator/A", "cant_move_shared_folder"),
        ],
    )
    def test_says_why_it_cannot(self, standin: Standin, source: str, target: str, error: str) -> None:
        standin.put("/A/", "/B/b/", "/file.txt")
        root = standin.account("olivia").root_namespace_id

        response = raw_call(
            standin,
            "files/move_v2",
            json={"from_path": source, "to_path": target},
            headers={"Dropbox-API-Path-Root": f'{{".tag":"root","root":"{root}"}}'},
        )

        assert response.status_code == 409
        assert response.json()["error_summary"].rstrip(".").rstrip("/") == error

    def test_finds_another_name_when_asked(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/x/", "/A/y/")

        assert team.files_move_v2("/A/x", "/A/y", autorename=True).metadata.name == "y (1)"


class TestCopy:
    def test_takes_a_folder_with_all_beneath_under_new_ids(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c.txt", content="content")
        standin.put("/A/b/d/")

        copied = team.files_copy_v2("/A/b", "/New/B").metadata

        assert copied.path_display == "/New/B"
        assert {"/A/b/c.txt", "/New/B/c.txt", "/New/B/d/"} <= set(standin.tree())
        first, second = (team.files_get_metadata(path) for path in ("/A/b/c.txt", "/New/B/c.txt"))
        assert (first.content_hash, first.client_modified) == (second.content_hash, second.client_modified)
        assert first.id != second.id

    def test_goes_from_one_space_to_another(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b.txt", home="olivia")

        team.files_copy_v2("/Olivia Operator/A", "/A", autorename=True)
        again = team.files_copy_v2("/Olivia Operator/A", "/A", autorename=True)

        assert again.metadata.name == "A (1)"
        assert {"/A/b.txt", "/A (1)/b.txt"} <= set(standin.tree())

    @pytest.mark.parametrize(
        ("source", "goal", "error"),
        [
            ("/missing", "/x", "from_lookup/not_found"),
            ("/A", "/B", "to/conflict/folder"),
            ("/A", "/a", "to/conflict/folder"),
            ("/A", "/A/inside", "duplicated_or_nested_paths"),
            ("/A", "/file.txt/x", "to/conflict/file_ancestor"),
            ("/A", "/x/../y", "to/malformed_path"),
            ("/A", "id:unknown", "to/malformed_path"),
            ("/Olivia Operator", "/x", "cant_copy_shared_folder"),
        ],
    )
    def test_says_why_it_cannot(self, standin: Standin, team: Dropbox, source: str, goal: str, error: str) -> None:
        standin.put("/A/", "/B/", "/file.txt")

        with pytest.raises(ApiError) as caught:
            team.files_copy_v2(source, goal)

        assert tags(caught.value.error) == error


class TestRelocationOfMuch:
    def test_ends_at_ten_thousand(self, standin: Standin, team: Dropbox) -> None:
        standin.put(*[f"/A/a/{number}/" for number in range(9_999)])
        team.files_move_v2("/A/a", "/A/b")
        standin.put("/A/b/more/")

        for relocate in (team.files_move_v2, team.files_copy_v2):
            with pytest.raises(ApiError) as caught:
                relocate("/A/b", "/A/c")
            assert caught.value.error.is_too_many_files()


class TestOlderNames:
    @older_names
    def test_answer_with_the_metadata_itself(self, standin: Standin, team: Dropbox) -> None:
        made = team.files_create_folder("/A/a")
        copied = team.files_copy("/A/a", "/A/b")
        moved = team.files_move("/A/b", "/A/c")
        deleted = team.files_delete("/A/c")

        assert [one.path_display for one in (made, copied, moved, deleted)] == ["/A/a", "/A/b", "/A/c", "/A/c"]
        assert standin.tree() == ("/A/", "/A/a/")


class TestUnknownId:
    def test_is_no_name_to_create(self, standin: Standin, team: Dropbox) -> None:
        response = raw_call(standin, "files/create_folder_v2", json={"path": "id:zzzz/abc"})

        assert response.status_code == 400
        assert "did not match pattern" in response.text

    def test_is_nothing_to_delete_or_move(self, team: Dropbox) -> None:
        with pytest.raises(ApiError) as deleted:
            team.files_delete_v2("id:unknown")
        with pytest.raises(ApiError) as moved:
            team.files_move_v2("id:unknown", "/x")

        assert tags(deleted.value.error) == "path_lookup/not_found"
        assert tags(moved.value.error) == "from_lookup/not_found"


class TestMalformedPath:
    @pytest.mark.parametrize("path", ["/..", "/A/./b", "/A/", "/back\\slash", f"/{'x' * 256}"])
    def test_is_refused(self, team: Dropbox, path: str) -> None:
        with pytest.raises(ApiError) as caught:
            team.files_create_folder_v2(path)

        assert caught.value.error.get_path().is_malformed_path()


def test_a_path_that_is_no_path_is_a_bad_request(standin: Standin, team: Dropbox) -> None:
    with pytest.raises(BadInputError, match="root folder is unsupported"):
        team.files_get_metadata("/")
