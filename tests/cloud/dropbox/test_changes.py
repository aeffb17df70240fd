import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud import errors
from cloud.dropbox import Gateway, gateway_for
from cloud.dropbox.changes import read_page
from cloud.dropbox.forms import OddAnswer
from cloud.files import ChangedEntry
from cloud.models import DropboxAccount
from core.base.clock import now
from tests.cloud.dropbox.conftest import LIST, MORE, union
from tests.discovery.services.odd import MISSING, file, listing
from tests.factories import ARCHIVE, BLM, NUMBER

if TYPE_CHECKING:
    from dropbox_standin.client import Standin


def folder(**changed: Any) -> dict[str, Any]:
    entry = {".tag": "folder", "name": NUMBER, "path_lower": ARCHIVE.lower(), "id": "id:1"}
    return {name: value for name, value in (entry | changed).items() if value != MISSING}


def deleted(**changed: Any) -> dict[str, Any]:
    entry = {".tag": "deleted", "name": NUMBER, "path_lower": ARCHIVE.lower()}
    return {name: value for name, value in (entry | changed).items() if value != MISSING}


def read(entry: Any) -> ChangedEntry:
    (found,) = read_page(listing(entry)).entries
    return found


@pytest.mark.django_db
class TestChanges:
    def test_tell_all_that_lies_there_at_any_depth_in_one_call(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/Master Documents.pdf")

        page = gateway.changes(path=BLM)

        found = {entry.path_lower: entry for entry in page.entries}
        assert {f"{ARCHIVE}{tail}".lower() for tail in ("", "/Runsheets", "/Master Documents.pdf")} <= set(found)
        report = found[f"{ARCHIVE}/Master Documents.pdf".lower()]
        assert (report.name, report.is_directory, report.is_deleted) == ("Master Documents.pdf", False, False)
        assert report.modified_at
        assert report.modified_at.tzinfo is UTC
        assert report.revision
        assert found[ARCHIVE.lower()].is_directory
        assert (page.has_more, page.unmounted, dropbox.calls()) == (False, 0, {LIST: 1})

    def test_ask_for_the_largest_page(self, gateway: Gateway, dropbox: "Standin") -> None:
        gateway.changes(path=BLM)

        (call,) = dropbox.journal(LIST)
        assert (call.args["recursive"], call.args["limit"]) == (True, 2_000)

    def test_go_on_behind_a_cursor(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        before = gateway.changes(path=BLM)
        dropbox.delete(ARCHIVE)

        page = gateway.changes(path=BLM, cursor=before.cursor)

        assert [(entry.path_lower, entry.is_deleted) for entry in page.entries] == [(ARCHIVE.lower(), True)]
        assert dropbox.calls() == {LIST: 1, MORE: 1}

    def test_may_be_of_one_directory_alone(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/Runsheets/")

        page = gateway.changes(path=BLM, is_recursive=False)

        assert [entry.name for entry in page.entries] == [NUMBER]

    def test_come_in_pages(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.put(*[f"{ARCHIVE}/{number}.pdf" for number in range(5)])
        dropbox.page_size(2)

        page = gateway.changes(path=BLM)

        assert page.has_more
        assert len(page.entries) <= 2

    def test_renew_a_token_that_has_expired(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.expire_tokens("olivia")

        assert gateway.changes(path=BLM).cursor

    def test_say_that_there_is_nothing(self, gateway: Gateway) -> None:
        with pytest.raises(errors.NotFound):
            gateway.changes(path="/nowhere")

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"status": 409, "body": union("path", "not_found")}, errors.NotFound),
            ({"status": 409, "body": union("reset")}, errors.ListingReset),
            ({"status": 400, "body": "request body: cursor: Invalid cursor"}, errors.ListingReset),
            ({"status": 409, "body": union("path", "restricted_content")}, errors.DropboxUnavailable),
            ({"status": 409, "body": union("other")}, errors.DropboxUnavailable),
            ({"status": 500}, errors.DropboxUnavailable),
            ({"status": 200, "body": "no listing"}, errors.DropboxUnavailable),
            ({"status": 200, "body": {"entries": []}}, errors.DropboxUnavailable),
        ],
    )
    def test_translate_what_goes_wrong_behind_a_cursor(
        self, gateway: Gateway, dropbox: "Standin", fault: dict[str, Any], error: type[Exception]
    ) -> None:
        cursor = gateway.changes(path=BLM).cursor
        dropbox.fault(MORE, **fault)

        with pytest.raises(error) as caught:
            gateway.changes(path=BLM, cursor=cursor)
        assert type(caught.value) is error

    def test_note_the_pause_that_dropbox_asks_for(self, gateway: Gateway, dropbox: "Standin") -> None:
        dropbox.fault(LIST, status=429, headers={"Retry-After": "30"}, body=union("too_many_requests"))

        with pytest.raises(errors.RateLimited):
            gateway.changes(path=BLM)
        assert DropboxAccount.objects.get().pause_left_s(at=now()) > 20

    def test_keep_the_claim_before_each_call(self, operator: User) -> None:
        kept: list[int] = []

        gateway_for(operator, before_call=lambda: kept.append(1)).changes(path=BLM)

        assert kept == [1]

    def test_never_ask_for_the_root(self, gateway: Gateway) -> None:
        with pytest.raises(ValueError, match="below the root"):
            gateway.changes(path="/")


class TestReadPage:
    def test_reads_a_file(self) -> None:
        found = read(file(id="id:f", rev="0123456789ab", size=7))

        assert found == ChangedEntry(
            path_lower=f"{ARCHIVE}/Master Documents.pdf".lower(),
            name="Master Documents.pdf",
            file_id="id:f",
            revision="0123456789ab",
            size_bytes=7,
            modified_at=datetime(2020, 1, 1, tzinfo=UTC),
        )

    def test_reads_what_is_gone(self) -> None:
        assert read(deleted()) == ChangedEntry(path_lower=ARCHIVE.lower(), name=NUMBER, is_deleted=True)

    @pytest.mark.parametrize(
        ("sharing", "shared", "is_partial"),
        [
            (None, "", False),
            ({}, "", False),
            ({"shared_folder_id": "84"}, "84", False),
            ({"read_only": True, "parent_shared_folder_id": "84"}, "", False),
            ({"traverse_only": True}, "", True),
            ({"shared_folder_id": "84", "no_access": True}, "84", True),
        ],
    )
    def test_reads_how_a_directory_is_shared(self, sharing: Any, shared: str, *, is_partial: bool) -> None:
        found = read(folder(sharing_info=sharing))

        assert (found.shared_folder_id, found.is_partial) == (shared, is_partial)

    @pytest.mark.parametrize("told", [MISSING, None])
    def test_leaves_out_and_counts_what_is_not_mounted(self, told: str | None) -> None:
        page = read_page(json.loads(json.dumps(listing(folder(path_lower=told), deleted()))))

        assert (len(page.entries), page.unmounted) == (1, 1)

    def test_takes_no_time_that_cannot_be_told_everywhere(self) -> None:
        assert read(file(server_modified="9999-12-31T23:59:59Z")).modified_at == datetime(9000, 1, 1, tzinfo=UTC)

    def test_keeps_no_character_that_cannot_be_stored(self) -> None:
        assert read(folder(name="a\tb\0")).name == "a b�"

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            {},
            listing(entries={}),
            listing(cursor=MISSING),
            listing(cursor=""),
            listing(cursor="a b"),
            listing(has_more=MISSING),
            listing(has_more=1),
            listing("text"),  # type: ignore[arg-type]  # what is none
            *(listing(file(**{name: MISSING})) for name in (".tag", "name", "id", "rev", "size", "server_modified")),
            *(listing(file(size=each)) for each in (-1, "1", True, None, 1.5)),
            *(listing(file(rev=each)) for each in ("", "1234", "XYZXYZXYZ", 7)),
            *(listing(file(id=each)) for each in ("", 7, "a b")),
            *(listing(file(server_modified=each)) for each in ("", 7, "2020-01-01", "2020-13-01T00:00:00Z")),
            *(listing(folder(**{name: MISSING})) for name in (".tag", "name", "id")),
            *(listing(folder(name=each)) for each in ("", 7, "a/b", "n" * 5_000)),
            *(listing(folder(path_lower=each)) for each in ("", 7, "a")),
            *(listing(folder(sharing_info=each)) for each in ("text", {"traverse_only": "yes"}, {"no_access": 1})),
            listing(folder(**{".tag": "paper"})),
            listing(folder(**{".tag": ["folder"]})),
            listing(deleted(name=MISSING)),
        ],
        ids=lambda body: json.dumps(body)[:60],
    )
    def test_believes_nothing_of_an_odd_answer(self, body: Any) -> None:
        with pytest.raises(OddAnswer):
            read_page(body)
