import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from documents import sidecars
from documents.models import Document, DocumentSidecar, OwedSidecar, Quota
from documents.services import bulk, documents, quotas, sweeping, writing
from storage.backends.errors import Unavailable
from storage.backends.local import LocalStorage
from tests.documents.making import Files, stored, verified

pytestmark = pytest.mark.django_db


def key(document: Document) -> str:
    return sidecars.key_of(owner_id=document.owner_id, document_id=document.pk)


def said(files: Files, document: Document) -> dict[str, Any]:
    return dict(json.loads(files[key(document)].read_bytes()))


class TestWriteOwed:
    def test_writes_all_that_the_rows_say_and_nothing_twice(self, opal: User, files: Files) -> None:
        document = verified(opal, metadata={"volume": 3, "book": "Ä"})

        assert writing.write_owed() == 1

        found = said(files, document)
        assert found["document"]["metadata"] == {"volume": 3, "book": "Ä"}
        assert found["document"]["state"] == "active"
        assert [each["number"] for each in found["versions"]] == [1]
        assert found["people"][str(opal.pk)]["username"] == opal.username
        assert (found["edition"], found["uuid"]) == (1, str(document.uuid))
        read = sidecars.read(key(document), files[key(document)].read_bytes())
        assert read.is_sealed
        assert not OwedSidecar.objects.exists()
        assert writing.write_owed() == 0
        assert str(document.sidecar) == f"edition 1 of document {document.pk}"

    def test_writes_after_each_change_whoever_makes_it(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()

        documents.archive(document_id=document.pk, by=opal)
        assert str(OwedSidecar.objects.first()) == f"document {document.pk}"
        writing.write_owed()
        assert said(files, document)["document"]["state"] == "archived"
        with connection.cursor() as cursor:
            cursor.execute("UPDATE documents_document SET metadata = '{\"a\": 1}'")
        writing.write_owed()
        assert said(files, document)["document"]["metadata"] == {"a": 1}
        Document.objects.update(tries=3, verified_bytes=7)  # of the engine's
        assert not OwedSidecar.objects.exists()

    def test_tries_again_what_storage_does_not_take(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = stored(opal)
        quotas.limit(owner_id=opal.pk, limit_bytes=10**9)
        with monkeypatch.context() as broken:
            broken.setattr(LocalStorage, "_put", _fails)
            with pytest.raises(Unavailable):
                writing.write_owed()
        assert writing.write_owed() == 0  # not at once
        OwedSidecar.objects.update(due_at="2020-01-01T00:00Z")

        assert writing.write_owed() == 2
        assert said(files, document)["document"]["id"] == document.pk

    def test_writes_how_much_room_somebody_has(self, opal: User, files: Files) -> None:
        quotas.limit(owner_id=opal.pk, limit_bytes=17)
        quotas.limit(agency="BLM", limit_bytes=18)
        quotas.limit(agency="A/..", limit_bytes=19)
        assert {str(each).partition(" ")[0] for each in OwedSidecar.objects.all()} == {"quota"}

        assert writing.write_owed() == 3

        lies = {name: json.loads(content)["limit_bytes"] for name, content in files.all().items()}
        assert lies == {
            f".runsheet-quotas/people/{opal.pk}.json": 17,
            ".runsheet-quotas/agencies/BLM.json": 18,
            ".runsheet-quotas/agencies/412f2e2e.json": 19,
        }
        quotas.limit(agency="BLM", limit_bytes=None)
        Quota.objects.filter(user=opal).delete()
        OwedSidecar.objects.create(quota_id=4711)
        writing.write_owed()
        assert ".runsheet-quotas/agencies/BLM.json" not in files.all()
        assert not OwedSidecar.objects.exists()

    def test_costs_statements_by_batches(self, opal: User, files: Files, django_assert_max_num_queries: Any) -> None:
        some = [stored(opal, f"{number}".encode()) for number in range(30)]
        with django_assert_max_num_queries(18):
            assert writing.write_owed() == 30
        bulk.bulk(action="archive", document_ids=[each.pk for each in some], by=opal)
        with django_assert_max_num_queries(18):
            assert writing.write_owed() == 30


class TestWhatLiesThere:
    def test_is_not_another_documents(self, opal: User, files: Files) -> None:
        document = stored(opal)
        writing.write_owed()
        Document.objects.update(uuid="00000000-0000-4000-8000-000000000000")
        before = files.all()

        assert writing.write_owed() == 0

        assert files.all() == before
        assert DocumentSidecar.objects.get().why_not == writing.ANOTHERS
        assert OwedSidecar.objects.exists()
        Document.objects.update(uuid=document.uuid)
        OwedSidecar.objects.update(due_at="2020-01-01T00:00Z")
        assert writing.write_owed() == 1
        assert DocumentSidecar.objects.get().why_not == ""

    def test_is_not_from_later_than_the_database(self, opal: User, files: Files) -> None:
        stored(opal)
        for name in ("one", "two"):
            documents.change(document_id=Document.objects.get().pk, by=opal, name=name)
            writing.write_owed()
        before = files.all()
        DocumentSidecar.objects.update(edition=1)  # as an old copy of the database has it
        documents.change(document_id=Document.objects.get().pk, by=opal, name="three")

        assert writing.write_owed() == 0

        assert files.all() == before
        assert DocumentSidecar.objects.get().why_not == writing.FROM_LATER

    @pytest.mark.parametrize("content", [b"{", b"[]", b"", b'{"format": 1}', b'{"format": 1, "uuid": 1, "edition": 2}'])
    def test_is_mended_where_it_is_broken(self, opal: User, files: Files, content: bytes) -> None:
        document = stored(opal)
        writing.write_owed()
        files[key(document)].write_bytes(content)
        documents.change(document_id=document.pk, by=opal, name="other")

        assert writing.write_owed() == 1
        assert said(files, document)["document"]["name"] == "other"

    def test_is_left_to_a_newer_runsheet(self, opal: User, files: Files) -> None:
        document = stored(opal)
        writing.write_owed()
        files[key(document)].write_text(json.dumps(said(files, document) | {"format": 2}))
        documents.change(document_id=document.pk, by=opal, name="other")

        assert writing.write_owed() == 0
        assert DocumentSidecar.objects.get().why_not == writing.FROM_NEWER

    def test_is_no_link_to_elsewhere(self, opal: User, files: Files) -> None:
        document = stored(opal)
        other = files["secret"]
        other.write_text("kept")
        files[key(document)].symlink_to(other)

        with pytest.raises(Exception, match="symbolic link"):
            writing.write_owed()

        assert other.read_text() == "kept"

    def test_goes_with_its_document(self, ada: User, files: Files) -> None:
        document = verified(ada)
        writing.write_owed()
        documents.archive(document_id=document.pk, by=ada)
        documents.purge(document_id=document.pk, by=ada)
        Document.objects.update(purge_at="2020-01-01T00:00Z")

        sweeping.purge_due()
        assert writing.write_owed() == 0
        sweeping.sweep()

        assert files.all() == {}
        assert not OwedSidecar.objects.exists()
        assert not DocumentSidecar.objects.exists()


class TestKilled:
    @pytest.mark.parametrize("is_put", [False, True])
    def test_between_row_and_sidecar_it_is_written_by_the_next(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch, is_put: bool
    ) -> None:
        document = stored(opal)
        put = LocalStorage.put

        def killed(storage: LocalStorage, *args: Any, **said: Any) -> None:
            if is_put:
                put(storage, *args, **said)
            raise KeyboardInterrupt

        with monkeypatch.context() as killing:
            killing.setattr(LocalStorage, "put", killed)
            with pytest.raises(KeyboardInterrupt):
                writing.write_owed()
        assert files[key(document)].exists() == is_put
        assert OwedSidecar.objects.exists()

        assert writing.write_owed() == 1
        assert said(files, document)["edition"] == 2
        assert DocumentSidecar.objects.get().why_not == ""


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_nothing_older_follows_something_newer(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        document = stored(opal)
        is_at_it, goes_on, put = Event(), Event(), LocalStorage.put

        def slow(storage: LocalStorage, *args: Any, **said: Any) -> Any:
            if not is_at_it.is_set():
                is_at_it.set()
                assert goes_on.wait(30)
            return put(storage, *args, **said)

        monkeypatch.setattr(LocalStorage, "put", slow)

        def first() -> int:
            try:
                return writing.write_owed()
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            worker = pool.submit(first)
            assert is_at_it.wait(30)
            documents.change(document_id=document.pk, by=opal, name="newer")
            assert writing.write_owed() == 0  # who is at it goes on until nothing is owed
            goes_on.set()
            worker.result(timeout=60)
        writing.write_owed()

        assert said(files, document)["document"]["name"] == "newer"
        assert not OwedSidecar.objects.exists()

    def test_who_was_overtaken_leaves_it_to_the_other(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored(opal)
        numbered = writing._numbered

        def overtaken(ids: Any) -> dict[int, int]:
            mine = numbered(ids)
            numbered(ids)
            return mine

        with monkeypatch.context() as overtaking:
            overtaking.setattr(writing, "_numbered", overtaken)
            assert writing.write_owed() == 0
        assert OwedSidecar.objects.exists()
        assert writing.write_owed() == 1


def _fails(*_: Any, **__: Any) -> None:
    raise Unavailable
