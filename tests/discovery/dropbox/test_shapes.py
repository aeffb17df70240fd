from datetime import UTC, datetime

import pytest
from dropbox.files import FolderMetadata
from dropbox.sharing import FolderLinkMetadata, LinkAudience, LinkPermissions, ResolvedVisibility

from discovery.dropbox.shapes import cloud_file, share_link


def link(name: str = "n", /, **permissions: object) -> FolderLinkMetadata:
    return FolderLinkMetadata(
        url="u",
        name=name,
        link_permissions=LinkPermissions(can_revoke=True, allow_download=True, **permissions),
        expires=datetime(2027, 1, 1),  # noqa: DTZ001 - as the SDK does
    )


ODD_NAMES = [("a\x00b", "a\ufffdb"), ("a\ud800b", "a\ufffdb"), ("a\r\n\x9bb", "a\ufffd\ufffd\ufffdb"), ("é 🗎", "é 🗎")]


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
