from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from core.base.clock import now
from documents.errors import (
    CheckedOut,
    HeldBack,
    InvalidMetadata,
    InvalidName,
    InvalidUniqueName,
    LeaseUnknown,
    NotArchived,
    NotServed,
    NotYourDocument,
    UniqueNameTaken,
    VersionUnknown,
)
from documents.models import Document, DocumentVersion
from documents.services import documents
from documents.services.bulk import ItemResult, bulk, verify_many
from documents.states import State
from statemachine.errors import Stale, TransitionForbidden, TransitionRefused
from statemachine.models import TransitionLog
from tests.documents.making import DEED, Files, look, stored, verified, worked
from tests.factories import settled

pytestmark = pytest.mark.django_db

type Act = Callable[..., Any]
# What whoever may change documents does with one, and in which state that is possible.
ACTS: dict[str, Act] = {
    "change": lambda **said: documents.change(**said, name="other.pdf"),
    "archive": documents.archive,
    "verify": documents.verify,
    "check_out": documents.check_out,
    "restore_version": lambda **said: documents.restore_version(**said, number=1),
}


class TestChange:
    def test_says_something_else(self, opal: User) -> None:
        document, lease = verified(opal), settled(opal)

        changed = documents.change(
            document_id=document.pk,
            by=opal,
            generation=document.generation,
            name=" New.pdf ",
            metadata={"a": [1, None, True, {"b": "ö"}]},
            is_public=True,
            lease_id=lease.pk,
            unique_name="The-Deed",
        )

        found = Document.objects.get()
        assert (found.name, found.is_public, found.unique_name) == ("New.pdf", True, "The-Deed")
        assert (found.lease, found.charged_agency) == (lease, "BLM")
        assert found.metadata == {"a": [1, None, True, {"b": "ö"}]}
        assert (found.state, found.updated_by) == (State.ACTIVE, opal)
        assert found.generation == changed.generation == document.generation + 1
        assert found.updated_at > document.updated_at

    def test_is_nothing_where_nothing_differs(self, opal: User) -> None:
        document = verified(opal)

        documents.change(document_id=document.pk, by=opal, name=DEED, metadata={}, lease_id=None)

        assert Document.objects.get().generation == document.generation

    def test_of_what_is_being_verified_lets_it_be_verified_anew(self, opal: User) -> None:
        document = stored(opal)

        changed = documents.change(document_id=document.pk, by=opal, name="other.pdf", generation=document.generation)

        assert look(document) == "stale"
        assert worked(changed).state == State.ACTIVE

    @pytest.mark.parametrize(
        ("said", "refusal"),
        [
            ({"name": ""}, InvalidName),
            ({"metadata": {"a": "\0"}}, InvalidMetadata),
            ({"unique_name": "Upload"}, InvalidUniqueName),
            ({"unique_name": "TAKEN-already"}, UniqueNameTaken),
            ({"lease_id": 4711}, LeaseUnknown),
        ],
    )
    def test_is_refused(self, opal: User, said: dict[str, Any], refusal: type[Exception]) -> None:
        document, other = verified(opal), verified(opal)
        documents.change(document_id=other.pk, by=opal, unique_name="Taken-Already")

        with pytest.raises(refusal):
            documents.change(document_id=document.pk, by=opal, **said)

        found = Document.objects.get(pk=document.pk)
        assert (found.generation, found.name) == (document.generation, DEED)

    def test_passes_on_what_it_does_not_know(self, opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
        document = verified(opal)
        monkeypatch.setattr(documents, "checked_name", lambda name: name)

        with pytest.raises(IntegrityError, match="documents_document_name_is_one"):
            documents.change(document_id=document.pk, by=opal, name="a/b")


class TestWhose:
    @pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
    def test_documents_are(self, opal: User, ada: User, role: Callable[[str], User], act: Act) -> None:
        """Operators have their own, administrators look after all, viewers look."""
        of_ada, of_opal = verified(ada), verified(opal)

        with pytest.raises(NotYourDocument):
            act(document_id=of_ada.pk, by=opal)
        with pytest.raises(TransitionForbidden):
            act(document_id=of_opal.pk, by=role("Viewer"))
        act(document_id=of_opal.pk, by=ada)

    @pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
    def test_changes_are_told_to_who_was_overtaken(self, opal: User, ada: User, act: Act) -> None:
        document = verified(opal)
        documents.change(document_id=document.pk, by=ada, is_public=True)

        with pytest.raises(Stale, match="administrator has changed this document since it was looked at"):
            act(document_id=document.pk, by=opal, generation=document.generation)
        with pytest.raises(Stale, match="moved on"):
            act(document_id=document.pk, by=ada, generation=document.generation)


class TestArchive:
    def test_takes_out_of_sight_and_brings_back(self, opal: User, files: Files) -> None:
        document = verified(opal)

        archived = documents.archive(document_id=document.pk, by=opal)

        assert (archived.state, len(files.all())) == (State.ARCHIVED, 1)
        assert archived.archived_at is not None
        with pytest.raises(TransitionRefused):
            documents.archive(document_id=document.pk, by=opal)
        restored = documents.restore(document_id=document.pk, by=opal)
        assert (restored.state, restored.archived_at) == (State.ACTIVE, None)
        assert TransitionLog.objects.filter(record_type="documents.document").latest("pk").actor == opal
        with pytest.raises(TransitionRefused):
            documents.restore(document_id=document.pk, by=opal)

    def test_brings_back_what_was_never_verified_by_verifying_it(self, opal: User) -> None:
        document = stored(opal)
        documents.archive(document_id=document.pk, by=opal)

        restored = documents.restore(document_id=document.pk, by=opal)

        assert (restored.state, restored.archived_at) == (State.PENDING, None)
        assert worked(restored).state == State.ACTIVE

    def test_lets_what_is_archived_be_verified_where_it_is(self, opal: User) -> None:
        document = verified(opal)
        documents.archive(document_id=document.pk, by=opal)

        assert worked(documents.verify(document_id=document.pk, by=opal)).state == State.ARCHIVED


class TestCancel:
    def test_stops_the_verifying(self, opal: User) -> None:
        document = stored(opal)

        stopped = documents.cancel(document_id=document.pk, by=opal)

        assert (stopped.state, stopped.is_stopped) == (State.RECEIVED, True)
        with pytest.raises(NotServed):
            stopped.versions.get().require_served()
        assert worked(documents.verify(document_id=document.pk, by=opal)).state == State.ACTIVE


class TestRestoreVersion:
    def test_makes_another_of_the_same_bytes(self, opal: User, files: Files) -> None:
        document = verified(opal)

        version = documents.restore_version(document_id=document.pk, number=1, by=opal, why=" it was better ")

        assert (version.number, version.restored_from, version.why) == (2, 1, "it was better")
        assert str(version) == f"{DEED}, version 2"
        assert len(files.all()) == 1
        assert worked(document).current == 2
        assert documents.used_by(document) == version.size

    def test_is_refused(self, opal: User) -> None:
        document = verified(opal)
        DocumentVersion.objects.update(finding="infected")

        with pytest.raises(VersionUnknown):
            documents.restore_version(document_id=document.pk, number=7, by=opal)
        with pytest.raises(HeldBack):
            documents.restore_version(document_id=document.pk, number=1, by=opal)
        documents.archive(document_id=document.pk, by=opal)
        with pytest.raises(TransitionRefused):
            documents.restore_version(document_id=document.pk, number=1, by=opal)


class TestCheckOut:
    def test_keeps_others_away_for_a_while(self, opal: User, ada: User) -> None:
        document = verified(opal)
        held = documents.check_out(document_id=document.pk, by=opal, hours=2)
        assert held.checked_out_until is not None
        assert timedelta(hours=1.9) < held.checked_out_until - now() <= timedelta(hours=2)

        for act in ACTS.values():
            with pytest.raises(CheckedOut, match="operator has checked this document out until"):
                act(document_id=document.pk, by=ada)
        documents.change(document_id=document.pk, by=opal, name="mine.pdf")

        Document.objects.update(checked_out_until=now())
        documents.change(document_id=document.pk, by=ada, name="hers.pdf")

    def test_ends_with_who_has_it_or_who_looks_after_all(self, opal: User, ada: User) -> None:
        document = verified(opal)
        documents.check_out(document_id=document.pk, by=opal)
        assert documents.check_in(document_id=document.pk, by=opal).checked_out_by is None
        documents.check_out(document_id=document.pk, by=ada)
        with pytest.raises(CheckedOut):
            documents.check_in(document_id=document.pk, by=opal)
        documents.check_out(document_id=document.pk, by=ada)
        Document.objects.update(checked_out_by=opal)

        assert not documents.check_in(document_id=document.pk, by=ada).is_checked_out


class TestPurge:
    def test_waits_a_grace_in_which_it_can_be_taken_back(self, opal: User, ada: User, settings: Any) -> None:
        settings.DOCUMENTS_PURGE_GRACE_DAYS = 3
        document = verified(opal)
        with pytest.raises(NotArchived):
            documents.purge(document_id=document.pk, by=ada)
        documents.archive(document_id=document.pk, by=opal)
        with pytest.raises(TransitionForbidden):
            documents.purge(document_id=document.pk, by=opal)

        first = documents.purge(document_id=document.pk, by=ada)
        again = documents.purge(document_id=document.pk, by=ada)

        assert first.purge_at is not None
        assert timedelta(days=2.9) < first.purge_at - now() <= timedelta(days=3)
        assert again.purge_at == first.purge_at
        assert documents.restore(document_id=document.pk, by=opal).purge_at is None


class TestBulk:
    def test_tells_of_each(self, opal: User, ada: User) -> None:
        mine, hers = verified(opal), verified(ada)

        told = bulk(action="archive", document_ids=[mine.pk, hers.pk, mine.pk, 4711], by=opal)

        assert [each.code for each in told] == ["", "not_your_document", "record_gone"]
        assert told[0] == ItemResult(document_id=mine.pk)
        assert [each.is_done for each in told] == [True, False, False]
        assert told[1].message == NotYourDocument.sentence()
        assert Document.objects.get(pk=mine.pk).state == State.ARCHIVED

    def test_verifies_no_others_again(self, opal: User, ada: User) -> None:
        mine, hers = verified(opal), verified(ada)
        all_, own = Document.objects.all(), Document.objects.filter(owner=opal)
        with pytest.raises(NotYourDocument, match=r"^1 document of those that you have chosen is somebody else's"):
            verify_many(all_, opal, which="")
        assert not Document.objects.get(pk=mine.pk).is_owed

        assert verify_many(own, opal, which="").size == 1
        assert verify_many(all_, ada, which="").size == 1
        assert Document.objects.get(pk=hers.pk).is_owed

    def test_is_for_at_most_so_many(self, opal: User) -> None:
        with pytest.raises(ValueError, match="At most 1,000"):
            bulk(action="archive", document_ids=range(1_001), by=opal)


class TestVersion:
    def test_never_changes(self, opal: User) -> None:
        """Whatever asks the database to."""
        verified(opal)
        for column in ("key", "name", "size", "sha256", "number", "declared_type", "why", "created_at"):
            with (
                pytest.raises(IntegrityError, match="never changes"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                value = {"size": "1", "number": "9", "created_at": "now()"}.get(column, "'other'")
                cursor.execute(f"UPDATE documents_documentversion SET {column} = {value}")

    def test_outlives_who_made_it(self, opal: User, ada: User) -> None:
        document = verified(opal)
        DocumentVersion.objects.filter(document=document).delete()
        version = documents.restore_version(document_id=verified(opal).pk, number=1, by=ada)

        ada.delete()

        assert DocumentVersion.objects.get(pk=version.pk).created_by is None
