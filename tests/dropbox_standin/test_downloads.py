"""Content, whole and in part, and the links that lead to it."""

import pytest
import requests
from dropbox import Dropbox
from dropbox.exceptions import ApiError

from dropbox_standin.client import Standin
from tests.dropbox_standin.clients import raw_call, sdk


class TestDownload:
    def test_serves_a_range(self, standin: Standin) -> None:
        standin.put("/b.txt", content="0123456789", home="olivia")

        response = raw_call(
            standin, "files/download", headers={"Dropbox-API-Arg": '{"path":"/b.txt"}', "Range": "bytes=2-4"}
        )

        assert (response.status_code, response.content) == (206, b"234")
        assert response.headers["Content-Range"] == "bytes 2-4/10"

    def test_refuses_a_range_beyond_the_end(self, standin: Standin) -> None:
        standin.put("/b.txt", content="01", home="olivia")

        response = raw_call(
            standin, "files/download", headers={"Dropbox-API-Arg": '{"path":"/b.txt"}', "Range": "bytes=2-"}
        )

        assert response.status_code == 416
        assert response.headers["Content-Range"] == "bytes */2"

    @pytest.mark.parametrize(
        ("asked", "content", "told"),
        [
            ("bytes=-3", b"789", "bytes 7-9/10"),
            ("bytes=-99", b"0123456789", "bytes 0-9/10"),
            ("bytes=8-99", b"89", "bytes 8-9/10"),
            ("bytes=4-", b"456789", "bytes 4-9/10"),
            ("bytes=0-1,3-4", b"0123456789", None),
            ("bytes=-", b"0123456789", None),
        ],
    )
    def test_reads_every_kind_of_range(self, standin: Standin, asked: str, content: bytes, told: str | None) -> None:
        standin.put("/b.txt", content="0123456789", home="olivia")

        response = raw_call(standin, "files/download", headers={"Dropbox-API-Arg": '{"path":"/b.txt"}', "Range": asked})

        assert (response.content, response.headers.get("Content-Range")) == (content, told)

    def test_can_be_got_with_all_that_is_said_in_the_address(self, standin: Standin) -> None:
        standin.put("/Größe.txt", content="content", home="olivia")
        token = standin.issue_tokens("olivia").access_token

        response = requests.get(
            f"{standin.base_url}/2/files/download",
            params={"arg": '{"path":"/Größe.txt"}', "authorization": f"Bearer {token}"},
            timeout=10,
        )

        assert (response.status_code, response.content) == (200, b"content")
        (call,) = standin.journal("files/download")
        assert (call.account_id, call.path) == (standin.account("olivia").account_id, "/Größe.txt")

    def test_alone_can_be_got(self, standin: Standin) -> None:
        for route in ("files/upload", "files/get_metadata", "check/user"):
            response = requests.get(f"{standin.base_url}/2/{route}", timeout=10)
            assert (response.status_code, "HTTP method" in response.text) == (400, True)

    def test_sends_nothing_to_who_has_the_revision(self, standin: Standin, home: Dropbox) -> None:
        standin.put("/b.txt", content="one", home="olivia")
        argument = {"Dropbox-API-Arg": '{"path":"/b.txt"}'}
        etag = raw_call(standin, "files/download", headers=argument).headers["ETag"]

        known = raw_call(standin, "files/download", headers={**argument, "If-None-Match": f'W/"1", {etag}'})
        standin.put("/b.txt", content="two", home="olivia")
        changed = raw_call(standin, "files/download", headers={**argument, "If-None-Match": etag})

        assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", etag)
        assert (changed.status_code, changed.content) == (200, b"two")

    def test_gives_an_older_revision(self, standin: Standin, home: Dropbox) -> None:
        old = home.files_upload(b"one", "/b.txt")
        standin.put("/b.txt", content="two", home="olivia")

        assert home.files_download("/b.txt", rev=old.rev)[1].content == b"one"
        assert home.files_download(f"rev:{old.rev}")[1].content == b"one"

    def test_names_a_file_beyond_ascii_in_its_header(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/Größe ½.txt")

        metadata, _ = team.files_download("/größe ½.TXT")

        assert metadata.name == "Größe ½.txt"

    def test_of_a_folder_is_refused(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/A/")

        with pytest.raises(ApiError) as caught:
            team.files_download("/A")

        assert caught.value.error.get_path().is_not_file()


class TestTemporaryLink:
    def test_serves_the_content_without_a_token_for_four_hours(self, standin: Standin, team: Dropbox) -> None:
        standin.put("/b.txt", content="content")
        link = team.files_get_temporary_link("/b.txt").link

        served = requests.get(link, timeout=10)
        assert (served.content, served.headers["Content-Type"]) == (b"content", "text/plain; charset=utf-8")
        standin.advance_clock(4 * 3600 + 1)
        assert requests.get(link, timeout=10).status_code == 410

    def test_of_a_kind_unknown_is_bytes(self, standin: Standin, home: Dropbox) -> None:
        standin.put("/b.unheard-of", home="olivia")

        served = requests.get(home.files_get_temporary_link("/b.unheard-of").link, timeout=10)

        assert served.headers["Content-Type"] == "application/octet-stream"

    def test_asks_for_a_verified_address(self, standin: Standin) -> None:
        standin.create_account("mia", email_verified=False)
        standin.put("/b.txt", home="mia")

        with pytest.raises(ApiError) as caught:
            sdk(standin, "mia").files_get_temporary_link("/b.txt")

        assert caught.value.error.is_email_not_verified()

    def test_is_for_what_is_there_now_and_not_for_a_revision(self, standin: Standin) -> None:
        response = raw_call(standin, "files/get_temporary_link", json={"path": "/b.txt", "rev": "0123456789"})

        assert (response.status_code, "unknown field 'rev'" in response.text) == (400, True)


class TestArgumentInTheHeader:
    @pytest.mark.parametrize("path", ["/Größe ½.txt", "/Gr\\u00f6\\u00dfe ½.txt"])
    def test_is_utf_8_or_escaped(self, standin: Standin, path: str) -> None:
        standin.put("/Größe ½.txt", home="olivia")

        response = raw_call(standin, "files/download", headers={"Dropbox-API-Arg": f'{{"path":"{path}"}}'.encode()})

        assert response.status_code == 200

    def test_of_another_encoding_is_a_bad_request(self, standin: Standin) -> None:
        argument = '{"path":"/Größe.txt"}'

        latin = raw_call(standin, "files/download", headers={"Dropbox-API-Arg": argument.encode("latin-1")})
        wide = raw_call(
            standin,
            "files/get_metadata",
            data=argument.encode("utf-16"),
            headers={"Content-Type": "application/json"},
        )

        for response in (latin, wide):
            assert (response.status_code, "could not decode input as JSON" in response.text) == (400, True)
