"""Whoever means harm by uploads in several requests."""

import io
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from api.models import ApiToken
from api.scopes import Scope
from core.base.clock import now
from documents import duties, tus
from documents.errors import UploadOvertaken
from documents.models import Document, DocumentVersion, PartialPiece, PartialUpload
from documents.services import documents, partial
from tests.api.conftest import code_of, made
from tests.api.conftest import program as program_of
from tests.documents.api.conftest import DOCUMENTS, Program
from tests.documents.api.sending import LARGE, NAMED, PIECE, TUS, Sender, checksum, kept, nothing_is_left
from tests.documents.making import PDF, Files, verified

pytestmark = pytest.mark.django_db


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
