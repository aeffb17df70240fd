from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from documents.errors import HeldBack
from documents.models import Document, DocumentVersion
from documents.services import documents, verifying
from documents.states import State
from statemachine.reactions import Backoff, Limits, Run, _registry, reaction_for
from tests.documents.clamav import EICAR, SIGNATURE, Clamd, clamd
from tests.documents.making import PDF, Files, digest, evidence_of, look, stored, verified, worked

pytestmark = pytest.mark.django_db


@pytest.fixture
def scanner(settings: Any) -> Iterator[Clamd]:
    with clamd() as running:
        settings.DOCUMENTS_SCANNER = running.address
        yield running


@pytest.fixture
def tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifying gives up at once."""
    found = reaction_for(Document, State.PENDING)
    once = replace(found, retry=lambda: Backoff(tries=1, base_s=1, cap_s=1))
    monkeypatch.setitem(_registry, (found.model, found.state), once)


def failed(document: Document) -> tuple[str, str]:
    """Why it is held back, as document and version say."""
    found = Document.objects.get(pk=document.pk)
    assert found.state == State.ERROR
    version = found.current_version
    assert version is not None
    return found.failure_code, version.finding


class TestVerifying:
    def test_writes_down_what_it_is(self, opal: User) -> None:
        document = verified(opal, b"<html><script>1</script>", name="deed.pdf", declared_type="application/pdf")

        version = document.versions.get()
        assert (document.state, document.mime_type, version.mime_type) == (State.ACTIVE, "text/html", "text/html")
        assert version.may_be_served
        assert evidence_of(document)["contradicts"] == "application/pdf"

    def test_holds_back_what_is_of_another_kind_where_that_is_wanted(self, opal: User, settings: Any) -> None:
        settings.DOCUMENTS_TYPE_MISMATCH = "refuse"

        document = verified(opal, b"<html>", name="deed.pdf")

        assert failed(document) == ("type_mismatch", "type_mismatch")
        assert "said to be application/pdf and is text/html" in document.failure_message
        with pytest.raises(HeldBack):
            document.versions.get().require_served()
        assert verified(opal, PDF).state == State.ACTIVE

    @pytest.mark.parametrize("now", [PDF[:-1], PDF[:-1] + b"?", None])
    def test_sees_that_the_bytes_are_others_or_none(self, opal: User, files: Files, now: bytes | None) -> None:
        document = verified(opal)
        file = files[document.versions.get().key]
        file.unlink()
        if now is not None:
            file.write_bytes(now)

        again = worked(documents.verify(document_id=document.pk, by=opal))

        assert failed(again) == (("file_gone",) * 2 if now is None else ("file_changed",) * 2)
        file.write_bytes(PDF)
        back = worked(documents.verify(document_id=document.pk, by=opal))
        assert (back.state, back.versions.get().finding) == (State.ACTIVE, "")

    def test_brings_what_was_archived_back_into_sight_where_something_is_found(self, opal: User, files: Files) -> None:
        document = verified(opal)
        documents.archive(document_id=document.pk, by=opal)
        files[document.versions.get().key].unlink()

        again = worked(documents.verify(document_id=document.pk, by=opal))

        assert (again.state, again.archived_at) == (State.ERROR, None)

    def test_is_told_of_a_document_without_any_bytes(self, opal: User) -> None:
        document = stored(opal)
        DocumentVersion.objects.all().delete()

        assert worked(document).failure_code == "file_gone"

    def test_goes_on_where_a_slice_has_left_off(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifying, "SLICE_BYTES", 10)
        monkeypatch.setattr(Run, "is_time_up", property(lambda _run: True))
        content = bytes(range(35))
        document = stored(opal, content, name="a.bin")

        look(document)

        document = Document.objects.get()
        assert (document.state, document.verified_bytes) == (State.PENDING, 10)
        look(document)
        file = files[document.versions.get().key]
        file.write_bytes(content[:-1] + b"!")
        assert failed(worked(document)) == ("file_changed", "file_changed")
        assert evidence_of(document)["sha256_now"] == digest(content[:-1] + b"!")
        file.write_bytes(content)
        assert worked(documents.verify(document_id=document.pk, by=opal)).state == State.ACTIVE

    def test_takes_all_of_it_in_one_slice_where_there_is_time(
        self, opal: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifying, "SLICE_BYTES", 10)

        assert verified(opal, bytes(30), name="a.bin").state == State.ACTIVE


class TestScanning:
    def test_lets_through_what_is_clean(self, opal: User, scanner: Clamd) -> None:
        document = verified(opal)

        assert (document.state, evidence_of(document)["scan"]) == (State.ACTIVE, "clean")
        assert scanner.seen == [PDF]

    def test_holds_back_what_is_not_for_good(self, opal: User, scanner: Clamd, settings: Any) -> None:
        document = verified(opal, EICAR, name="invoice.txt")

        assert failed(document) == ("infected", "infected")
        assert SIGNATURE in document.failure_message
        settings.DOCUMENTS_SCANNER = ""
        with pytest.raises(HeldBack):
            document.versions.get().require_served()

    @pytest.mark.parametrize("fails", ["closed", "open"])
    @pytest.mark.parametrize("ails", ["too large", "away"])
    def test_holds_back_what_nobody_could_look_through(
        self, opal: User, settings: Any, tried_once: None, fails: str, ails: str
    ) -> None:
        settings.DOCUMENTS_SCANNER, settings.DOCUMENTS_SCANNER_FAILS = "tcp://127.0.0.1:1", fails
        if ails == "too large":
            settings.DOCUMENTS_SCANNER_LARGEST_BYTES = len(PDF) - 1

        document = verified(opal)

        version = document.versions.get()
        if fails == "open":
            assert (document.state, version.may_be_served) == (State.ACTIVE, True)
            assert evidence_of(document)["scan"].startswith("not scanned")
        else:
            code = "too_large_to_scan" if ails == "too large" else "scanner_unavailable"
            # That nobody could look says nothing about the file.
            assert failed(document) == (code, "" if ails == "away" else code)
            assert not version.may_be_served

    def test_is_tried_again(self, opal: User, settings: Any) -> None:
        settings.DOCUMENTS_SCANNER = "unix:///nowhere/clamd.ctl"
        document = stored(opal)

        look(document)

        found = Document.objects.get()
        assert (found.state, found.tries, found.failure_code) == (State.PENDING, 1, "scanner_unavailable")


def test_limits_leave_time_for_a_large_file() -> None:
    assert reaction_for(Document, State.PENDING).limits == Limits(soft_s=300, hard_s=360)
