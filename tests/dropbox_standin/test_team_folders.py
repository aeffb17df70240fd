"""The top of a team's space: who may write there, and its folders, each of which is shared by itself."""

from typing import TYPE_CHECKING

import pytest
from dropbox import Dropbox
from dropbox.common import PathRoot
from dropbox.exceptions import ApiError, PathRootError
from dropbox.files import ListFolderResult

from dropbox_standin.client import Standin, StandinError
from tests.dropbox_standin.clients import at_root, sdk, tags

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def paul(standin: Standin) -> Dropbox:
    """A member who does not administrate the team, under its root."""
    return at_root(sdk(standin, "paul"), standin.account("paul"))


def told(page: ListFolderResult) -> list[tuple[str, str]]:
    return [(type(entry).__name__.removesuffix("Metadata"), entry.path_display) for entry in page.entries]


class TestTop:
    def test_is_for_admins_to_write(self, standin: Standin, paul: Dropbox, team: Dropbox) -> None:
        standin.put("/Shared/", "/loose.txt")

        attempts: tuple[Callable[[], object], ...] = (
            lambda: paul.files_create_folder_v2("/New"),
            lambda: paul.files_create_folder_v2("/New/deeper"),
            lambda: paul.files_upload(b"", "/new.txt"),
            lambda: paul.files_delete_v2("/loose.txt"),
        )
        for attempt in attempts:
            with pytest.raises(ApiError) as caught:
                attempt()
            assert tags(caught.value.error).endswith("no_write_permission")
        assert paul.files_create_folder_v2("/Shared/New").metadata.path_display == "/Shared/New"
        assert team.files_create_folder_v2("/Made").metadata.path_display == "/Made"

    def test_can_be_for_everyone(self, standin: Standin, paul: Dropbox) -> None:
        standin.top_level("everyone")

        assert paul.files_create_folder_v2("/New").metadata.path_display == "/New"
        assert paul.users_get_current_account().team.sharing_policies is not None

    def test_has_a_policy_that_is_known(self, standin: Standin) -> None:
        with pytest.raises(StandinError, match="policy is one of admin_only, everyone"):
            standin.top_level("nobody")

    def test_can_be_written_by_a_new_admin(self, standin: Standin) -> None:
        account = standin.create_account("mia", team="team", admin=True)

        made = at_root(sdk(standin, "mia"), account).files_create_folder_v2("/New")

        assert account.admin
        assert made.metadata.path_display == "/New"

    def test_of_a_home_is_the_persons_own(self, standin: Standin, paul: Dropbox) -> None:
        assert paul.files_create_folder_v2("/Paul Partner/New").metadata.path_display == "/Paul Partner/New"
        assert sdk(standin, "paul").files_create_folder_v2("/Another").metadata.path_display == "/Another"

    def test_has_one_entry_for_each_path(self, standin: Standin, team: Dropbox) -> None:
        """Where the home of a member lies there is no room for a team folder, though nobody else sees the home."""
        with pytest.raises(ApiError) as folder:
            team.files_create_folder_v2("/paul partner")
        with pytest.raises(ApiError) as beneath:
            team.files_create_folder_v2("/Paul Partner/x")
        with pytest.raises(StandinError, match="'Paul Partner' is in the way"):
            standin.put("/PAUL PARTNER/x/")
        with pytest.raises(StandinError, match="'Paul Partner' is in the way"):
            standin.put("/Paul Partner")
        standin.put("/Mia/")
        with pytest.raises(StandinError, match="'Mia' is taken"):
            standin.create_account("mia", team="team")

        assert tags(folder.value.error) == "path/conflict/folder"
        assert tags(beneath.value.error) == "path/no_write_permission"


class TestTeamFolder:
    def test_is_a_namespace(self, standin: Standin, team: Dropbox, paul: Dropbox) -> None:
        standin.put("/A/b/c.txt", "/B/")

        a, b = (team.files_get_metadata(path) for path in ("/A", "/B"))
        inside = team.files_get_metadata("/A/b")

        number = a.sharing_info.shared_folder_id
        assert number not in {b.sharing_info.shared_folder_id, standin.account("olivia").root_namespace_id}
        assert inside.sharing_info.parent_shared_folder_id == number
        assert paul.files_get_metadata("/A").sharing_info.shared_folder_id == number
        assert team.files_get_metadata(f"ns:{number}/b/c.txt").path_display == "/A/b/c.txt"

    def test_can_be_the_root_of_paths(self, standin: Standin, home: Dropbox, team: Dropbox) -> None:
        standin.put("/A/b/c.txt", "/B/")
        number = team.files_get_metadata("/A").sharing_info.shared_folder_id
        beside = team.files_get_metadata("/B").id
        inside = home.with_path_root(PathRoot.namespace_id(number))

        listing = inside.files_list_folder("", recursive=True)
        standin.delete("/A/b/c.txt")

        assert told(listing) == [("Folder", "/b"), ("File", "/b/c.txt")]
        assert told(inside.files_list_folder_continue(listing.cursor)) == [("Deleted", "/b/c.txt")]
        assert inside.files_create_folder_v2("/new").metadata.path_display == "/new"
        assert inside.files_get_metadata(beside).path_lower is None
        assert "/A/new/" in standin.tree()

    def test_out_of_sight_is_no_root_of_paths(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        number = team.files_get_metadata("/A").sharing_info.shared_folder_id
        standin.sight("paul", "/A", "none")

        with pytest.raises(PathRootError) as caught:
            sdk(standin, "paul").with_path_root(PathRoot.namespace_id(number)).files_list_folder("")

        assert caught.value.error.is_no_permission()

    def test_is_neither_moved_nor_removed_by_files(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")

        with pytest.raises(ApiError) as deleted:
            team.files_delete_v2("/A")
        with pytest.raises(ApiError) as moved:
            team.files_move_v2("/A", "/B")

        assert tags(deleted.value.error) == "path_write/team_folder"
        assert tags(moved.value.error) == "from_write/team_folder"

    def test_of_a_personal_dropbox_is_a_plain_folder(self, standin: Standin) -> None:
        ivan = sdk(standin, "ivan")
        made = ivan.files_create_folder_v2("/A").metadata

        assert made.shared_folder_id is None
        assert ivan.files_delete_v2("/A").metadata.id == made.id


class TestReadOnly:
    def test_is_seen_and_not_written(self, standin: Standin, paul: Dropbox) -> None:
        standin.put("/A/b/c.txt")
        standin.sight("paul", "/A", "read_only")

        with pytest.raises(ApiError) as caught:
            paul.files_create_folder_v2("/A/new")

        assert tags(caught.value.error) == "path/no_write_permission"
        assert paul.files_get_metadata("/A/b").sharing_info.read_only
        assert paul.files_get_metadata("/A/b/c.txt").sharing_info.read_only
        assert paul.files_list_folder("/A/b").entries[0].name == "c.txt"
        assert paul.sharing_create_shared_link_with_settings("/A/b").url

    def test_is_told_to_the_persons_cursor(self, standin: Standin, paul: Dropbox) -> None:
        standin.put("/A/b/")
        cursor = paul.files_list_folder("", recursive=True).cursor
        standin.sight("paul", "/A", "read_only")

        entries = paul.files_list_folder_continue(cursor).entries

        assert [(entry.path_display, entry.sharing_info.read_only) for entry in entries] == [
            ("/A", True),
            ("/A/b", True),
        ]


class TestMountedFolders:
    def test_can_be_left_out(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/", "/loose.txt")
        standin.put("/note.txt", home="olivia")

        listing = team.files_list_folder("", recursive=True, include_mounted_folders=False)
        standin.put("/A/new/", "/B/c/")
        standin.put("/other.txt", home="olivia")
        standin.delete("/A/b")

        assert told(listing) == [("Folder", "/A"), ("File", "/loose.txt"), ("Folder", "/Olivia Operator")]
        assert told(team.files_list_folder_continue(listing.cursor)) == [("Folder", "/B")]

    def test_are_told_when_they_are_what_is_listed(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/c/")

        listing = team.files_list_folder("/A", recursive=True, include_mounted_folders=False)

        assert told(listing) == [("Folder", "/A"), ("Folder", "/A/b"), ("Folder", "/A/b/c")]

    def test_keep_what_was_deleted_in_them_to_themselves(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/", "/loose.txt")
        standin.put("/note.txt", home="olivia")
        standin.delete("/A/b", "/loose.txt")
        standin.delete("/note.txt", home="olivia")

        listing = team.files_list_folder("", recursive=True, include_mounted_folders=False, include_deleted=True)

        assert told(listing) == [("Folder", "/A"), ("Deleted", "/loose.txt"), ("Folder", "/Olivia Operator")]


class TestAccess:
    def test_lost_and_found_is_told_to_one_person_alone(self, standin: Standin, team: Dropbox, paul: Dropbox) -> None:
        standin.put("/A/b/c.txt", "/B/")
        all_of_it = [("/A"), ("/A/b"), ("/A/b/c.txt")]
        pauls = paul.files_list_folder("", recursive=True).cursor
        olivias = team.files_list_folder("", recursive=True).cursor

        standin.sight("paul", "/A", "none")
        lost = paul.files_list_folder_continue(pauls)
        standin.sight("paul", "/A", "full")
        found = paul.files_list_folder_continue(lost.cursor)

        assert told(lost) == [("Deleted", path) for path in all_of_it]
        assert [path for _, path in told(found)] == all_of_it
        assert told(team.files_list_folder_continue(olivias)) == []

    def test_to_what_is_out_of_sight_tells_nothing_of_it(self, standin: Standin, paul: Dropbox) -> None:
        standin.put("/A/b/")
        standin.sight("paul", "/A", "none")
        cursor = paul.files_list_folder("", recursive=True).cursor

        standin.put("/A/secret/")
        standin.delete("/A/b")

        assert told(paul.files_list_folder_continue(cursor)) == []
        assert told(paul.files_list_folder("", recursive=True, include_deleted=True)) == [("Folder", "/Paul Partner")]

    def test_to_a_way_ends_with_what_it_leads_to(self, standin: Standin, paul: Dropbox) -> None:
        standin.put("/A/way/b/")
        standin.sight("paul", "/A", "traverse_only")
        standin.sight("paul", "/A/way/b", "full")
        cursor = paul.files_list_folder("", recursive=True).cursor

        standin.delete("/A/way/b")

        news = told(paul.files_list_folder_continue(cursor))
        assert news == [("Deleted", "/A/way"), ("Deleted", "/A/way/b")]
