"""What a file was before."""

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import FileMetadata, ListRevisionsMode, WriteMode

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import at_root, sdk


def upload(client: Dropbox, path: str, *contents: bytes) -> list[FileMetadata]:
    return [client.files_upload(content, path, mode=WriteMode.overwrite) for content in contents]


class TestListRevisions:
    def test_tells_the_newest_first(self, team: Dropbox) -> None:
        files = upload(team, "/a.txt", b"1", b"2", b"3")
        upload(team, "/b.txt", b"1")

        told = team.files_list_revisions("/A.txt")

        assert [entry.rev for entry in told.entries] == [file.rev for file in reversed(files)]
        assert (told.is_deleted, told.has_more) == (False, False)

    def test_goes_on_before_a_revision(self, team: Dropbox) -> None:
        files = upload(team, "/a.txt", b"1", b"2", b"3")

        first = team.files_list_revisions("/a.txt", limit=2)
        rest = team.files_list_revisions("/a.txt", before_rev=first.entries[-1].rev)

        assert (first.has_more, rest.has_more) == (True, False)
        assert [entry.rev for entry in rest.entries] == [files[0].rev]

    def test_tells_what_was_deleted(self, team: Dropbox) -> None:
        (file,) = upload(team, "/a.txt", b"1")
        team.files_delete_v2("/a.txt")

        by_path, by_id = team.files_list_revisions("/a.txt"), team.files_list_revisions(file.id)

        for told in (by_path, by_id):
            assert told.is_deleted
            assert [entry.rev for entry in told.entries] == [file.rev]

    def test_can_follow_the_file_instead_of_the_path(self, team: Dropbox) -> None:
        (first,) = upload(team, "/a.txt", b"1")
        team.files_move_v2("/a.txt", "/b.txt")
        (other,) = upload(team, "/a.txt", b"other")
        (second,) = upload(team, "/b.txt", b"2")

        by_id = team.files_list_revisions("/b.txt", mode=ListRevisionsMode.id)

        assert [entry.rev for entry in by_id.entries] == [second.rev, first.rev]
        assert [entry.rev for entry in team.files_list_revisions("/a.txt").entries] == [other.rev]

    @pytest.mark.parametrize(("path", "tag"), [("/missing", "not_found"), ("/A", "not_file"), ("id:no", "not_found")])
    def test_says_what_is_wrong_with_the_path(self, standin: Standin, team: Dropbox, path: str, tag: str) -> None:
        standin.put("/A/")

        with pytest.raises(ApiError) as caught:
            team.files_list_revisions(path)

        assert caught.value.error.get_path()._tag == tag

    def test_says_what_is_wrong_with_the_place_to_go_on(self, team: Dropbox) -> None:
        upload(team, "/a.txt", b"1")

        with pytest.raises(ApiError) as unknown:
            team.files_list_revisions("/a.txt", before_rev="0123456789")
        with pytest.raises(ApiError) as by_id:
            team.files_list_revisions("/a.txt", mode=ListRevisionsMode.id, before_rev="0123456789")

        assert unknown.value.error.is_invalid_before_rev()
        assert by_id.value.error.is_before_rev_not_supported()


class TestRestore:
    def test_writes_an_older_revision_again(self, team: Dropbox) -> None:
        first, second = upload(team, "/a.txt", b"1", b"2")

        restored = team.files_restore("/a.txt", first.rev)

        assert team.files_download("/a.txt")[1].content == b"1"
        assert restored.rev not in {first.rev, second.rev}

    def test_brings_back_what_was_deleted(self, team: Dropbox) -> None:
        (file,) = upload(team, "/a.txt", b"1")
        team.files_delete_v2("/a.txt")

        assert team.files_restore("/a.txt", file.rev).name == "a.txt"

    def test_says_why_it_cannot(self, standin: Standin, team: Dropbox) -> None:
        (file,) = upload(team, "/a.txt", b"1")
        standin.put("/A/", "/secret/b.txt")
        standin.sight("paul", "/secret", "none")
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))
        hidden = team.files_get_metadata("/secret/b.txt").rev

        with pytest.raises(ApiError) as folder:
            team.files_restore("/A", file.rev)
        with pytest.raises(ApiError) as unknown:
            team.files_restore("/a.txt", "0123456789")
        with pytest.raises(ApiError) as unseen:
            paul.files_restore("/b.txt", hidden)

        assert folder.value.error.get_path_write().get_conflict().is_folder()
        assert unknown.value.error.is_invalid_revision()
        assert unseen.value.error.is_invalid_revision()
