"""Each odd form of an answer has an outcome, and it is neither a bug nor "not found"."""

import base64
import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from cloud.dropbox import gateway_for
from leases.models import Lease
from tests.cloud.dropbox.conftest import LINK, LIST, METADATA, MORE, TOKEN, union
from tests.discovery.services.odd import MISSING, REPORT, UNAVAILABLE, come_of, file, listing, run
from tests.factories import ARCHIVE

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(dropbox: "Standin", lease: Lease) -> Lease:
    """There, with a report in it."""
    dropbox.put(REPORT)
    return lease


class TestListing:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            # What is deleted is not there, and says nothing of the rest.
            (listing(file(), {".tag": "deleted", "name": "old.pdf"}), "found"),
            (listing(file(id="id:" + "x" * 4_000)), "found"),
            (listing(file(id="id:\x00")), "found"),
            (listing(file(path_display=MISSING, path_lower=MISSING)), "found"),
            (listing(file(path_display="Master Documents.pdf")), "found"),
            (listing(file(name="x" * 300 + " Master Documents.pdf")), "found"),
            (listing(file(server_modified="9999-12-31T23:59:59Z")), "found"),
            (listing(file(server_modified="0001-01-01T00:00:00Z")), "found"),
            (listing(file(strange={"deep": [1]})), "found"),
            (listing(file(sharing_info={"read_only": True, "parent_shared_folder_id": "9" * 5_000})), "found"),
            (listing(file(), {".tag": "hologram", "name": "h"}), UNAVAILABLE),
            (listing(file(), {"name": "h"}), UNAVAILABLE),
            (listing(file(), None), UNAVAILABLE),  # type: ignore[arg-type]
            (listing(file(), "x"), UNAVAILABLE),  # type: ignore[arg-type]
            (listing(file(name=MISSING)), UNAVAILABLE),
            (listing(file(name="")), UNAVAILABLE),
            (listing(file(name=7)), UNAVAILABLE),
            (listing(file(name=None)), UNAVAILABLE),
            (listing(file(name="a/b")), UNAVAILABLE),
            (listing(file(name="x" * 5_000)), UNAVAILABLE),
            (listing(file(path_display="/" + "x" * 5_000)), UNAVAILABLE),
            (listing(file(id=MISSING)), UNAVAILABLE),
            (listing(file(size=-1)), UNAVAILABLE),
            (listing(file(size="big")), UNAVAILABLE),
            (listing(file(server_modified="yesterday")), UNAVAILABLE),
            (listing(file(), has_more=MISSING), UNAVAILABLE),
            (listing(file(), has_more=None), UNAVAILABLE),
            (listing(file(), has_more="false"), UNAVAILABLE),
            (listing(file(), has_more=0), UNAVAILABLE),
            (listing(file(), has_more=True, cursor=""), UNAVAILABLE),
            (listing(file(), has_more=True, cursor="c\r\nX: y"), UNAVAILABLE),
            (listing(file(), has_more=True, cursor="c" * 70_000), UNAVAILABLE),
            (listing(file(), cursor=MISSING), UNAVAILABLE),
            (listing(entries=MISSING), UNAVAILABLE),
            (listing(entries=None), UNAVAILABLE),
            (listing(entries={}), UNAVAILABLE),
            ([], UNAVAILABLE),
        ],
        ids=lambda given: json.dumps(given)[:120] if not isinstance(given, str) else given,
    )
    def test_has_an_outcome(self, dropbox: "Standin", archive: Lease, body: Any, code: str) -> None:
        come = come_of(dropbox, archive, LIST, body=body)

        assert come.code == code
        assert come.report is (True if code == "found" else None)

    def test_says_what_is_odd(self, dropbox: "Standin", archive: Lease) -> None:
        come = come_of(dropbox, archive, LIST, body=listing(file(name="")))

        assert come.sentence == "Dropbox's answer cannot be used: a name is empty."
        assert come.evidence["cause"] == "OddAnswer"
        assert come.evidence["request_id"]

    def test_finds_a_name_with_a_tab(self, dropbox: "Standin", archive: Lease) -> None:
        assert come_of(dropbox, archive, LIST, body=listing(file(name="Master\tDocuments.pdf"))).report


class TestListingWithoutEnd:
    @pytest.mark.parametrize(
        ("page", "how", "at_most"),
        [
            (listing(file(), has_more=True), "the same place comes again", 3),
            (listing(has_more=True), "51 pages without an entry", 52),
        ],
    )
    def test_is_left(self, dropbox: "Standin", archive: Lease, page: Any, how: str, at_most: int) -> None:
        for route in (LIST, MORE):
            dropbox.fault(route, status=200, body=page, times=1_000)

        come = run(archive, archive.created_by)  # type: ignore[arg-type]

        assert (come.code, how in come.sentence) == (UNAVAILABLE, True)
        assert sum(dropbox.calls().values()) <= at_most
        assert come.evidence["route"] == MORE

    def test_may_be_told_the_same_place_while_nothing_comes(self, dropbox: "Standin", archive: Lease) -> None:
        dropbox.fault(LIST, status=200, body=listing(has_more=True))
        dropbox.fault(MORE, status=200, body=listing(has_more=True), times=3)
        dropbox.fault(MORE, status=200, body=listing(file()))

        assert run(archive, archive.created_by).report  # type: ignore[arg-type]

    def test_of_too_many_pages_is_left(
        self, dropbox: "Standin", archive: Lease, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cloud.dropbox.shapes.MOST_PAGES", 3)
        dropbox.put(*[f"{ARCHIVE}/{number}" for number in range(5)])
        dropbox.page_size(1)

        come = run(archive, archive.created_by)  # type: ignore[arg-type]

        assert (come.code, "more than 3 pages" in come.sentence) == (UNAVAILABLE, True)

    def test_of_too_many_entries_is_no_report_and_no_lack_of_one(
        self, dropbox: "Standin", archive: Lease, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cloud.dropbox.gateway.MOST_ENTRIES", 3)
        dropbox.put(*[f"{ARCHIVE}/{number}" for number in range(5)])

        come = run(archive, archive.created_by)  # type: ignore[arg-type]

        assert come.code == "directory_too_large"
        assert "holds more than 3 files and directories" in come.sentence


class TestMetadata:
    """Of the folder that holds all archives, before "not found" is believed."""

    @pytest.mark.parametrize(
        "body",
        [
            {".tag": "deleted", "name": "Runsheet Archive"},
            {".tag": "hologram", "name": "Runsheet Archive"},
            {"name": "Runsheet Archive", "id": "id:1"},
            {".tag": "folder", "name": "Runsheet Archive"},
            {".tag": "folder", "name": "", "id": "id:1"},
            {".tag": "folder", "name": ["x"], "id": "id:1"},
            {},
            [],
            None,
        ],
        ids=str,
    )
    def test_proves_nothing_where_it_is_odd(self, dropbox: "Standin", lease: Lease, body: Any) -> None:
        come = come_of(dropbox, lease, METADATA, body="null" if body is None else body, content_type="application/json")

        assert come.code == UNAVAILABLE


class TestRefusedInWords:
    """A 400 has no tag."""

    @pytest.mark.parametrize(
        ("text", "code", "sentence"),
        [
            ("Path root is not supported for sandbox app.", "app_folder_only", "Full Dropbox"),
            ("This app is currently disabled.", "app_disabled", "disabled this app"),
            ("This app has reached its user limit. Contact the app developer.", "app_full", "limit of users"),
            (
                (
                    "Your app is not permitted to access this endpoint because it does not have the required scope "
                    "'files.metadata.read'. The owner of the app can enable the scope."
                ),
                "connect_dropbox",
                "The Dropbox app lacks the permission files.metadata.read.",
            ),
            ("Something new.", "dropbox_refused", "refuses this request"),
        ],
    )
    def test_has_a_sentence_of_its_own(
        self, dropbox: "Standin", archive: Lease, text: str, code: str, sentence: str
    ) -> None:
        body = f'Error in call to API function "files/list_folder": {text}'

        come = come_of(dropbox, archive, LIST, status=400, body=body)

        assert (come.code, sentence in come.sentence) == (code, True)
        assert come.evidence["text"] == body[:300]

    def test_is_kept_and_logged_without_secrets(
        self, dropbox: "Standin", archive: Lease, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = gateway_for(archive.created_by).account.access_token
        secrets = (token, "olivia@example.com", "https://www.dropbox.com/scl/fo/x?rlkey=y")

        come = come_of(dropbox, archive, LIST, status=400, body=f"No.\r\n\x00 {' '.join(secrets)} {'x' * 9_000}")

        assert come.evidence["text"].startswith("No.  \ufffd [redacted] [redacted] [link]")
        assert len(come.evidence["text"]) <= 300
        assert not any(secret in caplog.text for secret in secrets)
        assert "dropbox_refused (400 No." in caplog.text

    @pytest.mark.parametrize(
        "text", ["The given OAuth 2 access token is malformed.", 'Invalid authorization value in HTTP header "Auth"']
    )
    def test_of_a_malformed_token_renews_it_once(self, dropbox: "Standin", archive: Lease, text: str) -> None:
        come = come_of(dropbox, archive, LIST, status=400, body=text)

        assert (come.code, come.report) == ("found", True)
        assert dropbox.calls() == {LIST: 2, TOKEN: 1, LINK: 1}

    def test_of_a_token_that_stays_malformed_asks_to_connect(self, dropbox: "Standin", archive: Lease) -> None:
        come = come_of(dropbox, archive, LIST, status=400, body="access token is malformed", times=2)

        assert come.code == "connect_dropbox"
        assert run(archive, archive.created_by).code == "connect_dropbox"  # type: ignore[arg-type]
        assert dropbox.calls() == {LIST: 2, TOKEN: 1}

    def test_of_a_cursor_begins_the_listing_anew(self, dropbox: "Standin", archive: Lease) -> None:
        dropbox.put(f"{ARCHIVE}/b")
        dropbox.page_size(1)

        assert come_of(dropbox, archive, MORE, status=400, body='Invalid "cursor" parameter').code == UNAVAILABLE

    def test_is_not_the_page_of_a_proxy(self, dropbox: "Standin", archive: Lease) -> None:
        come = come_of(dropbox, archive, LIST, kind="html", status=400)

        assert "text" not in come.evidence


def packed(content: bytes, **headers: str) -> dict[str, Any]:
    return {
        "body_base64": base64.b64encode(content).decode(),
        "headers": headers,
        "content_type": "application/json",
    }


@pytest.mark.long
class TestSize:
    def test_of_a_packed_answer_is_no_matter(self, dropbox: "Standin", archive: Lease) -> None:
        content = gzip.compress(json.dumps(listing(file())).encode())

        assert come_of(dropbox, archive, LIST, **packed(content, **{"Content-Encoding": "gzip"})).report

    @pytest.mark.parametrize("status", [200, 409])
    def test_is_bounded_also_unpacked(self, dropbox: "Standin", archive: Lease, status: int) -> None:
        bomb = gzip.compress(b" " * 128 * 1024 * 1024, compresslevel=6)
        fault = packed(bomb, **{"Content-Encoding": "gzip"})
        del bomb
        gateway_for(archive.created_by)  # whatever is imported for the first time is not counted

        tracemalloc.start()
        come = come_of(dropbox, archive, LIST, status=status, **fault)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert come.code == UNAVAILABLE
        assert come.evidence["cause"] == "AnswerTooLong"
        assert peak < 48 * 1024 * 1024

    @pytest.mark.parametrize(
        "content", [b"not packed at all", gzip.compress(b'{"entries": []}')[:-12]], ids=["not packed", "cut off"]
    )
    def test_of_what_cannot_be_unpacked_is_none(self, dropbox: "Standin", archive: Lease, content: bytes) -> None:
        assert come_of(dropbox, archive, LIST, **packed(content, **{"Content-Encoding": "gzip"})).code == UNAVAILABLE

    @pytest.mark.parametrize("route", [LIST, LINK, TOKEN])
    @pytest.mark.parametrize("status", [200, 400, 401, 409])
    def test_in_depth_is_bounded(self, dropbox: "Standin", archive: Lease, route: str, status: int) -> None:
        if route == TOKEN:
            dropbox.fault(LIST, status=401, body=union("expired_access_token"))
        deep = b'{"error":' * 60_000 + b"1" + b"}" * 60_000

        come = come_of(dropbox, archive, route, status=status, **packed(deep))

        assert come.code in (UNAVAILABLE, "dropbox_refused")

    def test_of_a_union_in_a_union_is_bounded(self, dropbox: "Standin", archive: Lease) -> None:
        come = come_of(dropbox, archive, LIST, status=409, body=union(*["path"] * 50, "not_found"))

        assert come.code == UNAVAILABLE
        assert come.evidence["error"] == "path/path/path/path"
