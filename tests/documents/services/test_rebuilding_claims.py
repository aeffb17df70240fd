"""The database is lost, and more than one claim what it had; or it is there, and storage says something else."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from core.base.clock import now
from documents.errors import NotServed
from documents.models import Document, DocumentSidecar, DocumentVersion, OwedSidecar, Quota
from documents.services import documents, shares, uploads, writing
from documents.states import State
from tests.documents.making import PDF, Files, stored, verified, worked
from tests.documents.services.lost import lose, reseal, told
from tests.documents.services.test_writing import key
from tests.documents.test_index import index

pytestmark = pytest.mark.django_db


class TestTwoThatClaimTheSame:
    def test_number_of_another_person(self, ada: User, opal: User, files: Files) -> None:
        first, second = verified(opal), verified(ada)
        writing.write_owed()
        folder = files[key(second)].parent
        reseal(
            files,
            second,
            lambda it: (
                it["document"].update(id=first.pk),
                it["versions"][0].update(key=f"{ada.pk}/documents/{first.pk}/1/x"),
            ),
        )
        folder.rename(folder.parent / str(first.pk))
        before = files.all()
        lose()

        run = index("sync")

        assert Document.objects.count() == 1
        assert any("Another document has its number" in each for each in told(run))
        assert files.all().keys() - before.keys() == {".runsheet-root"}

    def test_uuid_is_a_copy(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        number = document.pk + 1
        copied = files[f"{opal.pk}/documents/{number}/document.json"]
        copied.parent.mkdir()
        copied.write_bytes(files[key(document)].read_bytes())
        other = Document(pk=number, owner=opal)
        reseal(
            files,
            other,
            lambda it: (it["document"].update(id=number, current=0, state="received"), it.update(versions=[])),
        )
        lose()

        run = index("sync")

        assert [each.pk for each in Document.objects.all()] == [document.pk]
        assert any("copy of its folder" in each for each in told(run))

    def test_unique_name_and_numbers_of_rows(self, ada: User, opal: User, files: Files) -> None:
        document = verified(opal)
        shares.make(document_id=document.pk, by=ada, at=now())
        writing.write_owed()
        lose()
        other = verified(ada)
        Document.objects.filter(pk=other.pk).update(unique_name=document.unique_name.upper())
        version = DocumentVersion.objects.get()
        reseal(files, document, lambda it: it["versions"][0].update(id=version.pk))

        run = index("sync")

        found = Document.objects.get(pk=document.pk)
        assert found.unique_name != document.unique_name
        assert found.versions.get().pk != version.pk
        assert any("has the unique name" in each for each in told(run))

    def test_number_of_a_person(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        lose()
        User.objects.filter(pk=opal.pk).update(username="bob", date_joined=now() - timedelta(days=1))

        run = index("sync")

        assert not Document.objects.exists()
        assert told(run) == [f"Person {opal.pk} was “{opal.username}”, and is “bob” now: nothing becomes theirs."]
        assert document.pk


class TestWhileThereAreRows:
    def test_an_edit_is_written_over(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        index("sync")
        whole = json.loads(files[key(document)].read_bytes())
        files[key(document)].write_text(json.dumps(whole | {"document": whole["document"] | {"is_public": True}}))

        run = index("sync")

        assert told(run) == ["Somebody has changed it. What the database says holds, and is written there anew."]
        assert not Document.objects.get().is_public
        writing.write_owed()
        assert not json.loads(files[key(document)].read_bytes())["document"]["is_public"]

    def test_an_older_one_that_was_put_back_is_written_over(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        old = files[key(document)].read_bytes()
        documents.archive(document_id=document.pk, by=opal)
        writing.write_owed()
        index("sync")
        files[key(document)].write_bytes(old)

        assert told(index("sync")) == []

        writing.write_owed()
        assert json.loads(files[key(document)].read_bytes())["document"]["state"] == "archived"

    def test_of_an_old_copy_of_the_database_get_back_what_they_lack(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"newer"], length=5)
        worked(document)
        writing.write_owed()
        used = Quota.objects.get(user=opal).used_bytes
        DocumentVersion.objects.filter(number=2).delete()
        Document.objects.update(current=1, last_number=1, size_bytes=len(PDF))
        DocumentSidecar.objects.update(edition=1)
        Quota.objects.update(used_bytes=len(PDF))

        run = index("sync")

        assert [each.number for each in document.versions.order_by("number")] == [1, 2]
        assert Document.objects.get().last_number == 2
        assert Quota.objects.get(user=opal).used_bytes == used
        assert "1 versions that were missing are back" in told(run)[0]
        OwedSidecar.objects.update(due_at="2020-01-01T00:00Z")
        assert writing.write_owed() == 1

    def test_another_documents_sidecar_stays(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        Document.objects.update(uuid="00000000-0000-4000-8000-000000000000")
        before = files[key(document)].read_bytes()

        run = index("sync")

        assert "another document's, whose number was given once more" in told(run)[0]
        assert files[key(document)].read_bytes() == before


class TestFilesOutside:
    def test_newer_than_their_verifying_are_verified_anew_as_the_rows_come_back(self, opal: User, files: Files) -> None:
        """Others of the same size may lie there, which nobody has read yet."""
        document = verified(opal, b"one", name="a.bin")
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"two"], length=3)
        worked(Document.objects.get())
        writing.write_owed()
        first, second = (each.key for each in document.versions.order_by("number"))
        lose()
        for each in (first, second):
            files[each].write_bytes(b"!!!")

        said = told(index("sync"))

        assert any("version 1 is newer than its verifying. Compare its SHA-256." in each for each in said)
        assert any("version 2 is newer than its verifying, so it is verified again." in each for each in said)
        assert Document.objects.get().state == State.PENDING
        with pytest.raises(NotServed):
            DocumentVersion.objects.get(number=2).require_served()
        assert worked(Document.objects.get()).failure_code == "file_changed"

    def test_with_another_size_are_verified_anew_as_the_rows_come_back(self, opal: User, files: Files) -> None:
        document = verified(opal)
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"two"], length=3)
        worked(document)
        writing.write_owed()
        for version in document.versions.all():
            files[version.key].write_bytes(b"other bytes")
        lose()

        run = index("sync")

        found = worked(Document.objects.get())
        assert (found.state, found.failure_code) == (State.ERROR, "file_changed")
        assert {each.finding for each in found.versions.all()} == {"file_changed"}
        assert len(told(run)) == 2


class TestNumbers:
    def test_whose_folder_holds_anything_are_passed_over(self, opal: User, files: Files) -> None:
        """Where a database was restored from an old copy, they are somebody's newer documents and versions."""
        document = verified(opal)
        sidecar = files[f"{opal.pk}/documents/{document.pk + 1}/document.json"]
        sidecar.parent.mkdir()
        sidecar.write_bytes(b"another's")
        lost = files[f"{opal.pk}/documents/{document.pk + 2}/2/other name.pdf"]
        lost.parent.mkdir(parents=True)
        lost.write_bytes(b"another's")
        version = files[f"{opal.pk}/documents/{document.pk}/2/other name.pdf"]
        version.parent.mkdir()
        version.write_bytes(b"another's")

        assert stored(opal).pk == document.pk + 3
        assert uploads.add_version(document_id=document.pk, by=opal, chunks=[b"x"], length=1).number == 3
