"""Each odd form of an answer has an outcome, and it is neither a bug nor "not found"."""

import base64
import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from discovery.dropbox import forms, gateway_for
from discovery.services.share_links import link_that_leads_there
from leases.models import CloudLocation, Lease
from tests.discovery.conftest import ARCHIVE, BLM
from tests.discovery.dropbox.conftest import LINK, LINKS, LIST, METADATA, MORE, TOKEN, union
from tests.discovery.services.odd import Come, run

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

LINK_METADATA = "sharing/get_shared_link_metadata"
ACCOUNT = "users/get_current_account"
REPORT = f"{ARCHIVE}/Master Documents.pdf"
MISSING = "(missing)"
UNAVAILABLE = "dropbox_unavailable"


def file(**changed: Any) -> dict[str, Any]:
    """A report as a listing tells of it; `MISSING` leaves a field out."""
    entry = {
        ".tag": "file",
        "name": "Master Documents.pdf",
        "path_lower": REPORT.lower(),
        "path_display": REPORT,
        "id": "id:abc",
        "rev": "0123456789",
        "size": 1,
        "client_modified": "2020-01-01T00:00:00Z",
        "server_modified": "2020-01-01T00:00:00Z",
    }
    return {name: value for name, value in (entry | changed).items() if value != MISSING}


def listing(*entries: dict[str, Any], **changed: Any) -> dict[str, Any]:
    body = {"entries": list(entries), "cursor": "c1", "has_more": False} | changed
    return {name: value for name, value in body.items() if value != MISSING}


@pytest.fixture
def archive(dropbox: "Standin", lease: Lease) -> Lease:
    """There, with a report in it."""
    dropbox.put(REPORT)
    return lease


def come_of(dropbox: "Standin", lease: Lease, route: str, **fault: Any) -> Come:
    dropbox.fault(route, **({"status": 200} | fault))
    assert lease.created_by is not None
    return run(lease, lease.created_by)


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
        monkeypatch.setattr("discovery.dropbox.gateway.MOST_PAGES", 3)
        dropbox.put(*[f"{ARCHIVE}/{number}" for number in range(5)])
        dropbox.page_size(1)

        come = run(archive, archive.created_by)  # type: ignore[arg-type]

        assert (come.code, "more than 3 pages" in come.sentence) == (UNAVAILABLE, True)

    def test_of_too_many_entries_is_no_report_and_no_lack_of_one(
        self, dropbox: "Standin", archive: Lease, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("discovery.dropbox.gateway.MOST_ENTRIES", 3)
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


def link(url: Any = "https://www.dropbox.com/scl/fo/x?rlkey=y", **changed: Any) -> dict[str, Any]:
    permissions: dict[str, Any] = dict.fromkeys(
        [
            "can_revoke",
            "can_set_expiry",
            "can_remove_expiry",
            "allow_download",
            "can_allow_download",
            "can_disallow_download",
            "allow_comments",
            "team_restricts_comments",
        ],
        True,
    )
    permissions |= {"visibility_policies": [], "effective_audience": {".tag": "public"}}
    body = {
        ".tag": "folder",
        "url": url,
        "id": "id:x",
        "name": "NMNM 0501759",
        "path_lower": ARCHIVE.lower(),
        "link_permissions": permissions,
    }
    return {name: value for name, value in (body | changed).items() if value != MISSING}


def permissions(**changed: Any) -> dict[str, Any]:
    given: dict[str, Any] = link()["link_permissions"]
    return {name: value for name, value in (given | changed).items() if value != MISSING}


class TestNewLink:
    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/scl/fo/x",
            "https://dropbox.com.evil.example/x",
            "https://evildropbox.com/x",
            "https://www.dropbox.com@evil.example/x",
            "https://evil.example\\@www.dropbox.com/x",
            "https://www.dropbox.com:8443/x",
            "https://[::1/x",
            "http://www.dropbox.com/scl/fo/x",
            "javascript:alert(1)//www.dropbox.com",
            "//www.dropbox.com/x",
            "https://www.dropbox.com/" + "x" * 3_000,
            "https://www.dropbox.com/a b",
            "https://www.dropbox.com/\n",
            "https://www.dropbox.com/\x00",
            "https://www.dropbox.com/\ud800",
            "",
        ],
        ids=lambda url: ascii(url)[:60],
    )
    def test_that_is_none_of_dropboxs_is_not_kept_and_the_archive_is_found(
        self, dropbox: "Standin", archive: Lease, url: str
    ) -> None:
        come = come_of(dropbox, archive, LINK, body=link(url))

        assert (come.code, come.report, come.url) == ("found", True, "")
        assert come.refusal.startswith("Dropbox gave an address for the share link that is none of Dropbox's")

    @pytest.mark.parametrize(
        ("body", "is_public"),
        [
            (link(id="id:" + "x" * 4_000), True),
            (link(id=MISSING), True),
            (link(name="n" * 4_000), True),
            (link(name="a\x00\ud800"), True),
            (link(path_lower=MISSING), True),
            (link(path_lower="/" + "x" * 9_000), True),
            (link(expires="9999-12-31T23:59:59Z"), True),
            (link(expires="0001-01-01T00:00:00Z"), True),
            (link(**{".tag": "hologram"}), True),
            # Whoever does not say that anybody may open it says nothing.
            (link(link_permissions=permissions(effective_audience=MISSING)), False),
            (link(link_permissions=permissions(effective_audience={".tag": "other"})), False),
            (link(link_permissions=permissions(effective_audience={".tag": "everybody_new"})), False),
            (link(link_permissions=permissions(effective_audience={".tag": "team"})), False),
        ],
        ids=lambda given: json.dumps(given)[:60],
    )
    def test_is_kept_as_far_as_it_is_told(self, dropbox: "Standin", archive: Lease, body: Any, is_public: bool) -> None:
        come = come_of(dropbox, archive, LINK, body=body)

        assert (come.code, come.url) == ("found", "https://www.dropbox.com/scl/fo/x?rlkey=y")
        assert CloudLocation.objects.get().is_public is is_public

    @pytest.mark.parametrize(
        "body",
        [
            link(url=MISSING),
            link(url=None),
            link(url=7),
            link(name=MISSING),
            link(link_permissions=MISSING),
            link(link_permissions={}),
            link(link_permissions=None),
            link(link_permissions=permissions(can_revoke="yes")),
            link(expires="never"),
            {},
            [link()],
        ],
        ids=lambda given: json.dumps(given)[:60],
    )
    def test_that_is_damaged_is_asked_for_again(self, dropbox: "Standin", archive: Lease, body: Any) -> None:
        come = come_of(dropbox, archive, LINK, body=body)

        assert come.code == UNAVAILABLE

    @pytest.mark.parametrize(
        "existing",
        [None, {".tag": "other"}, {".tag": "metadata"}, {".tag": "metadata", "metadata": link(url=MISSING)}, "x"],
        ids=str,
    )
    def test_that_exists_and_is_not_shown_is_looked_for(
        self, dropbox: "Standin", archive: Lease, existing: Any
    ) -> None:
        dropbox.embed_existing(on=True)
        made = gateway_for(archive.created_by).create_share_link(path=ARCHIVE)
        body = union("shared_link_already_exists")
        body["error"]["shared_link_already_exists"] = existing

        come = come_of(dropbox, archive, LINK, status=409, body=body)

        assert (come.code, come.url) == ("found", made.url)

    @pytest.mark.parametrize(
        "links",
        [
            [],
            [link(path_lower=BLM.lower(), id="id:parent")],
            [link(path_lower=MISSING, id=MISSING)],
            [link(path_lower=MISSING, id="id:another")],
        ],
        ids=["none", "the parent's", "of nothing that is told", "another's"],
    )
    def test_that_leads_elsewhere_is_none(self, dropbox: "Standin", archive: Lease, links: Any) -> None:
        """Whoever has the link of the folder above has all archives."""
        dropbox.fault(LINKS, status=200, body={"links": links, "has_more": False})

        come = come_of(dropbox, archive, LINK, status=409, body=union("shared_link_already_exists"))

        assert (come.code, come.url) == (UNAVAILABLE, "")

    def test_is_the_one_of_several_that_leads_there(self, dropbox: "Standin", archive: Lease) -> None:
        links = [link("https://www.dropbox.com/parent", path_lower=BLM.lower(), id="id:parent"), link()]
        dropbox.fault(LINKS, status=200, body={"links": links, "has_more": False})

        come = come_of(dropbox, archive, LINK, status=409, body=union("shared_link_already_exists"))

        assert come.url == link()["url"]


class TestStoredLink:
    @pytest.fixture
    def url(self, archive: Lease) -> str:
        return gateway_for(archive.created_by).create_share_link(path=ARCHIVE).url

    @pytest.mark.parametrize(
        ("changed", "agrees"),
        [
            ({}, True),
            ({"path_lower": ARCHIVE.upper()}, True),
            ({"path_lower": MISSING}, False),
            ({"path_lower": MISSING, "id": MISSING}, False),
            ({"path_lower": "/elsewhere"}, False),
        ],
        ids=str,
    )
    def test_is_believed_only_for_what_is_told(
        self, dropbox: "Standin", archive: Lease, url: str, changed: dict[str, Any], agrees: bool
    ) -> None:
        dropbox.fault(LINK_METADATA, status=200, body=link(**changed))

        assert bool(link_that_leads_there(url=url, path=ARCHIVE, gateway=gateway_for(archive.created_by))) is agrees

    def test_of_which_no_path_is_told_is_known_by_its_id(self, dropbox: "Standin", archive: Lease, url: str) -> None:
        gateway = gateway_for(archive.created_by)
        folder = gateway.metadata(path=ARCHIVE)
        dropbox.fault(LINK_METADATA, status=200, body=link(path_lower=MISSING, id=folder.file_id))

        assert link_that_leads_there(url=url, path=ARCHIVE, gateway=gateway)

    def test_nothing_without_an_id_is_the_same_as_nothing(self, dropbox: "Standin", archive: Lease, url: str) -> None:
        nameless = {".tag": "folder", "name": "n", "id": "x" * 400, "path_display": ARCHIVE}
        dropbox.fault(LINK_METADATA, status=200, body=link(path_lower=MISSING, id="x" * 400))
        dropbox.fault(METADATA, status=200, body=nameless)

        assert not link_that_leads_there(url=url, path=ARCHIVE, gateway=gateway_for(archive.created_by))


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


class TestForms:
    def test_of_links_are_those_of_dropbox_and_of_what_takes_its_place(self, dropbox: "Standin") -> None:
        assert forms.is_link("https://www.dropbox.com/scl/fo/x?rlkey=y&dl=0")
        assert forms.is_link("https://db.tt/x")
        assert forms.is_link(f"{dropbox.base_url}/scl/fo/x")
        assert not forms.is_link(None)
