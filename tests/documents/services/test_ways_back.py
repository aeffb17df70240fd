"""Files that were changed from outside, and the two ways back."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from core.base.clock import now
from documents.errors import HeldBack, NoCopy, NotYourDocument
from documents.models import Document, DocumentVersion, ShareLink
from documents.services import documents, rechecking, shares, uploads, ways_back
from documents.states import State
from statemachine.errors import Stale, TransitionRefused
from storage.models import Action
from tests.documents.making import PDF, Files, verified, worked
from tests.documents.test_index import index

pytestmark = pytest.mark.django_db
OTHER = b"%PDF-1.7\nForged.\n%%EOF\n"


def changed(document: Document, files: Files, content: bytes = OTHER) -> Document:
    """What becomes of it once somebody has laid something else there, and the index has seen it."""
    index("sync")
    files[document.versions.get(number=1).key].write_bytes(content)
    index("sync")
    return worked(document)


class TestIndex:
    def test_makes_an_error_of_what_was_changed_from_outside(self, opal: User, files: Files) -> None:
        document = verified(opal)
        index("sync")
        version = document.versions.get()
        files[version.key].write_bytes(OTHER)

        run = index("sync")

        version.refresh_from_db()
        assert not version.may_be_served  # already before anybody has looked
        assert run.changes.filter(action=Action.ANOMALY, detail__contains="changed from outside").exists()
        found = worked(document)
        assert (found.state, found.failure_code) == (State.ERROR, "file_changed")

    def test_lets_go_on_what_is_the_same_and_what_came_back(self, opal: User, files: Files) -> None:
        document = verified(opal)
        assert changed(document, files, PDF).state == State.ACTIVE  # written anew, with the same bytes
        path = files[document.versions.get().key]
        aside = path.rename(files.directory.parent / "aside")
        index("sync")
        documents.verify(document_id=document.pk, by=opal)
        assert worked(document).failure_code == "file_gone"
        aside.rename(path)

        index("sync")

        assert worked(document).state == State.ACTIVE

    def test_finds_out_what_became_of_earlier_versions(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rechecking, "AT_ONCE", 1)
        document = verified(opal)
        for content in (b"second", b"third"):
            uploads.add_version(document_id=document.pk, by=opal, chunks=[content], length=None)
            worked(document)
        index("sync")
        first, second, _ = document.versions.order_by("number")
        files[first.key].write_bytes(PDF)
        files[second.key].write_bytes(b"other")

        index("sync")

        assert worked(document).state == State.ACTIVE
        assert [each.finding for each in document.versions.order_by("number")] == ["", "file_changed", ""]
        with pytest.raises(HeldBack):
            documents.restore_version(document_id=document.pk, number=2, by=opal)

    def test_sees_that_a_file_was_moved_away(self, opal: User, files: Files) -> None:
        document = verified(opal)
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"second"], length=None)
        worked(document)
        index("sync")
        for version in document.versions.all():
            files[version.key].rename(files[version.key].with_name("moved.pdf"))

        index("sync")

        assert worked(document).failure_code == "file_gone"
        assert document.versions.get(number=1).finding == "file_changed"

    def test_suspends_links_to_what_is_missing_and_revives_them(self, ada: User, files: Files) -> None:
        document = verified(ada)
        shares.make(document_id=document.pk, by=ada, at=now())
        index("sync")
        path = files[document.versions.get().key]
        path.unlink()
        index("sync")
        assert ShareLink.objects.get().suspended_why == "file_missing"
        path.write_bytes(PDF)

        index("sync")

        assert ShareLink.objects.get().suspended_why == ""


class TestTakeChanged:
    def test_keeps_it_as_a_version_of_its_own(self, opal: User, files: Files) -> None:
        document = changed(verified(opal), files)

        ways_back.take_changed(document_id=document.pk, by=opal, generation=document.generation)

        found = worked(document)
        assert (found.state, found.current) == (State.ACTIVE, 2)
        first, second = found.versions.order_by("number")
        assert (files[second.key].read_bytes(), second.why) == (OTHER, ways_back.TAKEN)
        assert (first.finding, first.may_be_served) == ("file_changed", False)

    def test_is_refused(self, opal: User, ada: User, files: Files, role: Any) -> None:
        document = verified(opal)
        with pytest.raises(TransitionRefused):
            ways_back.take_changed(document_id=document.pk, by=opal)
        document = changed(document, files)
        with pytest.raises(NotYourDocument):
            ways_back.take_changed(document_id=verified_error(ada, files).pk, by=opal)
        with pytest.raises(Stale):
            ways_back.take_changed(document_id=document.pk, by=opal, generation=1)
        files[document.versions.get().key].unlink()
        with pytest.raises(NoCopy, match="Nothing lies in its place"):
            ways_back.take_changed(document_id=document.pk, by=opal)
        assert DocumentVersion.objects.filter(document=document).count() == 1


def verified_error(by: User, files: Files) -> Document:
    document = verified(by, b"another")
    Document.objects.filter(pk=document.pk).update(state=State.ERROR, failure_code="file_changed", failure_message="x")
    return document


class TestBringBack:
    def test_puts_the_same_bytes_back_from_another_version(self, opal: User, ada: User, files: Files) -> None:
        broken, whole = verified(ada), verified(ada)
        document = changed(verified(opal), files)
        files[broken.versions.get().key].write_bytes(b"no copy either")

        ways_back.bring_back(document_id=document.pk, by=opal)

        found = worked(document)
        assert (found.state, found.current) == (State.ACTIVE, 1)
        assert files[found.versions.get().key].read_bytes() == PDF == files[whole.versions.get().key].read_bytes()
        assert found.versions.get().may_be_served

    def test_takes_what_somebody_has_put_back_already(self, opal: User, files: Files) -> None:
        document = changed(verified(opal), files)
        files[document.versions.get().key].write_bytes(PDF)

        ways_back.bring_back(document_id=document.pk, by=opal)

        assert worked(document).state == State.ACTIVE

    def test_is_refused_where_nobody_has_them(self, opal: User, files: Files) -> None:
        document = changed(verified(opal), files)
        with pytest.raises(NoCopy):
            ways_back.bring_back(document_id=document.pk, by=opal)
        other = verified(opal)
        files[other.versions.get().key].unlink()
        with pytest.raises(NoCopy):
            ways_back.bring_back(document_id=document.pk, by=opal)
        assert files[document.versions.get().key].read_bytes() == OTHER
        assert Document.objects.get(pk=document.pk).state == State.ERROR


class TestPage:
    def test_offers_both(self, opal: User, files: Files, client: Any) -> None:
        document = changed(verified(opal), files)
        verified(opal)
        client.force_login(opal)
        url = reverse("admin:documents_document_change", args=[document.pk])
        page = client.get(url).text

        assert "Take it as a new version" in page
        assert "Bring back the old one" in page
