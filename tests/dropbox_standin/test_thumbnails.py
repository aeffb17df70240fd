"""No pictures are drawn, and the answers say so."""

import pytest
from dropbox import Dropbox
from dropbox.exceptions import ApiError
from dropbox.files import PathOrLink, SharedLinkFileInfo
from dropbox.sharing import SharedLinkSettings

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import raw_call


def refusal(client: Dropbox, resource: PathOrLink) -> str:
    with pytest.raises(ApiError) as caught:
        client.files_get_thumbnail_v2(resource)
    error = caught.value.error
    return f"path/{error.get_path()._tag}" if error.is_path() else str(error._tag)


class TestThumbnail:
    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/picture.JPG", "conversion_error"),
            ("/report.pdf", "unsupported_extension"),
            ("/A", "path/not_file"),
            ("/missing.jpg", "path/not_found"),
        ],
    )
    def test_is_refused_for_what_is_at_the_path(self, standin: Standin, team: Dropbox, path: str, reason: str) -> None:
        standin.put("/picture.jpg", "/report.pdf", "/A/")

        assert refusal(team, PathOrLink.path(path)) == reason

    def test_is_refused_for_what_a_link_leads_to(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/picture.png", "/B/picture.png")
        url = team.sharing_create_shared_link_with_settings("/A").url
        locked = team.sharing_create_shared_link_with_settings("/B", SharedLinkSettings(link_password="open")).url

        def by(url: str, path: str | None, password: str | None = None) -> str:
            return refusal(team, PathOrLink.link(SharedLinkFileInfo(url, path, password)))

        assert by(url, "/picture.png") == "conversion_error"
        assert by(url, "/missing.png") == "not_found"
        assert by("https://www.dropbox.com/scl/fo/strange", None) == "not_found"
        assert by(locked, "/picture.png") == "access_denied"
        assert by(locked, "/picture.png", "open") == "conversion_error"

    @pytest.mark.parametrize("resource", ['"/a.png"', '{".tag":"path"}', '{".tag":"link","path":"/a.png"}'])
    def test_needs_a_path_or_a_link(self, standin: Standin, resource: str) -> None:
        argument = f'{{"resource":{resource}}}'

        response = raw_call(standin, "files/get_thumbnail_v2", headers={"Dropbox-API-Arg": argument})

        assert (response.status_code, "resource: " in response.text) == (400, True)
