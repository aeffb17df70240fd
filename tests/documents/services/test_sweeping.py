from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import F

from core.base.clock import now
from documents import duties
from documents.models import Document, DocumentVersion, Leftover, Quota, Upload
from documents.services import documents, receiving, sweeping, uploads
from documents.states import State
from statemachine.duties import named
from storage.backends.errors import Denied, Unavailable
from storage.backends.local import LocalStorage
from tests.documents.making import Files, stored, verified

pytestmark = pytest.mark.django_db


def passed(hours: float) -> None:
    """So much time goes by."""
    Upload.objects.update(touched_at=F("touched_at") - timedelta(hours=hours))
    Leftover.objects.update(due_at=F("due_at") - timedelta(hours=hours))
    Document.objects.update(purge_at=F("purge_at") - timedelta(hours=hours))


def killed(opal: User, files: Files, key: str) -> None:
    """Of an upload whose process was killed between the bytes and their rows."""
    upload = receiving.begin(key=key, owner_id=opal.pk, agency="BLM", length=5)
    receiving.receive(upload, [b"12345"], receiving.Announced(length=5, sha256=None))
    assert files[key].exists()


class TestUploadsThatDied:
    def test_give_back_their_room_soon_and_their_bytes_a_day_later(self, opal: User, files: Files) -> None:
        killed(opal, files, "7/documents/1/1/a.pdf")
        alive = stored(opal)
        passed(0.9)
        duties.sweep()
        assert {each.reserved_bytes for each in Quota.objects.all()} == {5}

        passed(0.2)
        duties.sweep()

        assert {each.reserved_bytes for each in Quota.objects.all()} == {0}
        assert (Upload.objects.count(), len(files.all())) == (0, 2)
        passed(24.1)
        duties.sweep()
        assert list(files.all()) == [alive.versions.get().key]
        assert not Leftover.objects.exists()

    def test_are_left_alone_while_somebody_else_drops_them(self, opal: User, files: Files) -> None:
        upload = receiving.begin(key="7/documents/1/1/a.pdf", owner_id=opal.pk, agency="", length=5)

        assert str(upload) == "7/documents/1/1/a.pdf"
        assert receiving.drop(upload.pk)
        assert str(Leftover.objects.get()) == str(upload)
        assert not receiving.drop(upload.pk)
        assert Quota.objects.get().reserved_bytes == 0

    def test_are_dropped_once(self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
        killed(opal, files, "7/documents/1/1/a.pdf")
        passed(2)
        monkeypatch.setattr(sweeping, "drop", lambda _pk: False)  # somebody else was faster

        assert sweeping.drop_dead_uploads() == 0


class TestSweep:
    def test_never_takes_what_a_version_stands_on(self, opal: User, files: Files) -> None:
        document = verified(opal)
        Leftover.objects.create(key=document.versions.get().key)

        sweeping.sweep()

        assert len(files.all()) == 1
        assert not Leftover.objects.exists()

    def test_tries_again_what_storage_will_not_let_go_of(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise Unavailable

        Leftover.objects.create(key="7/documents/1/1/a.pdf")
        with monkeypatch.context() as patch:
            patch.setattr(LocalStorage, "_delete", refuse)
            with pytest.raises(Unavailable):
                sweeping.sweep()
        assert Leftover.objects.exists()

        assert sweeping.sweep() == 1  # that it is not there is fine

    def test_goes_on_behind_what_storage_never_lets_go_of(self, opal: User, files: Files) -> None:
        """As a link that somebody has put there: it would keep all others for ever."""
        stored(opal)
        for name in ("a", "c"):
            Leftover.objects.create(key=f"7/documents/1/1/{name}")
            files[f"7/documents/1/1/{name}"].parent.mkdir(parents=True, exist_ok=True)
        files["7/documents/1/1/a"].symlink_to(files.directory)
        files["7/documents/1/1/c"].write_bytes(b"c")

        with pytest.raises(Denied):
            sweeping.sweep()

        assert [each.key[-1] for each in Leftover.objects.order_by("key")] == ["a"]
        assert len(files.all()) == 1
        assert files["7/documents/1/1/a"].is_symlink()
        assert sweeping.sweep() == 0, "they wait"


class TestPurging:
    def test_takes_rows_bytes_and_room_once_the_grace_is_over(self, opal: User, ada: User, files: Files) -> None:
        document, other = verified(opal), verified(opal, b"other")
        uploads.add_version(document_id=document.pk, by=opal, chunks=[b"two"], length=3)
        documents.restore_version(document_id=document.pk, number=1, by=opal)
        documents.archive(document_id=document.pk, by=opal)
        documents.purge(document_id=document.pk, by=ada)
        passed(29 * 24)
        duties.purge()
        assert Document.objects.count() == 2

        passed(2 * 24)
        duties.purge()

        assert list(Document.objects.all()) == [other]
        assert list(files.all().values()) == [b"other"]
        assert DocumentVersion.objects.count() == 1
        assert (Quota.objects.get().used_bytes, Quota.objects.get().version_count) == (5, 1)
        assert not Leftover.objects.exists()

    def test_goes_on_behind_what_the_database_will_not_have(self, opal: User, ada: User) -> None:
        for owner in (opal, ada):
            document = verified(owner)
            documents.archive(document_id=document.pk, by=owner)
            documents.purge(document_id=document.pk, by=ada)
        passed(31 * 24)
        Quota.objects.filter(user=opal).update(used_bytes=0)  # as nothing leaves it, but a hand

        with pytest.raises(IntegrityError):
            sweeping.purge_due()

        assert Document.objects.get().owner == opal

    def test_leaves_alone_what_somebody_has_restored(self, opal: User, ada: User) -> None:
        document = verified(opal)
        documents.archive(document_id=document.pk, by=opal)
        documents.purge(document_id=document.pk, by=ada)
        documents.restore(document_id=document.pk, by=opal)
        passed(31 * 24)

        assert sweeping.purge_due() == 0
        assert sweeping._purge(document.pk) == 0
        assert Document.objects.get().state == State.ACTIVE
        assert Document.objects.filter(purge_at__gt=now()).count() == 0


@pytest.mark.parametrize("name", ["documents_sweep", "documents_purge"])
def test_duties_are_due_every_ten_minutes(name: str) -> None:
    found = named(name)

    assert found is not None
    assert (found.queue, found.every_s()) == ("storage", 600)
