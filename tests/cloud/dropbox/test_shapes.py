from datetime import UTC, datetime

import pytest
from dropbox.files import FileMetadata, FileSharingInfo, FolderMetadata, FolderSharingInfo
from dropbox.sharing import FolderLinkMetadata, LinkAudience, LinkPermissions, ResolvedVisibility

from cloud.dropbox.shapes import cloud_file, share_link


def link(name: str = "n", /, **permissions: object) -> FolderLinkMetadata:
    return FolderLinkMetadata(
        url="u",
        name=name,
        link_permissions=LinkPermissions(can_revoke=True, allow_download=True, **permissions),
        expires=datetime(2027, 1, 1),  # noqa: DTZ001 - as the SDK does
    )


ODD_NAMES = [
    ("a\x00b", "a\ufffdb"),
    ("a\ud800b", "a\ufffdb"),
    ("a\r\n\x9bb", "a  \ufffdb"),
    ("a\tb", "a b"),
    ("é 🗎", "é 🗎"),
]


class TestShareLink:
    @pytest.mark.parametrize(("told", "name"), [*ODD_NAMES, ("n" * 300, "n" * 255)])
    def test_has_a_name_that_can_be_stored(self, told: str, name: str) -> None:
        assert share_link(link(told)).name == name

    def test_tells_when_it_ends(self) -> None:
        assert share_link(link()).expires_at == datetime(2027, 1, 1, tzinfo=UTC)

    def test_may_have_no_id(self) -> None:
        assert share_link(link()).file_id == ""

    @pytest.mark.parametrize(
        ("permissions", "is_public"),
        [
            ({"effective_audience": LinkAudience.public}, True),
            ({"effective_audience": LinkAudience.team, "resolved_visibility": ResolvedVisibility.public}, False),
            ({"resolved_visibility": ResolvedVisibility.public}, True),
            ({"resolved_visibility": ResolvedVisibility.team_only}, False),
            ({}, False),
        ],
    )
    def test_is_public_only_when_dropbox_says_so(self, permissions: dict[str, object], is_public: bool) -> None:
        assert share_link(link(**permissions)).is_public is is_public


class TestCloudFile:
    def test_gets_a_path_where_dropbox_names_none(self) -> None:
        entry = FolderMetadata(name="Runsheets", id="id:1")

        assert cloud_file(entry, directory="/a").path == "/a/Runsheets"

    @pytest.mark.parametrize(("told", "name"), ODD_NAMES)
    def test_has_a_name_that_can_be_stored(self, told: str, name: str) -> None:
        file = cloud_file(FolderMetadata(name=told, id="id:1"), directory="/a")

        assert (file.name, file.path) == (name, f"/a/{name}")


class TestSight:
    @pytest.mark.parametrize(
        ("told", "is_partial"),
        [({"traverse_only": True}, True), ({"no_access": True}, True), ({"read_only": True}, False), ({}, False)],
    )
    def test_of_a_directory_is_kept(self, told: dict[str, bool], is_partial: bool) -> None:
        info = FolderSharingInfo(**{"read_only": False, **told}, parent_shared_folder_id="7", shared_folder_id="8")

        folder = cloud_file(FolderMetadata(name="n", id="id:1", sharing_info=info), directory="/a")

        assert (folder.shared_folder_id, folder.parent_shared_folder_id) == ("8", "7")
        assert folder.is_partial is is_partial
        assert folder.is_read_only is told.get("read_only", False)

    def test_of_a_directory_that_is_not_shared_is_whole(self) -> None:
        folder = cloud_file(FolderMetadata(name="n", id="id:1"), directory="/a")

        assert not folder.is_partial
        assert folder.shared_folder_id == folder.parent_shared_folder_id == ""

    def test_of_a_file_is_never_partial(self) -> None:
        info = FileSharingInfo(read_only=True, parent_shared_folder_id="7")
        entry = FileMetadata(name="n", id="id:1", size=1, server_modified=datetime(2027, 1, 1), sharing_info=info)  # noqa: DTZ001

        file = cloud_file(entry, directory="/a")

        assert (file.parent_shared_folder_id, file.is_read_only, file.is_partial) == ("7", True, False)
