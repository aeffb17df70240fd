"""Uploads in several requests: the protocol, and what is left of whatever breaks off."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from core.base.clock import now
from documents import duties, tus
from documents.models import Document, Leftover, PartialUpload, Stage, Upload
from documents.services import finishing, partial
from documents.states import State
from statemachine.errors import Stale
from storage.backends.errors import Unavailable
from storage.backends.local import LocalStorage
from tests.api.conftest import code_of
from tests.documents.api.conftest import DOCUMENTS, Program
from tests.documents.api.sending import LARGE, NAMED, TUS, Sender, checksum, kept, metadata, nothing_is_left
from tests.documents.making import DEED, PDF, Files, worked
from tests.factories import settled

pytestmark = pytest.mark.django_db


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
        assert (version.sha256, version.why) == (hashlib.sha256(LARGE).hexdigest(), "found")
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
