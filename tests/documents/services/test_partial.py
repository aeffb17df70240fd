"""Uploads in several requests where each part is an object, and what no single request meets. The protocol is tested in api/test_tus.py."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from core.base.clock import now
from documents import duties
from documents.errors import DigestMismatch, PartsGone, UploadLapsed, UploadOver, UploadOvertaken, UploadTooLong
from documents.models import Document, DocumentVersion, Leftover, PartialPiece, PartialUpload, Quota, Stage
from documents.services import finishing, partial
from documents.services.partial import Told
from storage.backends import documents as documents_storage
from storage.backends.errors import Unavailable
from tests.documents.making import DEED, Files, digest

pytestmark = pytest.mark.django_db

PIECE = 1_000
WHOLE = bytes(range(256)) * 16


@pytest.fixture(autouse=True)
def apart(files: Files, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "PIECE_BYTES", PIECE)
    options = settings.STORAGES["documents"]["OPTIONS"]
    settings.STORAGES = settings.STORAGES | {
        "documents": {"BACKEND": "tests.documents.apart.Apart", "OPTIONS": options}
    }


def begun(by: User, length: int = len(WHOLE), **said: Any) -> PartialUpload:
    return partial.begin(by=by, length=length, told=Told(name=DEED, **said))


def sent(upload: PartialUpload, chunks: Any, at: int = 0, **said: Any) -> PartialUpload:
    return partial.append(upload_id=upload.pk, by=upload.owner, offset=at, chunks=chunks, length=None, **said)


class TestParts:
    def test_become_one_file_and_go(self, opal: User, files: Files) -> None:
        upload = begun(opal)
        sent(upload, [WHOLE[:1_500]])
        sent(upload, [WHOLE[1_500:2_500]], 1_500)
        sent(upload, [], 2_500)
        sent(upload, [WHOLE[2_500:]], 2_500)
        assert list(PartialPiece.objects.values_list("start", "size"))[:3] == [(0, 1_000), (1_000, 500), (1_500, 1_000)]
        assert {len(each) for each in files.all().values()} <= {1_000, 500, 596}

        document = finishing.finish(upload.pk)

        assert document is not None
        version = document.versions.get()
        assert files.all() == {version.key: WHOLE}
        assert version.sha256 == digest(WHOLE)
        assert not PartialPiece.objects.exists()
        assert finishing.finish(upload.pk) is None

    def test_that_nobody_was_told_of_are_forgotten_at_once(self, opal: User, files: Files) -> None:
        """So whoever sends what is refused again and again fills no storage with it."""
        upload = begun(opal)

        def wrong() -> Iterator[bytes]:
            yield WHOLE
            raise DigestMismatch

        for _ in range(3):
            with pytest.raises(DigestMismatch):
                sent(upload, wrong(), is_checked=True)
            assert files.all() == {}
        with pytest.raises(UploadTooLong):
            sent(upload, [WHOLE + b"1"], is_checked=True)
        assert files.all() == {}
        upload.refresh_from_db()
        assert upload.received == 0

    def test_of_who_was_overtaken_are_forgotten(self, opal: User, files: Files) -> None:
        upload = begun(opal)

        def overtaken() -> Iterator[bytes]:
            PartialUpload.objects.update(turn=99)
            yield WHOLE

        with pytest.raises(UploadOvertaken):
            sent(upload, overtaken())

        assert files.all() == {}

    def test_of_one_that_is_ended_meanwhile_are_not_taken(self, opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
        upload = begun(opal)
        monkeypatch.setattr(partial, "_require_right", lambda upload_id, by: partial.end(upload_id=upload_id, by=by))

        with pytest.raises(UploadOver):
            sent(upload, [WHOLE])

    def test_that_are_gone_end_it(self, opal: User, files: Files) -> None:
        upload = sent(begun(opal), [WHOLE])
        for key in files.all():
            files[key].unlink()

        with pytest.raises(PartsGone):
            finishing.finish(upload.pk)

        assert PartialUpload.objects.get().why_over == "upload_parts_gone"
        assert set(Quota.objects.values_list("used_bytes", "reserved_bytes")) == {(0, 0)}


class TestFinishing:
    def test_that_was_begun_by_one_who_was_killed_is_ended(
        self, opal: User, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its file was made, its rows were not."""
        upload = sent(begun(opal), [WHOLE])
        documents_storage().put(upload.key, [WHOLE])

        document = finishing.finish(upload.pk)

        assert document is not None
        assert files.all() == {upload.key: WHOLE}

    def test_twice_at_once_makes_one_version(self, opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
        """The first was taken for dead, and was not."""
        upload = sent(begun(opal), [WHOLE])
        join = finishing._join

        def slow(*given: Any) -> None:
            join(*given)
            monkeypatch.setattr(finishing, "_join", join)
            PartialUpload.objects.update(finishing_until=None)
            finishing.finish(upload.pk)

        monkeypatch.setattr(finishing, "_join", slow)

        again = finishing.finish(upload.pk)

        assert again == Document.objects.get()
        assert DocumentVersion.objects.count() == 1

    def test_is_refused_where_its_room_was_given_away(self, opal: User) -> None:
        upload = sent(begun(opal), [WHOLE])
        assert upload.upload is not None
        upload.upload.delete()

        with pytest.raises(UploadLapsed):
            finishing.finish(upload.pk)

        assert PartialUpload.objects.get().stage == Stage.OVER
        assert Leftover.objects.get().key == upload.key

    def test_tells_of_no_refusal_where_it_was_done_meanwhile(self, opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
        upload = sent(begun(opal), [WHOLE])

        def late(*_given: Any) -> None:
            PartialUpload.objects.update(stage=Stage.DONE)
            raise DigestMismatch

        monkeypatch.setattr(finishing, "_join", late)
        with pytest.raises(DigestMismatch):
            finishing.finish(upload.pk)

        assert PartialUpload.objects.get().stage == Stage.DONE

    def test_by_the_duty_goes_on_behind_what_cannot_be(self, opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong, away, right = (sent(begun(opal, sha256=each), [WHOLE]) for each in ("0" * 64, "", ""))
        join = finishing._join
        monkeypatch.setattr(
            finishing,
            "_join",
            lambda upload, arrived: _raise() if upload.pk == away.pk else join(upload, arrived),
        )

        with pytest.raises(Unavailable):
            duties.finish_uploads()

        found = {each.pk: each.stage for each in PartialUpload.objects.all()}
        assert found == {wrong.pk: Stage.OVER, away.pk: Stage.ARRIVED, right.pk: Stage.DONE}
        monkeypatch.undo()

    def test_expires_nothing_that_has_come_on_meanwhile(self, opal: User, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(2):
            begun(opal)
        PartialUpload.objects.update(expires_at=now())
        over = partial.over

        def come_on(upload: PartialUpload, *, why: str) -> None:
            over(upload, why=why)
            PartialUpload.objects.exclude(pk=upload.pk).update(expires_at=now() + timedelta(hours=1))

        monkeypatch.setattr(finishing, "over", come_on)

        assert finishing.expire() == 1
        assert sorted(PartialUpload.objects.values_list("stage", flat=True)) == [Stage.OVER, Stage.RECEIVING]

    def test_lets_go_of_what_was_begun_in_vain_once(self, opal: User) -> None:
        partial.give_up(begun(opal))
        assert PartialUpload.objects.get().stage == Stage.OVER
        partial.give_up(PartialUpload.objects.get())


def _raise() -> None:
    raise Unavailable
