"""What fake-gcs-server does not look at: the condition of a streamed upload, signatures, who asks."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from google.auth.exceptions import RefreshError, TransportError

from core.base.errors import RunsheetError
from storage.backends.errors import Denied, NotFound, Unavailable
from storage.backends.gcs import GcsStorage, _word
from storage.backends.stored import PIECE_BYTES
from tests.storage.backends.conftest import Stores

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("storage-gcs")]


@pytest.fixture
def storage(running: Stores) -> GcsStorage:
    return GcsStorage(**running.options("gcs"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is asked, with the method."""
    found: list[tuple[str, str]] = []
    request = requests.Session.request

    def noted(session: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
        found.append((method, url))
        return request(session, method, url, *args, **options)

    monkeypatch.setattr(requests.Session, "request", noted)
    return found


class TestPut:
    @pytest.mark.parametrize("exclusive", [True, False])
    def test_of_a_large_file_says_whether_it_may_replace_one(
        self, storage: GcsStorage, asked: list[tuple[str, str]], exclusive: bool
    ) -> None:
        storage.put("gcs/large", [b"x" * (PIECE_BYTES + 1)], exclusive=exclusive)

        (begun,) = [parse_qs(urlsplit(url).query) for method, url in asked if method == "POST"]
        assert begun["uploadType"] == ["resumable"]
        assert begun.get("ifGenerationMatch") == (["0"] if exclusive else None)


class TestStream:
    def test_keeps_to_the_file_of_which_the_first_piece_was(
        self, storage: GcsStorage, asked: list[tuple[str, str]]
    ) -> None:
        storage.put("gcs/pinned", [b"x" * (2 * PIECE_BYTES)])

        assert sum(map(len, storage.stream("gcs/pinned"))) == 2 * PIECE_BYTES
        read = [url for _, url in asked if "/download/" in url]
        assert len(read) == 3
        assert ["generation=" in url for url in read] == [False, True, True]

    def test_of_a_file_that_is_gone_in_the_middle_is_no_end(self, storage: GcsStorage) -> None:
        storage.put("gcs/gone", [b"x" * (PIECE_BYTES + 1)])
        found = storage.stream("gcs/gone")
        next(found)

        storage.delete("gcs/gone")

        with pytest.raises(Unavailable, match="was replaced while it was read"):
            list(found)


class TestSign:
    def test_names_the_file_its_time_and_who_vouches(self, storage: GcsStorage) -> None:
        parts = urlsplit(storage.sign("gcs/straße", seconds=60, name="Straße.pdf"))

        query = {name: value for name, (value,) in parse_qs(parts.query).items()}
        assert parts.path == "/runsheet/gcs/stra%C3%9Fe"
        assert query["X-Goog-Expires"] == "60"
        assert query["X-Goog-Credential"].startswith("runsheet@example.com/")
        assert (
            query["response-content-disposition"]
            == "attachment; filename=\"Stra_e.pdf\"; filename*=utf-8''Stra%C3%9Fe.pdf"
        )
        assert len(query["X-Goog-Signature"]) == 512


class TestCredentials:
    @pytest.mark.parametrize(
        ("error", "failure"),
        [
            (RefreshError("invalid_grant"), Denied),  # type: ignore[no-untyped-call]  # theirs
            (TransportError("no route"), Unavailable),  # type: ignore[no-untyped-call]  # theirs
        ],
        ids=["refused", "not to be asked for"],
    )
    def test_that_do_not_work_are_no_file_that_is_missing(
        self, storage: GcsStorage, monkeypatch: pytest.MonkeyPatch, error: Exception, failure: type[RunsheetError]
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(requests.Session, "request", refuse)

        with pytest.raises(failure):
            storage.stat("gcs/any")

    def test_are_those_of_the_account_where_google_is_asked(self, running: Stores) -> None:
        storage = GcsStorage(**running.options("gcs") | {"endpoint_url": ""})

        assert storage.client.project == "runsheet"
        assert storage.client._credentials.service_account_email == "runsheet@example.com"


class TestWord:
    def test_is_empty_where_the_answer_has_none(self) -> None:
        assert _word(None) == ""

    def test_of_what_is_missing_stands_in_the_evidence(self, storage: GcsStorage) -> None:
        with pytest.raises(NotFound) as missing:
            storage.stat("gcs/none")

        assert missing.value.evidence["status"] == 404
