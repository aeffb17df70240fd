"""How names are stored and found, and which may not be written."""

import unicodedata
from typing import TYPE_CHECKING

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import tags

if TYPE_CHECKING:
    from collections.abc import Callable

COMPOSED = "Résumé Å"
TAKEN_APART = unicodedata.normalize("NFD", COMPOSED)


class TestForms:
    def test_are_stored_composed_and_found_by_either(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")
        made = team.files_create_folder_v2(f"/A/{TAKEN_APART}").metadata

        assert made.name == COMPOSED
        assert team.files_get_metadata(f"/A/{TAKEN_APART}").id == made.id
        assert team.files_get_metadata(f"/a/{COMPOSED.upper()}").id == made.id

    def test_make_one_folder_and_not_two(self, standin: Standin, team: Dropbox) -> None:
        standin.put(f"/A/{TAKEN_APART}/x.txt", f"/A/{COMPOSED}/y.txt")

        with pytest.raises(ApiError) as caught:
            team.files_create_folder_v2(f"/A/{COMPOSED}")

        assert tags(caught.value.error) == "path/conflict/folder"
        assert standin.tree() == ("/A/", f"/A/{COMPOSED}/", f"/A/{COMPOSED}/x.txt", f"/A/{COMPOSED}/y.txt")

    def test_are_composed_by_uploads_and_moves(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/plain.txt")

        assert team.files_upload(b"", f"/A/{TAKEN_APART}.txt").name == f"{COMPOSED}.txt"
        assert team.files_move_v2("/A/plain.txt", f"/A/{TAKEN_APART}").metadata.name == COMPOSED


class TestDisallowed:
    @pytest.mark.parametrize("name", ["desktop.ini", "Thumbs.DB", ".dropbox", ".DS_Store", "trailing ", "wide\u2003"])
    def test_is_not_written(self, standin: Standin, team: Dropbox, name: str) -> None:
        standin.put("/A/b.txt")

        attempts: tuple[Callable[[], object], ...] = (
            lambda: team.files_create_folder_v2(f"/A/{name}"),
            lambda: team.files_create_folder_v2(f"/A/{name}/beneath"),
            lambda: team.files_upload(b"", f"/A/{name}"),
            lambda: team.files_move_v2("/A/b.txt", f"/A/{name}"),
            lambda: team.files_copy_v2("/A/b.txt", f"/A/{name}"),
        )
        for attempt in attempts:
            with pytest.raises(ApiError) as caught:
                attempt()
            assert tags(caught.value.error).endswith("/disallowed_name")
        assert standin.tree() == ("/A/", "/A/b.txt")

    def test_does_not_keep_what_is_there_from_being_found(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/b/")

        assert team.files_get_metadata("/A /b ").path_display == "/A/b"
        assert team.files_create_folder_v2("/A /b /c").metadata.path_display == "/A/b/c"

    @pytest.mark.parametrize("name", ["desktop.ini.pdf", "my thumbs.db.txt", "dropbox", " leading"])
    def test_is_not_what_only_looks_like_it(self, standin: Standin, team: Dropbox, name: str) -> None:
        standin.put("/A/")

        assert team.files_create_folder_v2(f"/A/{name}").metadata.name == name
