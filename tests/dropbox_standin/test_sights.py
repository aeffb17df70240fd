from typing import TYPE_CHECKING

import pytest
from dropbox.exceptions import ApiError

from dropbox_standin.client import StandinError
from tests.dropbox_standin.clients import at_root, sdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropbox import Dropbox

    from dropbox_standin.client import Standin

BASE = "/Work/Archive"


@pytest.fixture
def paul(standin: "Standin") -> "Dropbox":
    """Another member, under the team's root."""
    standin.put(f"{BASE}/NMNM 1/Master Documents.pdf", f"{BASE}/NMNM 2/", f"{BASE}/note.txt", "/Other/")
    return at_root(sdk(standin, "paul"), standin.account("paul"))


def names(client: "Dropbox", path: str, *, recursive: bool = False) -> list[str]:
    return [entry.path_display for entry in client.files_list_folder(path, recursive=recursive).entries]


def is_not_found(ask: "Callable[[], object]") -> bool:
    with pytest.raises(ApiError) as caught:
        ask()
    return bool(caught.value.error.get_path().is_not_found())


class TestNoAccess:
    def test_shows_the_folder_and_nothing_in_it(self, standin: "Standin", paul: "Dropbox") -> None:
        standin.sight("paul", f"{BASE}/NMNM 1", "no_access")

        folder = paul.files_get_metadata(f"{BASE}/NMNM 1")

        assert folder.sharing_info.no_access
        assert f"{BASE}/NMNM 1" in names(paul, BASE)
        assert is_not_found(lambda: paul.files_list_folder(f"{BASE}/NMNM 1"))
        assert is_not_found(lambda: paul.files_get_metadata(f"{BASE}/NMNM 1/Master Documents.pdf"))

    def test_is_for_one_account(self, standin: "Standin", paul: "Dropbox", team: "Dropbox") -> None:
        standin.sight("paul", f"{BASE}/NMNM 1", "no_access")

        assert names(team, f"{BASE}/NMNM 1") == [f"{BASE}/NMNM 1/Master Documents.pdf"]


class TestTraverseOnly:
    def test_lists_what_the_person_may_see(self, standin: "Standin", paul: "Dropbox") -> None:
        standin.sight("paul", "/Work", "traverse_only")
        standin.sight("paul", f"{BASE}/NMNM 1", "full")

        assert names(paul, BASE) == [f"{BASE}/NMNM 1"]
        assert names(paul, "/Work", recursive=True) == [
            "/Work",
            BASE,
            f"{BASE}/NMNM 1",
            f"{BASE}/NMNM 1/Master Documents.pdf",
        ]
        assert paul.files_get_metadata(BASE).sharing_info.traverse_only
        assert is_not_found(lambda: paul.files_list_folder(f"{BASE}/NMNM 2"))
        assert is_not_found(lambda: paul.files_get_metadata(f"{BASE}/note.txt"))

    def test_of_the_folder_alone_lists_nothing(self, standin: "Standin", paul: "Dropbox") -> None:
        standin.sight("paul", BASE, "traverse_only")

        assert names(paul, BASE) == []


class TestNone:
    def test_hides_the_folder(self, standin: "Standin", paul: "Dropbox") -> None:
        archive = paul.files_get_metadata(f"{BASE}/NMNM 1")
        standin.sight("paul", f"{BASE}/NMNM 1", "none")

        assert f"{BASE}/NMNM 1" not in names(paul, BASE)
        assert is_not_found(lambda: paul.files_list_folder(f"{BASE}/NMNM 1"))
        assert is_not_found(lambda: paul.files_get_metadata(archive.id))
        assert is_not_found(lambda: paul.sharing_create_shared_link_with_settings(f"{BASE}/NMNM 1"))


class TestLinksAndWrites:
    @pytest.mark.parametrize("sight", ["no_access", "traverse_only"])
    def test_need_full_sight(self, standin: "Standin", paul: "Dropbox", sight: str) -> None:
        standin.sight("paul", f"{BASE}/NMNM 2", sight)

        with pytest.raises(ApiError) as link:
            paul.sharing_create_shared_link_with_settings(f"{BASE}/NMNM 2")
        with pytest.raises(ApiError) as folder:
            paul.files_create_folder_v2(f"{BASE}/NMNM 2/new")
        with pytest.raises(ApiError) as upload:
            paul.files_upload(b"", f"{BASE}/NMNM 2/new.txt")
        with pytest.raises(ApiError) as delete:
            paul.files_delete_v2(f"{BASE}/NMNM 2")
        with pytest.raises(ApiError) as moved_out:
            paul.files_move_v2(f"{BASE}/NMNM 2", "/Other/2")
        with pytest.raises(ApiError) as moved_in:
            paul.files_move_v2(f"{BASE}/note.txt", f"{BASE}/NMNM 2/note.txt")

        assert link.value.error.is_access_denied()
        assert folder.value.error.get_path().is_no_write_permission()
        assert upload.value.error.get_path().reason.is_no_write_permission()
        assert delete.value.error.get_path_write().is_no_write_permission()
        assert moved_out.value.error.get_from_write().is_no_write_permission()
        assert moved_in.value.error.get_to().is_no_write_permission()

    def test_tell_no_path_of_what_is_hidden(self, standin: "Standin", paul: "Dropbox", team: "Dropbox") -> None:
        link = team.sharing_create_shared_link_with_settings(f"{BASE}/NMNM 2")
        standin.sight("paul", f"{BASE}/NMNM 2", "none")

        assert paul.sharing_get_shared_link_metadata(link.url).path_lower is None


class TestCursor:
    def test_tells_of_loss_and_return(self, standin: "Standin", paul: "Dropbox") -> None:
        cursor = paul.files_list_folder(BASE, recursive=True).cursor

        standin.sight("paul", f"{BASE}/NMNM 2", "none")
        lost = paul.files_list_folder_continue(cursor)
        standin.sight("paul", f"{BASE}/NMNM 2", "full")
        back = paul.files_list_folder_continue(lost.cursor)

        assert [(type(entry).__name__, entry.name) for entry in lost.entries] == [("DeletedMetadata", "NMNM 2")]
        assert [(type(entry).__name__, entry.name) for entry in back.entries] == [("FolderMetadata", "NMNM 2")]

    def test_skips_what_is_hidden_between_two_pages(self, standin: "Standin", paul: "Dropbox") -> None:
        standin.page_size(1)
        first = paul.files_list_folder(BASE)
        standin.sight("paul", f"{BASE}/NMNM 2", "none")

        second = paul.files_list_folder_continue(first.cursor)

        assert [entry.name for entry in first.entries] == ["NMNM 1"]
        assert [entry.name for entry in second.entries] == ["note.txt"]

    def test_of_a_lost_folder_is_not_found(self, standin: "Standin", paul: "Dropbox") -> None:
        cursor = paul.files_list_folder(BASE).cursor
        standin.sight("paul", "/Work", "no_access")

        assert is_not_found(lambda: paul.files_list_folder_continue(cursor))


class TestControl:
    def test_takes_all_sights_away(self, standin: "Standin", paul: "Dropbox") -> None:
        standin.sight("paul", "/Work", "none")
        standin.sight("paul", "/Other", "no_access")
        standin.delete("/Other/")

        standin.clear_sights()

        assert names(paul, "") == ["/Work", "/Paul Partner"]

    def test_begins_with_those_of_the_seed(self, standin: "Standin") -> None:
        standin.reset(seed={"team": ["/A/"], "sights": [{"account": "paul", "path": "/A", "sight": "none"}]})

        paul = at_root(sdk(standin, "paul"), standin.account("paul"))
        assert names(paul, "") == ["/Paul Partner"]

    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            (("nobody", "/Work", "none"), "there is no account"),
            (("paul", "/Work", "half"), "a sight is one of full, read_only, traverse_only, no_access, none"),
            (("paul", "/Nowhere", "none"), "a sight is of a folder"),
            (("paul", "/", "none"), "a sight is of a folder"),
            (("paul", f"{BASE}/note.txt", "none"), "a sight is of a folder"),
        ],
    )
    def test_says_what_it_does_not_understand(
        self, standin: "Standin", paul: "Dropbox", given: tuple[str, str, str], sentence: str
    ) -> None:
        with pytest.raises(StandinError, match=sentence):
            standin.sight(*given)

    def test_of_a_seed_names_an_account_that_is_there(self, standin: "Standin") -> None:
        with pytest.raises(StandinError, match="a sight is given to one of olivia"):
            standin.reset(seed={"sights": [{"account": "nobody", "path": "/A", "sight": "none"}]})
