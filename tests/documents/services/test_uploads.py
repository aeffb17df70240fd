from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import transaction

from documents.errors import (
    BodyIncomplete,
    CheckedOut,
    DigestMismatch,
    DocumentTooLarge,
    InvalidMetadata,
    InvalidName,
    LeaseUnknown,
    NotYourDocument,
    QuotaExceeded,
    UploadLapsed,
)
from documents.models import Document, DocumentVersion, Leftover, Quota, Upload
from documents.services import documents, receiving, uploads
from documents.states import State
from statemachine.errors import RecordGone, Stale, TransitionForbidden, TransitionRefused
from storage.backends.errors import Exists, Unavailable
from storage.backends.local import LocalStorage
from tests.documents.making import DEED, PDF, Files, digest, stored, verified, worked
from tests.factories import settled

pytestmark = pytest.mark.django_db

NOTHING = {"used": 0, "reserved": 0, "uploads": 0, "leftovers": 0, "versions": 0, "files": 0}


def kept(files: Files) -> dict[str, int]:
    """All of which something may be left when an upload comes to nothing."""
    quotas = Quota.objects.all()
    return {
        "used": sum(each.used_bytes for each in quotas),
        "reserved": sum(each.reserved_bytes for each in quotas),
        "uploads": Upload.objects.count(),
        "leftovers": Leftover.objects.count(),
        "versions": DocumentVersion.objects.count(),
        "files": len(files.all()),
    }


def broken_off() -> Iterator[bytes]:
    yield PDF
    raise ConnectionResetError


class TestStore:
    def test_keeps_bytes_and_what_is_said_of_them(self, opal: User, files: Files) -> None:
        lease = settled(opal)
        document = stored(
            opal,
            metadata={"county": "Lea"},
            declared_type="Application/PDF; v=1",
            why="from the clerk",
            lease_id=lease.pk,
            sha256=digest(PDF).upper(),
        )

        version = document.versions.get()
        assert files.all() == {f"{opal.pk}/documents/{document.pk}/1/Deed_of_1907.pdf": PDF}
        assert (document.state, document.current, document.size_bytes) == (State.PENDING, 1, len(PDF))
        assert (version.sha256, version.created_by, version.why) == (digest(PDF), opal, "from the clerk")
        assert (version.declared_type, document.mime_type) == ("application/pdf", "application/pdf")
        assert (document.lease, document.charged_agency, document.metadata) == (lease, "BLM", {"county": "Lea"})
        assert document.is_owed
        assert not document.background
        assert {each.used_bytes for each in Quota.objects.all()} == {len(PDF)}
        assert Quota.objects.count() == 2

    def test_takes_what_nobody_has_measured_before(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(receiving, "STEP_BYTES", 10)
        monkeypatch.setattr(receiving, "TOUCHED_EVERY_S", -1)

        document = uploads.store(by=opal, name=DEED, chunks=[b"12345678", b"", b"90", b"x" * 30], length=None)

        assert (document.size_bytes, kept(files)) == (40, NOTHING | {"used": 40, "versions": 1, "files": 1})

    def test_takes_what_holds_nothing(self, opal: User, files: Files) -> None:
        assert verified(opal, b"").state == State.ACTIVE

    @pytest.mark.parametrize(
        ("said", "refusal"),
        [
            ({"name": "a/b"}, InvalidName),
            ({"metadata": {"a": float("nan")}}, InvalidMetadata),
            ({"lease_id": 4711}, LeaseUnknown),
            ({"length": 10_001}, DocumentTooLarge),
            ({"length": None, "chunks": [b"x" * 10_001]}, DocumentTooLarge),
            ({"length": 5_001}, QuotaExceeded),
            ({"length": None, "chunks": [b"x" * 2_000] * 3}, QuotaExceeded),
            ({"length": len(PDF) + 1}, BodyIncomplete),
            ({"length": len(PDF) - 1}, BodyIncomplete),
            ({"sha256": digest(b"other")}, DigestMismatch),
            ({"chunks": broken_off(), "length": None}, ConnectionResetError),
        ],
    )
    def test_keeps_nothing_of_what_is_refused(
        self, opal: User, files: Files, settings: Any, said: dict[str, Any], refusal: type[Exception]
    ) -> None:
        settings.DOCUMENTS_LARGEST_BYTES, settings.DOCUMENTS_QUOTA_BYTES = 10_000, 5_000

        with pytest.raises(refusal):
            uploads.store(**{"by": opal, "name": DEED, "chunks": [PDF], "length": len(PDF), **said})

        assert kept(files) == NOTHING
        assert not Document.objects.exists()

    def test_is_not_for_everybody(self, files: Files, role: Callable[[str], User]) -> None:
        with pytest.raises(TransitionForbidden, match="create documents"):
            stored(role("Viewer"))

    def test_of_a_lease_is_for_who_may_see_leases(self, files: Files, django_user_model: Any) -> None:
        """Who may not is not told either whether there is such a lease."""
        clerk = django_user_model.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.filter(codename__in=["add_document", "change_document"]))
        document, lease = stored(clerk), settled(clerk)

        for lease_id in (lease.pk, 4711):
            with pytest.raises(TransitionForbidden, match="see leases"):
                stored(clerk, lease_id=lease_id)
            with pytest.raises(TransitionForbidden, match="see leases"):
                documents.change(document_id=document.pk, by=clerk, lease_id=lease_id)

        assert kept(files) == NOTHING | {"used": len(PDF), "versions": 1, "files": 1}

    def test_leaves_to_the_duty_what_storage_will_not_let_go_of(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise Unavailable

        monkeypatch.setattr(LocalStorage, "_delete", refuse)

        with pytest.raises(DigestMismatch):
            stored(opal, sha256=digest(b"other"))

        assert kept(files) == NOTHING | {"leftovers": 1, "files": 1}

    @pytest.mark.parametrize(("length", "touched_every_s"), [(len(PDF), 60), (len(PDF), -1), (None, 60)])
    def test_is_over_once_a_duty_took_it_for_dead(
        self, opal: User, monkeypatch: pytest.MonkeyPatch, length: int | None, touched_every_s: float
    ) -> None:
        monkeypatch.setattr(receiving, "TOUCHED_EVERY_S", touched_every_s)

        def slowly() -> Iterator[bytes]:
            receiving.drop(Upload.objects.get().pk)
            yield PDF

        with pytest.raises(UploadLapsed):
            uploads.store(by=opal, name=DEED, chunks=slowly(), length=length)

        assert Quota.objects.get().reserved_bytes == 0
        assert not Document.objects.exists()

    def test_deletes_nothing_that_was_committed_without_anybody_hearing_of_it(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As where the connection breaks in the very moment of the commit."""
        shown = uploads._shown

        def and_break(*args: Any, **said: Any) -> Document:
            shown(*args, **said)
            transaction.set_rollback(False)
            raise ConnectionResetError

        monkeypatch.setattr(uploads, "_shown", and_break)
        monkeypatch.setattr(transaction.Atomic, "__exit__", _always_commits(transaction.Atomic.__exit__))

        with pytest.raises(ConnectionResetError):
            stored(opal)
        monkeypatch.undo()

        assert kept(files) == NOTHING | {"used": len(PDF), "versions": 1, "files": 1}


def _always_commits(leave: Callable[..., None]) -> Callable[..., None]:
    def commit(self: transaction.Atomic, kind: Any, error: Any, trace: Any) -> None:
        is_break = kind is ConnectionResetError
        leave(self, *((None, None, None) if is_break else (kind, error, trace)))

    return commit


class TestAddVersion:
    def add(self, document: Document, by: User, content: bytes = b"two", **said: Any) -> DocumentVersion:
        return uploads.add_version(
            **{"document_id": document.pk, "by": by, "chunks": [content], "length": len(content), **said}
        )

    def test_shows_the_new_one_and_keeps_the_old(self, opal: User, files: Files) -> None:
        document = verified(opal)

        version = self.add(document, opal, name="Deed.txt", why="a better copy", generation=document.generation)

        found = Document.objects.get()
        assert (found.current, found.name, found.state, found.verified_at) == (2, "Deed.txt", State.PENDING, None)
        assert (version.number, version.why, version.size) == (2, "a better copy", 3)
        assert sorted(files.all().values()) == [PDF, b"two"]
        assert worked(found).mime_type == "text/plain"
        assert Quota.objects.get().used_bytes == len(PDF) + 3

    def test_leaves_a_gap_where_an_upload_came_to_nothing(self, opal: User) -> None:
        document = verified(opal)
        with pytest.raises(BodyIncomplete):
            self.add(document, opal, length=99)

        assert self.add(document, opal).number == 3
        assert self.add(document, opal).name == DEED

    def test_lets_the_verifying_go_on_meanwhile(self, opal: User) -> None:
        """It moves the document, and overtakes nobody."""
        document = stored(opal)

        def slowly() -> Iterator[bytes]:
            worked(document)
            yield b"two"

        assert self.add(document, opal, chunks=slowly(), generation=document.generation).number == 2

    def test_counts_against_the_agency_to_which_the_document_has_gone_meanwhile(self, opal: User) -> None:
        """Else that agency would give back, when the document is purged, what it never had."""
        document = verified(opal, lease_id=settled(opal).pk)
        other = settled(opal, agency="NMSLO", lease_number="B0-1")

        def slowly() -> Iterator[bytes]:
            documents.change(document_id=document.pk, by=opal, lease_id=other.pk)
            yield b"two"

        self.add(document, opal, chunks=slowly())

        used = {each.agency: each.used_bytes for each in Quota.objects.all()}
        assert used == {"": len(PDF) + 3, "BLM": 0, "NMSLO": len(PDF) + 3}
        assert not Quota.objects.exclude(reserved_bytes=0).exists()

    def test_overruns_nobody(self, opal: User, ada: User, files: Files) -> None:
        document = verified(opal)

        def slowly() -> Iterator[bytes]:
            documents.change(document_id=document.pk, by=ada, name="Ada's.pdf")
            yield b"two"

        with pytest.raises(Stale, match="administrator has changed this document"):
            self.add(document, opal, chunks=slowly(), generation=document.generation)

        assert kept(files) == NOTHING | {"used": len(PDF), "versions": 1, "files": 1}
        with pytest.raises(Stale):
            self.add(document, opal, generation=document.generation)

    def test_is_refused(self, opal: User, ada: User, role: Callable[[str], User]) -> None:
        document = verified(ada)
        with pytest.raises(NotYourDocument):
            self.add(document, opal)
        with pytest.raises(TransitionForbidden):
            self.add(document, role("Viewer"))
        with pytest.raises(RecordGone):
            self.add(Document(pk=4711), ada)
        documents.archive(document_id=document.pk, by=ada)
        with pytest.raises(TransitionRefused):
            self.add(document, ada)
        documents.restore(document_id=document.pk, by=ada)
        documents.check_out(document_id=document.pk, by=ada)
        own = verified(opal)
        documents.check_out(document_id=own.pk, by=ada)
        with pytest.raises(CheckedOut, match="administrator has checked this document out until"):
            self.add(own, opal)


class TestOfAnOldCopyOfTheDatabase:
    """It gives numbers once more; what lies in their places is somebody's newer document."""

    def newer(self, files: Files, key: str) -> str:
        files[key].parent.mkdir(parents=True, exist_ok=True)
        files[key].write_bytes(b"newer")
        return key

    def test_takes_places_where_nothing_lies(self, opal: User, files: Files) -> None:
        document = verified(opal)
        folder = f"{opal.pk}/documents"
        newer = [
            self.newer(files, f"{folder}/{document.pk + 1}/1/Deed_of_1907.pdf"),
            self.newer(files, f"{folder}/{document.pk}/2/Deed_of_1907.pdf"),
        ]

        assert stored(opal).pk == document.pk + 2
        assert TestAddVersion().add(document, opal).number == 3

        assert [files.all()[key] for key in newer] == [b"newer"] * 2

    def test_deletes_nothing_of_others_that_comes_meanwhile(self, opal: User, files: Files) -> None:
        document = verified(opal)
        key = f"{opal.pk}/documents/{document.pk + 1}/1/Deed_of_1907.pdf"

        def slowly() -> Iterator[bytes]:
            self.newer(files, key)
            yield PDF

        with pytest.raises(Exists):
            uploads.store(by=opal, name=DEED, chunks=slowly(), length=len(PDF))

        assert files.all()[key] == b"newer"
        assert kept(files) == NOTHING | {"used": len(PDF), "versions": 1, "files": 2}
