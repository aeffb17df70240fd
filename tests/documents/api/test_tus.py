"""Uploads in several requests: the protocol, what is left of whatever breaks off, and whoever means harm."""

import hashlib
import io
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from pytest_django.fixtures import Settings

from api.models import ApiToken
from api.scopes import Scope
from core.base.clock import now
from documents import duties, tus
from documents.errors import UploadOvertaken
from documents.models import Document, DocumentVersion, Leftover, PartialPiece, PartialUpload, Quota, Stage, Upload
from documents.services import documents, finishing, partial
from documents.states import State
from statemachine.errors import Stale
from storage.backends.errors import Unavailable
from storage.backends.local import LocalStorage
from tests.api.conftest import code_of, made
from tests.api.conftest import program as program_of
from tests.documents.api.conftest import DOCUMENTS, Program
from tests.documents.making import DEED, PDF, Files, verified, worked
from tests.factories import settled

pytestmark = pytest.mark.django_db

TUS = f"{DOCUMENTS}tus/"
LARGE = bytes(range(256)) * 10_000  # more than two pieces
PIECE = 1024 * 1024
NAMED = {"filename": DEED, "filetype": "application/pdf"}


def metadata(said: Mapping[str, str]) -> str:
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in said.items())


def checksum(body: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {b64encode(hashlib.new(algorithm, body).digest()).decode()}"


class Sender:
    """A client that speaks tus, and nothing else."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def ask(self, method: str, url: str, body: bytes = b"", kind: str = tus.BYTES, **said: str) -> Any:
        headers = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in said.items()}
        return self.client.generic(
            method, url, body, kind, headers={name: each for name, each in headers.items() if each}
        )

    def begin(self, length: int = len(LARGE), said: Mapping[str, str] = NAMED, at: str = TUS, **headers: Any) -> Any:
        return self.ask("POST", at, kind="", Upload_Length=str(length), Upload_Metadata=metadata(said), **headers)

    def begun(self, length: int = len(LARGE), said: Mapping[str, str] = NAMED) -> str:
        answer = self.begin(length, said)
        assert answer.status_code == 201, answer.content
        return str(answer["Location"])

    def send(self, url: str, body: bytes, at: int = 0, **said: str) -> Any:
        return self.ask("PATCH", url, body, Upload_Offset=str(at), **said)

    def cut(self, url: str, body: bytes, announced: int, at: int = 0, **said: str) -> Any:
        """The connection breaks before all has come that was announced."""
        extra: Any = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(announced), "CONTENT_TYPE": tus.BYTES}
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(at), **said}
        return self.client.generic("PATCH", url, b"", tus.BYTES, headers=headers, **extra)

    def offset(self, url: str) -> int:
        return int(self.ask("HEAD", url)["Upload-Offset"])


@pytest.fixture
def sender(oscar: Program, monkeypatch: pytest.MonkeyPatch) -> Sender:
    monkeypatch.setattr(partial, "PIECE_BYTES", PIECE)
    return Sender(oscar.client)


def nothing_is_left(files: Files) -> None:
    """Once the duties have been there."""
    duties.finish_uploads()
    duties.sweep()
    assert files.all() == {}
    assert not Upload.objects.exists()
    assert not Quota.objects.exclude(used_bytes=0, reserved_bytes=0).exists()
    assert not PartialUpload.objects.filter(is_cleared=False).exists()


def kept() -> set[tuple[int, int]]:
    """What is used and reserved of each quota."""
    return set(Quota.objects.values_list("used_bytes", "reserved_bytes"))


class TestAnUpload:
    def test_becomes_a_document_in_several_requests(self, oscar: Program, sender: Sender, files: Files) -> None:
        lease = settled(oscar.user)
        said = {"name": "Übertrag.pdf", "type": "application/pdf", "relativePath": "null", "lease": str(lease.pk)}
        said |= {"why": "found", "metadata": '{"book": 12}', "sha256": hashlib.sha256(LARGE).hexdigest().upper()}

        begun = sender.begin(said=said)
        url = begun["Location"]

        assert (begun.status_code, begun["Upload-Offset"], begun["Tus-Resumable"]) == (201, "0", "1.0.0")
        assert kept() == {(0, len(LARGE))}
        first = sender.send(url, LARGE[:1_250_000])
        assert (first.status_code, first["Upload-Offset"], "Upload-Expires" in first) == (204, "1250000", True)
        standing = sender.ask("HEAD", url)
        assert (standing.status_code, standing["Upload-Length"], standing["Cache-Control"]) == (
            200,
            str(len(LARGE)),
            "no-store",
        )
        assert standing["Upload-Metadata"] == metadata(said)
        assert not Document.objects.exists()
        last = sender.send(url, LARGE[1_250_000:], 1_250_000)

        made = Document.objects.get()
        version = made.versions.get()
        assert (last.status_code, last["Upload-Document"]) == (204, f"{DOCUMENTS}{made.pk}/")
        assert "Upload-Expires" not in last
        assert (made.name, made.owner, made.lease, made.metadata) == ("Übertrag.pdf", oscar.user, lease, {"book": 12})
        assert (version.sha256, version.blocks, version.why) == (hashlib.sha256(LARGE).hexdigest(), [], "found")
        assert files.all() == {version.key: LARGE}
        assert kept() == {(len(LARGE), 0)}
        assert worked(made).state == State.ACTIVE
        # Who asks again, since the answer was lost, is told the same.
        assert sender.ask("HEAD", url)["Upload-Document"] == last["Upload-Document"]
        assert sender.send(url, b"", len(LARGE)).status_code == 204
        assert code_of(sender.ask("DELETE", url)) == (409, "upload_done")
        assert Document.objects.count() == 1

    def test_may_come_with_its_first_bytes_or_with_all(self, sender: Sender) -> None:
        some = sender.ask("POST", TUS, PDF[:5], Upload_Length=str(len(PDF)), Upload_Metadata=metadata(NAMED))
        whole = sender.ask("POST", TUS, PDF, Upload_Length=str(len(PDF)), Upload_Metadata=metadata(NAMED))

        assert (some.status_code, some["Upload-Offset"]) == (201, "5")
        assert (whole.status_code, whole["Upload-Offset"]) == (201, str(len(PDF)))
        assert whole["Upload-Document"] == f"{DOCUMENTS}{Document.objects.get().pk}/"

    def test_whose_first_bytes_are_refused_is_not_begun(self, sender: Sender, files: Files) -> None:
        for said in (
            {"Upload_Length": "4"},
            {"Upload_Length": "0"},
            {"Upload_Length": "99", "Upload_Checksum": checksum(b"other")},
        ):
            answer = sender.ask("POST", TUS, PDF, Upload_Metadata=metadata(NAMED), **said)
            assert answer.status_code in {413, 460}
            assert "Location" not in answer
        nothing_is_left(files)

    def test_whose_first_bytes_broke_off_goes_on_with_those_that_came(self, sender: Sender) -> None:
        extra: Any = {"wsgi.input": io.BytesIO(PDF[:5]), "CONTENT_LENGTH": str(len(PDF)), "CONTENT_TYPE": tus.BYTES}
        said = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(PDF)), "Upload-Metadata": metadata(NAMED)}

        answer = sender.client.generic("POST", TUS, b"", tus.BYTES, headers=said, **extra)

        assert (answer.status_code, answer["Upload-Offset"]) == (201, "5")
        assert sender.send(answer["Location"], PDF[5:], 5).status_code == 204

    def test_may_have_no_bytes(self, sender: Sender) -> None:
        assert sender.begin(0)["Upload-Document"] == f"{DOCUMENTS}{Document.objects.get().pk}/"

    def test_may_be_said_by_another_method(self, sender: Sender) -> None:
        url = sender.begun(len(PDF))

        assert sender.ask("POST", url, PDF[:5], Upload_Offset="0", X_HTTP_Method_Override="PATCH").status_code == 204
        assert code_of(sender.ask("POST", url, X_HTTP_Method_Override="GET")) == (400, "tus_header")
        assert sender.ask("POST", url, X_HTTP_Method_Override="DELETE").status_code == 204
        assert sender.ask("HEAD", url).status_code == 410

    def test_tells_what_it_can(self, sender: Sender, settings: Settings) -> None:
        told = sender.ask("OPTIONS", TUS, Tus_Resumable="")

        assert told.status_code == 204
        assert {name: told[name] for name in told.headers if name.startswith("Tus-")} == {
            "Tus-Resumable": "1.0.0",
            "Tus-Version": "1.0.0",
            "Tus-Extension": "creation,creation-with-upload,expiration,checksum,termination",
            "Tus-Max-Size": str(settings.DOCUMENTS_LARGEST_BYTES),
            "Tus-Checksum-Algorithm": "sha1,sha256,sha512",
        }

    def test_becomes_another_version(self, oscar: Program, sender: Sender, deed: Document, files: Files) -> None:
        at = f"{DOCUMENTS}{deed.pk}/versions/tus/"
        seen = oscar("GET", f"{deed.pk}/")["ETag"]
        assert code_of(sender.begin(len(LARGE), {}, at)) == (428, "precondition_missing")
        url = sender.begin(len(LARGE), {"why": "whole"}, at, If_Match=seen)["Location"]

        sender.send(url, LARGE)

        version = deed.versions.get(number=2)
        assert (version.name, version.why, version.size, version.created_by) == (DEED, "whole", len(LARGE), oscar.user)
        assert files.all()[version.key] == LARGE
        assert code_of(sender.begin(1, {}, at, If_Match=seen)) == (412, "precondition_failed")

    def test_of_a_version_is_not_begun_where_somebody_comes_between(
        self, sender: Sender, deed: Document, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(partial, "next_place", lambda **_said: (_ for _ in ()).throw(Stale()))

        answer = sender.begin(9, {}, f"{DOCUMENTS}{deed.pk}/versions/tus/", If_Match="*")

        assert code_of(answer) == (412, "precondition_failed")


class TestBrokenOff:
    def test_goes_on_behind_the_last_byte_that_has_come(self, sender: Sender, files: Files) -> None:
        url = sender.begun()

        answer = sender.cut(url, LARGE[:1_100_001], len(LARGE))

        assert code_of(answer) == (422, "body_incomplete")
        assert sender.offset(url) == 1_100_001
        sender.send(url, LARGE[1_100_001:], 1_100_001)
        assert list(files.all().values()) == [LARGE]

    def test_with_a_checksum_keeps_nothing_that_nobody_could_look_at(self, sender: Sender, files: Files) -> None:
        url = sender.begun()
        sender.send(url, LARGE[:7])

        sender.cut(url, LARGE[7:1_100_001], len(LARGE) - 7, 7, **{"Upload-Checksum": checksum(LARGE[7:])})

        assert sender.offset(url) == 7
        assert sender.send(url, LARGE[7:], 7, Upload_Checksum=checksum(LARGE[7:], "sha512")).status_code == 204
        assert list(files.all().values()) == [LARGE]

    def test_in_the_middle_of_being_made_a_version_is_ended_by_the_duty(
        self, sender: Sender, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = sender.begun()
        with monkeypatch.context() as patch:
            patch.setattr(finishing, "_made", lambda *_args, **_said: (_ for _ in ()).throw(Unavailable()))
            assert code_of(sender.send(url, LARGE)) == (503, "storage_unavailable")
            with pytest.raises(Unavailable):
                duties.finish_uploads()
        assert len(files.all()) == 2  # the file, and what it was made of
        assert sender.offset(url) == len(LARGE)
        assert code_of(sender.ask("DELETE", url)) == (409, "upload_done")

        duties.finish_uploads()

        assert files.all() == {Document.objects.get().versions.get().key: LARGE}
        assert kept() == {(len(LARGE), 0)}

    def test_is_left_to_who_is_at_it_for_a_while(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        url = sender.begun()
        monkeypatch.setattr(finishing, "finish", lambda _id: None)
        sender.send(url, LARGE)
        monkeypatch.undo()
        PartialUpload.objects.update(finishing_until=now() + timedelta(seconds=9))

        duties.finish_uploads()
        assert not Document.objects.exists()

        PartialUpload.objects.update(finishing_until=now())
        duties.finish_uploads()
        assert Document.objects.exists()

    def test_where_something_else_lies_it_is_over_and_that_stays(self, sender: Sender, files: Files) -> None:
        url = sender.begun(len(PDF))
        key = PartialUpload.objects.get().key
        LocalStorage(directory=str(files.directory)).put(key, [b"another one's"])

        assert code_of(sender.send(url, PDF)) == (422, "storage_exists")

        duties.sweep()
        assert files.all() == {key: b"another one's"}
        assert kept() == {(0, 0)}

    def test_whose_parts_are_gone_is_over(self, sender: Sender, files: Files) -> None:
        url = sender.begun()
        sender.send(url, LARGE[:9])
        next(files.directory.rglob("*.part")).unlink()

        assert code_of(sender.send(url, LARGE[9:], 9)) == (410, "upload_parts_gone")


class TestAnAttack:
    def test_on_somebody_elses_upload_finds_none(
        self, sender: Sender, program: Callable[[str], Program], files: Files
    ) -> None:
        url = sender.begun()
        ada = Sender(program("Administrator").client)

        for answer in (ada.ask("HEAD", url), ada.send(url, LARGE), ada.ask("DELETE", url)):
            assert answer.status_code == 404
        assert Client().head(url).status_code == 401
        assert code_of(Sender(program("Viewer").client).begin()) == (403, "transition_forbidden")
        assert sender.offset(url) == 0

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"Upload_Offset": "6"}, (409, "offset_conflict")),
            ({"Upload_Offset": "4"}, (409, "offset_conflict")),
            ({"Upload_Offset": "-5"}, (400, "tus_header")),
            ({"Upload_Offset": "\uff15"}, (400, "tus_header")),
            ({"Upload_Offset": ""}, (400, "tus_header")),
            ({"Upload_Offset": "9" * 30}, (400, "tus_header")),
            ({"Tus_Resumable": "0.2.2"}, (412, "tus_version")),
            ({"Tus_Resumable": ""}, (412, "tus_version")),
            ({"kind": "application/pdf"}, (415, "tus_body")),
            ({"Upload_Checksum": "crc32 AAAA"}, (400, "tus_header")),
            ({"Upload_Checksum": "sha1 deed"}, (400, "tus_header")),
            ({"Upload_Checksum": "sha1 *"}, (400, "tus_header")),
            ({"Upload_Checksum": checksum(b"other")}, (460, "checksum_mismatch")),
            ({"Upload_Checksum": checksum(b"other", "sha256")}, (460, "checksum_mismatch")),
            ({"Content_Digest": f"sha-256=:{b64encode(bytes(32)).decode()}:"}, (422, "digest_mismatch")),
        ],
    )
    def test_by_headers_that_lie_changes_nothing(
        self, sender: Sender, files: Files, said: dict[str, str], told: tuple[int, str]
    ) -> None:
        url = sender.begun()
        sender.send(url, LARGE[:5])
        asked = {"Upload_Offset": "5", **said}

        answer = sender.ask("PATCH", url, LARGE[5:], **asked)

        assert code_of(answer) == told
        assert answer["Tus-Resumable"] == "1.0.0"
        assert ("Tus-Version" in answer) == (told[0] == 412)
        assert sender.offset(url) == 5
        sender.send(url, LARGE[5:], 5)
        assert list(files.all().values()) == [LARGE]

    def test_by_more_bytes_than_were_announced_keeps_none_of_these(self, sender: Sender, files: Files) -> None:
        url = sender.begun(10)

        assert code_of(sender.send(url, LARGE[:11])) == (413, "upload_too_long")
        chunked: Any = {
            "wsgi.input": io.BytesIO(LARGE),
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": tus.BYTES,
            "HTTP_TRANSFER_ENCODING": "chunked",
        }
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
        answer = sender.client.generic("PATCH", url, b"", tus.BYTES, headers=headers, **chunked)

        assert code_of(answer) == (413, "upload_too_long")
        assert sender.offset(url) == 0
        assert kept() == {(0, 10)}

    @pytest.mark.parametrize(
        ("length", "said", "told"),
        [
            (4, {"filename": "a\r\nSet-Cookie: x=1.pdf"}, (422, "invalid_name")),
            (4, {"filename": "a\0b"}, (422, "invalid_name")),
            (4, {"filename": "../../etc/passwd"}, (422, "invalid_name")),
            (4, {"filename": "a\u202efdp.exe"}, (422, "invalid_name")),
            (4, {}, (422, "invalid_name")),
            (4, {**NAMED, "why": "a\0b"}, (422, "invalid_why")),
            (4, {**NAMED, "metadata": "[]"}, (422, "invalid_metadata")),
            (4, {**NAMED, "metadata": '{"a": NaN}'}, (422, "invalid_metadata")),
            (4, {**NAMED, "metadata": '{"a": "\\u0000"}'}, (422, "invalid_metadata")),
            (4, {**NAMED, "lease": "99999"}, (422, "lease_unknown")),
            (4, {**NAMED, "lease": "1;DROP"}, (422, "lease_unknown")),
            (4, {**NAMED, "sha256": "deed"}, (400, "tus_header")),
            ("-1", NAMED, (400, "tus_header")),
            ("", NAMED, (400, "tus_header")),
            ("4 4", NAMED, (400, "tus_header")),
            (10**15, NAMED, (413, "document_too_large")),
        ],
    )
    def test_by_what_is_said_of_the_file_begins_nothing(
        self, sender: Sender, files: Files, length: Any, said: dict[str, str], told: tuple[int, str]
    ) -> None:
        assert code_of(sender.begin(length, said)) == told
        assert not PartialUpload.objects.exists()
        nothing_is_left(files)

    @pytest.mark.parametrize(
        "said",
        [
            "name ***",
            "name YQ==,name YQ==",
            "na\u00efve YQ==",
            "name /w==",
            "a b c",
            ",",
            "k YQ==," * 60 + "z",
            "k" * 20_000,
        ],
    )
    def test_by_metadata_that_is_none_begins_nothing(self, sender: Sender, said: str) -> None:
        answer = sender.ask("POST", TUS, kind="", Upload_Length="4", Upload_Metadata=said)

        assert code_of(answer) == (400, "tus_header")
        assert not PartialUpload.objects.exists()

    def test_by_a_lie_about_the_whole_leaves_nothing(self, sender: Sender, files: Files) -> None:
        url = sender.begun(said={**NAMED, "sha256": "0" * 64})

        assert code_of(sender.send(url, LARGE)) == (422, "digest_mismatch")

        assert sender.ask("HEAD", url).status_code == 410
        nothing_is_left(files)

    def test_by_a_flood_of_unfinished_ones_ends_at_a_bound(
        self, sender: Sender, files: Files, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        monkeypatch.setattr(partial, "UNFINISHED_AT_MOST", 3)
        settings.DOCUMENTS_QUOTA_BYTES = 100
        urls = [sender.begun(30) for _ in range(3)]

        assert code_of(sender.begin(1)) == (403, "too_many_uploads")
        sender.ask("DELETE", urls[0])
        assert code_of(sender.begin(41)) == (507, "quota_exceeded")
        sender.begun(40)
        assert kept() == {(0, 100)}

    def test_by_a_flood_of_small_pieces_ends_at_a_bound(self, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(partial, "PIECES_AT_MOST", 1)
        url = sender.begun()
        sender.send(url, b"1")
        upload = PartialUpload.objects.get()
        assert str(PartialPiece(partial=upload, start=1, size=1, name="x")) == "1 bytes from 1 on"
        PartialPiece.objects.create(partial=upload, start=0, size=1, name="x")  # as where each is an object

        assert code_of(sender.send(url, b"2", 1)) == (403, "too_many_pieces")

    def test_with_an_upload_that_has_expired_comes_too_late(self, sender: Sender, files: Files) -> None:
        url = sender.begun()
        sender.send(url, LARGE[:1_100_000])
        PartialUpload.objects.update(expires_at=now() - timedelta(seconds=1))

        assert code_of(sender.send(url, LARGE[1_100_000:], 1_100_000)) == (410, "upload_over")

        nothing_is_left(files)
        assert PartialUpload.objects.get().why_over == "expired"
        PartialUpload.objects.update(expires_at=now() - timedelta(seconds=1))
        duties.finish_uploads()
        assert not PartialUpload.objects.exists()
        assert code_of(sender.ask("PATCH", url, Upload_Offset="0")) == (404, "upload_unknown")

    def test_with_an_upload_that_was_ended_comes_too_late(self, sender: Sender, files: Files) -> None:
        url = sender.begun()
        sender.send(url, LARGE[:1_100_000])

        assert sender.ask("DELETE", url).status_code == 204

        assert files.all() == {}
        assert code_of(sender.send(url, LARGE[1_100_000:], 1_100_000)) == (410, "upload_over")
        assert code_of(sender.ask("DELETE", url)) == (410, "upload_over")
        nothing_is_left(files)

    def test_with_a_token_that_lost_its_scope_goes_on_with_nothing(self, oscar: Program, files: Files) -> None:
        token = made(oscar.user, Scope.DOCUMENTS_WRITE)
        sender = Sender(program_of(token.secret))
        url = sender.begun()
        sender.send(url, LARGE[:9])
        ApiToken.objects.update(scopes=[Scope.DOCUMENTS_READ])

        assert code_of(sender.send(url, LARGE[9:], 9)) == (403, "scope_missing")
        assert code_of(sender.ask("DELETE", url)) == (403, "scope_missing")
        assert sender.offset(url) == 9
        ApiToken.objects.update(revoked_at=now())
        assert sender.ask("HEAD", url).status_code == 401

    def test_by_who_has_lost_the_right_goes_on_with_nothing(self, oscar: Program, sender: Sender, files: Files) -> None:
        url = sender.begun()

        def demoted() -> Iterator[bytes]:
            yield LARGE
            oscar.user.groups.clear()

        found = PartialUpload.objects.get()
        partial.append(upload_id=found.pk, by=oscar.user, offset=0, chunks=demoted(), length=None)

        assert code_of(sender.send(url, b"", len(LARGE)))[0] == 403
        duties.finish_uploads()
        assert not Document.objects.exists()
        assert PartialUpload.objects.get().why_over == "transition_forbidden"
        nothing_is_left(files)

    def test_on_another_ones_document_begins_nothing(
        self, sender: Sender, program: Callable[[str], Program], ada: User, deed: Document
    ) -> None:
        theirs = verified(ada, PDF, name="theirs.pdf")

        assert code_of(sender.begin(4, {}, f"{DOCUMENTS}{theirs.pk}/versions/tus/", If_Match="*")) == (
            403,
            "not_your_document",
        )

    def test_on_a_document_that_was_checked_out_meanwhile_overruns_nobody(
        self, oscar: Program, sender: Sender, deed: Document, ada: User, files: Files
    ) -> None:
        url = sender.begin(len(LARGE), {}, f"{DOCUMENTS}{deed.pk}/versions/tus/", If_Match="*")["Location"]
        sender.send(url, LARGE[:9])
        documents.check_out(document_id=deed.pk, by=ada, hours=1)

        assert code_of(sender.send(url, LARGE[9:], 9)) == (409, "checked_out")

        documents.check_in(document_id=deed.pk, by=ada)
        assert sender.send(url, LARGE[9:], 9).status_code in {409, 422}  # somebody has changed it since
        assert DocumentVersion.objects.count() == 1
        duties.sweep()
        assert len(files.all()) == 1

    def test_of_two_at_once_is_won_by_who_came_last(self, oscar: Program, sender: Sender, files: Files) -> None:
        url = sender.begun()
        found = PartialUpload.objects.get()
        told: list[Any] = []

        def overtaken() -> Iterator[bytes]:
            yield LARGE[:1_100_000]  # the first piece of it is kept by now
            told.append(sender.offset(url))
            told.append(sender.send(url, LARGE[told[0] :], told[0]).status_code)
            yield b"\0" * (len(LARGE) - 1_100_000)

        with pytest.raises(UploadOvertaken):
            partial.append(upload_id=found.pk, by=oscar.user, offset=0, chunks=overtaken(), length=None)

        assert told == [PIECE, 204]
        assert list(files.all().values()) == [LARGE]
        assert Document.objects.count() == 1

    def test_by_another_site_needs_the_token_of_the_session(self, oscar: Program, sender: Sender) -> None:
        url = sender.begun()
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(oscar.user)

        for answer in (
            Sender(strict).begin(),
            Sender(strict).send(url, LARGE),
            Sender(strict).ask("POST", url, X_HTTP_Method_Override="DELETE"),
        ):
            assert code_of(answer) == (403, "no_csrf_token")
        assert sender.offset(url) == 0


class TestStandingStill:
    def test_keeps_its_room_as_long_as_it_may_go_on(self, sender: Sender, files: Files) -> None:
        url = sender.begun()
        sender.send(url, LARGE[:9])
        Upload.objects.update(touched_at=F("touched_at") - timedelta(hours=9))

        duties.sweep()

        assert kept() == {(0, len(LARGE))}
        assert str(PartialUpload.objects.get()) == f"{DEED}, 9 of {len(LARGE):,} bytes"
        sender.send(url, LARGE[9:], 9)
        assert not Leftover.objects.exists()
        assert PartialUpload.objects.get().stage == Stage.DONE

    def test_leaves_what_storage_does_not_let_go_to_the_duty(
        self, sender: Sender, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = sender.begun()
        sender.send(url, LARGE[:9])
        with monkeypatch.context() as patch:
            patch.setattr(LocalStorage, "_drop_parts", lambda *_args, **_said: (_ for _ in ()).throw(Unavailable()))
            assert sender.ask("DELETE", url).status_code == 204
            with pytest.raises(Unavailable):
                duties.finish_uploads()
        assert len(files.all()) == 1

        nothing_is_left(files)
