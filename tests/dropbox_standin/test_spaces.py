import json

import pytest
from dropbox import Dropbox
from dropbox.common import PathRoot, TeamRootInfo, UserRootInfo
from dropbox.exceptions import ApiError, PathRootError
from dropbox.files import FolderMetadata

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import at_root, raw_call, sdk


class TestTeamSpace:
    def test_is_not_found_without_a_path_root(self, standin: Standin, home: Dropbox, team: Dropbox) -> None:
        standin.put("/Federal Workspace/NMNM 1/")

        with pytest.raises(ApiError) as caught:
            home.files_list_folder("/Federal Workspace")

        assert caught.value.error.get_path().is_not_found()
        assert len(team.files_list_folder("/Federal Workspace").entries) == 1

    def test_is_one_tree_for_all_members(self, standin: Standin, team: Dropbox) -> None:
        team.files_create_folder_v2("/Shared")
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        assert paul.files_get_metadata("/shared").path_display == "/Shared"

    def test_holds_the_members_own_home_as_a_folder(self, standin: Standin, home: Dropbox, team: Dropbox) -> None:
        standin.put("/note.txt", home="olivia")

        (mounted,) = team.files_list_folder("").entries

        assert isinstance(mounted, FolderMetadata)
        assert mounted.path_display == "/Olivia Operator" == standin.account("olivia").home_path
        assert team.files_get_metadata("/olivia operator/NOTE.txt").path_display == "/Olivia Operator/note.txt"
        assert home.files_get_metadata("/note.txt").path_display == "/note.txt"

    def test_is_watched_together_with_the_home(self, standin: Standin, team: Dropbox) -> None:
        cursor = team.files_list_folder("", recursive=True).cursor
        standin.put("/note.txt", home="olivia")
        standin.put("/Team.txt")

        paths = [entry.path_display for entry in team.files_list_folder_continue(cursor).entries]

        assert paths == ["/Team.txt", "/Olivia Operator/note.txt"]

    def test_keeps_one_members_home_from_another(self, standin: Standin) -> None:
        standin.put("/note.txt", home="olivia")
        paul = at_root(sdk(standin, "paul"), standin.account("paul"))

        with pytest.raises(ApiError):
            paul.files_get_metadata("/Olivia Operator/note.txt")

    def test_knows_a_file_by_id_however_it_is_reached(self, standin: Standin, home: Dropbox, team: Dropbox) -> None:
        standin.put("/notes/today.txt", home="olivia")
        notes = home.files_get_metadata("/notes")

        assert team.files_get_metadata(notes.id).path_display == "/Olivia Operator/notes"
        assert team.files_get_metadata(f"{notes.id}/TODAY.txt").name == "today.txt"

    @pytest.mark.parametrize("path", ["id:none", "rev:0123456789", "ns:1/x"])
    def test_has_no_place_for_a_stranger(self, team: Dropbox, path: str) -> None:
        with pytest.raises(ApiError) as caught:
            team.files_get_metadata(path)

        assert caught.value.error.get_path().is_not_found()


class TestPathRoot:
    def test_that_has_moved_carries_the_new_one(self, standin: Standin, home: Dropbox, team: Dropbox) -> None:
        standin.put("/Archive/")
        new_root = standin.migrate_root()

        with pytest.raises(PathRootError) as caught:
            team.files_list_folder("/Archive")

        info = caught.value.error.get_invalid_root()
        assert isinstance(info, TeamRootInfo)
        assert (info.root_namespace_id, info.home_path) == (new_root, "/Olivia Operator")
        assert home.with_path_root(PathRoot.root(new_root)).files_get_metadata("/archive").name == "Archive"

    def test_may_name_a_namespace(self, standin: Standin, home: Dropbox) -> None:
        standin.put("/Archive/")
        account = standin.account("olivia")

        by_namespace = home.with_path_root(PathRoot.namespace_id(account.root_namespace_id))

        assert by_namespace.files_get_metadata("/Archive").name == "Archive"

    def test_of_a_stranger_is_not_permitted(self, standin: Standin, home: Dropbox) -> None:
        foreign = standin.account("ivan").home_namespace_id

        with pytest.raises(PathRootError) as caught:
            home.with_path_root(PathRoot.namespace_id(foreign)).files_list_folder("")

        assert caught.value.error.is_no_permission()

    def test_may_be_home(self, standin: Standin, home: Dropbox) -> None:
        standin.put("/note.txt", home="olivia")

        assert home.with_path_root(PathRoot.home).files_get_metadata("/note.txt").name == "note.txt"

    @pytest.mark.parametrize("header", ["{", '"home"', json.dumps({".tag": "other"})])
    def test_that_is_malformed_is_a_bad_request(self, standin: Standin, header: str) -> None:
        response = raw_call(standin, "files/list_folder", json={"path": ""}, headers={"Dropbox-API-Path-Root": header})

        assert response.status_code == 400
        assert "Dropbox-API-Path-Root" in response.text


class TestRootInfo:
    def test_differs_from_home_for_a_member_of_a_team(self, home: Dropbox) -> None:
        info = home.users_get_current_account().root_info

        assert isinstance(info, TeamRootInfo)
        assert info.root_namespace_id != info.home_namespace_id

    def test_is_home_for_a_personal_account(self, standin: Standin) -> None:
        info = sdk(standin, "ivan").users_get_current_account().root_info

        assert isinstance(info, UserRootInfo)
        assert info.root_namespace_id == info.home_namespace_id

    def test_of_another_team_is_its_own(self, standin: Standin) -> None:
        standin._post("teams", name="other")
        account = standin.create_account("mia", team="other")

        info = sdk(standin, "mia").users_get_current_account()

        assert info.account_id == account.account_id
        assert info.root_info.root_namespace_id != standin.account("olivia").root_namespace_id
