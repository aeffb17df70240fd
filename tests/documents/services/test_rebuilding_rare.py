"""What hardly ever happens to what stands beside documents, and is told, or left for another time."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from core.base.clock import now
from documents import sidecars
from documents.models import Document, DocumentSidecar, OwedSidecar, ShareLink
from documents.services import quotas, shares, writing
from documents.services.people import People
from documents.states import State
from storage.backends.errors import Denied
from storage.backends.local import LocalStorage
from storage.services import IndexSyncService
from tests.documents.making import Files, stored, verified
from tests.documents.services.lost import lose, reseal, told
from tests.documents.services.test_writing import key
from tests.documents.test_index import index

pytestmark = pytest.mark.django_db


class TestWhatNobodyCanRead:
    def test_is_told_and_makes_nothing(self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        verified(opal)
        quotas.limit(owner_id=opal.pk, limit_bytes=17)
        writing.write_owed()
        lose()

        def refuses(*_: object, **__: object) -> bytes:
            raise Denied("Nobody lets us in.")

        monkeypatch.setattr(LocalStorage, "read", refuses)
        run = index("sync")

        assert not Document.objects.exists()
        assert told(run) == ["Nobody lets us in."] * 2

    def test_of_a_newer_runsheet_stays_beside_its_row(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        reseal(files, document, lambda it: it.update(format=2))
        before = files[key(document)].read_bytes()

        assert "Upgrade Runsheet" in told(index("sync"))[0]

        assert files[key(document)].read_bytes() == before


class TestWhoIsMeant:
    def test_is_nobody_where_nobody_is_named(self) -> None:
        assert People({}, may_make=True).known(5) is None

    def test_is_somebody_else_who_is_given_no_room(self, opal: User, files: Files) -> None:
        quotas.limit(owner_id=opal.pk, limit_bytes=17)
        writing.write_owed()
        lies = files[f".runsheet-quotas/people/{opal.pk}.json"]
        payload = json.loads(lies.read_bytes())
        payload.pop("seal")
        payload["person"].update(username="somebody-else", date_joined="2001-01-01T00:00:00Z")
        lies.write_bytes(sidecars.in_full(payload))
        lose()

        run = index("sync")

        assert len(told(run)) == 1
        assert run.counts.get("records_restored", 0) == 0


class TestWhatComesBack:
    def test_is_known_although_something_was_left_of_it(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        lose()
        DocumentSidecar.objects.create(document_id=document.pk, edition=0, why_not="left over")

        index("sync")

        assert Document.objects.filter(pk=document.pk).exists()
        assert DocumentSidecar.objects.get().why_not == ""

    def test_has_no_link_that_another_document_has_by_now(self, ada: User, files: Files) -> None:
        document = verified(ada)
        link = shares.make(document_id=document.pk, by=ada, at=now()).link
        writing.write_owed()
        lose()
        other = verified(ada)
        ShareLink.objects.create(
            document=other, token_sha256=link.token_sha256, hint="0000", expires_at=now() + timedelta(days=1)
        )

        run = index("sync")

        assert "1 of its links are another document's by now." in told(run)
        assert ShareLink.objects.get().document_id == other.pk

    def test_without_any_version_owes_nothing(self, opal: User, files: Files) -> None:
        document = verified(opal)
        writing.write_owed()
        payload = json.loads(files[key(document)].read_bytes())
        payload["versions"] = []
        payload["document"].update(current=0, state="received", verified_at=None)
        files[key(document)].write_text(json.dumps(payload))  # without a seal of ours
        lose()

        index("sync")

        found = Document.objects.get(pk=document.pk)
        assert (found.state, found.is_owed) == (State.RECEIVED, False)

    def test_is_of_one_person_where_one_is_looked_at(self, ada: User, opal: User, files: Files) -> None:
        verified(ada)
        mine = verified(opal)
        quotas.limit(agency="BLM", limit_bytes=17)
        writing.write_owed()
        lose()
        service = IndexSyncService()

        service.work(run_id=service.start(mode="sync", user_id=opal.pk, rings=False, allow_missing=99).pk)

        assert [each.pk for each in Document.objects.all()] == [mine.pk]

    def test_is_nothing_where_rows_are_only_cleaned(self, opal: User, files: Files) -> None:
        verified(opal)
        writing.write_owed()
        lose()

        index("clean")

        assert not Document.objects.exists()


class TestAChangedFile:
    def test_of_one_that_is_being_verified_waits_for_that(self, opal: User, files: Files) -> None:
        document = stored(opal)
        index("sync")
        files[document.versions.get().key].write_bytes(b"%PDF-1.7\nForged.\n%%EOF\n")

        index("sync")

        assert Document.objects.get(pk=document.pk).state == State.PENDING


class TestWriting:
    def test_leaves_the_rest_where_its_time_is_over(self, opal: User, files: Files) -> None:
        stored(opal)

        assert writing.write_owed(lasts_s=0) == 0
        assert OwedSidecar.objects.exists()

    def test_says_why_what_is_too_large_is_not_written(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored(opal)
        monkeypatch.setattr(sidecars, "AT_MOST_BYTES", 10)

        assert writing.write_owed() == 0
        assert "are the most" in DocumentSidecar.objects.get().why_not
