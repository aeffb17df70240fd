"""Documents and the index of storage: what a version stands on stays, and what is missing is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from redis import Redis

from documents.models import Document, Quota
from documents.queries import is_missing, missing_keys, stood_on
from documents.services import partial
from documents.services.usage import recount
from documents.states import State
from storage.models import IndexRun, StoredFile
from storage.services import IndexSyncService
from tests.documents.making import Files, verified

pytestmark = pytest.mark.django_db


def index(mode: str) -> IndexRun:
    service = IndexSyncService()
    started = service.start(mode=mode, force=True, grace=timedelta(), rings=False, allow_missing=99)
    return service.work(run_id=started.pk)


class TestIndex:
    def test_never_deletes_what_a_version_stands_on(self, ada: User, files: Files, redis: Redis, client: Any) -> None:
        document = verified(ada)
        version = document.versions.get()
        other = files["7/loose.pdf"]
        other.parent.mkdir()
        other.write_bytes(b"x")
        index("sync")
        assert not is_missing(version)
        files[version.key].unlink()
        other.unlink()

        run = index("full")

        left = set(StoredFile.objects.filter(is_directory=False).values_list("key", "state"))
        assert left == {(version.key, "missing")}
        assert run.counts["protected_shared"] == 1
        assert is_missing(version)
        row = StoredFile.objects.get(key=version.key)
        assert stood_on([row.pk, 4711]) == {row.pk: f"It is version 1 of document {document.pk}."}
        # The document goes on, and its page says so.
        assert Document.objects.get().state == State.ACTIVE
        client.force_login(ada)
        page = client.get(reverse("admin:documents_document_change", args=[document.pk])).text
        assert "The file of the current version is not in storage." in page
        assert "Missing" in page

        files[version.key].write_bytes(b"x")
        index("sync")
        assert not is_missing(version)

    def test_sees_nothing_of_an_upload_that_is_under_way(self, ada: User, files: Files) -> None:
        upload = partial.begin(by=ada, length=99, told=partial.Told(name="plat.pdf"))
        partial.append(upload_id=upload.pk, by=ada, offset=0, chunks=[b"%PDF"], length=4)
        assert list(files.all().values()) == [b"%PDF"]

        index("sync")

        assert not StoredFile.objects.filter(is_directory=False).exists()
        recount()
        assert Quota.objects.get().reserved_bytes == 99

    def test_knows_of_no_other_place(self, ada: User, files: Files, settings: Any) -> None:
        version = verified(ada).versions.get()
        settings.STORAGE_ROOTS = {"documents": {"kind": "files", "path": "/nowhere"}}

        assert missing_keys([version.key]) == set()
        assert not is_missing(None)
