import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from documents.errors import BodyIncomplete, QuotaExceeded, TooManyVersions
from documents.models import Document, DocumentVersion, Leftover, Quota, Upload
from documents.services import documents, quotas, receiving, uploads
from documents.services.usage import Usage, recount, usage
from tests.documents.making import Files, stored, verified
from tests.factories import settled

AT_ONCE, CONNECTIONS, SIZE, ROOM = 200, 40, 1_000, 60
AGENCY_ROOM = 20


class TestManyAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_get_what_there_is_and_not_a_byte_more(
        self, django_user_model: Any, files: Files, settings: Any, redis: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Some say before how much it will be, some do not, some break off, some are for an agency that has less room."""
        monkeypatch.setattr(receiving, "STEP_BYTES", 300)
        opal = django_user_model.objects.create_superuser("opal")
        lease = settled(opal)
        quotas.limit(owner_id=opal.pk, limit_bytes=ROOM * SIZE)
        quotas.limit(agency="BLM", limit_bytes=AGENCY_ROOM * SIZE)
        begin = threading.Barrier(CONNECTIONS)
        most: list[int] = []

        def upload(number: int) -> str:
            if number < CONNECTIONS:
                begin.wait(timeout=30)
            try:
                uploads.store(
                    by=opal,
                    name=f"{number}.bin",
                    chunks=[b"x" * (SIZE // 2)] * (1 if number % 10 == 3 else 2),
                    length=SIZE if number % 2 else None,
                    lease_id=lease.pk if number % 3 == 0 else None,
                )
            except QuotaExceeded as error:
                return error.code
            except BodyIncomplete as error:
                return error.code
            finally:
                mine = Quota.objects.get(user=opal)
                most.append(mine.used_bytes + mine.reserved_bytes)
                connection.close()
            return ""

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            told = list(pool.map(upload, range(AT_ONCE)))

        rows = list(DocumentVersion.objects.values_list("size", flat=True))
        mine, of_agency = Quota.objects.get(user=opal), Quota.objects.get(agency="BLM")
        assert len(told) == AT_ONCE
        assert told.count("") == len(rows) == len(files.all())
        assert told.count("quota_exceeded") > AT_ONCE - 2 * ROOM
        assert mine.used_bytes == sum(rows) <= ROOM * SIZE
        assert max(most) <= ROOM * SIZE
        charged = DocumentVersion.objects.filter(document__charged_agency="BLM")
        assert of_agency.used_bytes == sum(charged.values_list("size", flat=True)) <= AGENCY_ROOM * SIZE
        assert (mine.reserved_bytes, of_agency.reserved_bytes) == (0, 0)
        assert (Upload.objects.count(), Leftover.objects.count()) == (0, 0)
        # What those had kept that broke off is there again, to the last byte.
        stored(opal, b"x" * (ROOM * SIZE - mine.used_bytes), name="rest.bin")
        with pytest.raises(QuotaExceeded):
            stored(opal, b"x", name="more.bin")


@pytest.mark.django_db
class TestQuotas:
    def test_tell_how_much_is_left(self, opal: User) -> None:
        quotas.limit(owner_id=opal.pk, limit_bytes=1_500_000)

        with pytest.raises(QuotaExceeded, match=r"Your space for documents has 1\.5 MB left of 1\.5 MB"):
            uploads.store(by=opal, name="a", chunks=[], length=2_000_000)

    def test_of_an_agency_are_told_apart(self, opal: User, settings: Any) -> None:
        settings.DOCUMENTS_AGENCY_QUOTA_BYTES = 10

        with pytest.raises(QuotaExceeded, match="The space for the documents of BLM"):
            stored(opal, lease_id=settled(opal).pk)

        assert usage(owner_id=opal.pk).reserved == 0

    def test_let_nothing_be_added_once_they_are_lowered(self, opal: User, files: Files) -> None:
        stored(opal)
        quotas.limit(owner_id=opal.pk, limit_bytes=1)

        with pytest.raises(QuotaExceeded, match=r"0 bytes left"):
            stored(opal)

    def test_go_with_a_document_to_another_agency(self, opal: User) -> None:
        document = verified(opal, b"12345", lease_id=settled(opal).pk)
        other = settled(opal, agency="NMSLO", lease_number="B0-1")
        quotas.limit(agency="NMSLO", limit_bytes=4)
        with pytest.raises(QuotaExceeded):
            documents.change(document_id=document.pk, by=opal, lease_id=other.pk)
        quotas.limit(agency="NMSLO", limit_bytes=None)

        documents.change(document_id=document.pk, by=opal, lease_id=other.pk)

        assert usage(agency="BLM") == Usage(used=0, reserved=0, limit=None)
        assert usage(agency="NMSLO").used == usage(owner_id=opal.pk).used == 5
        plain = verified(opal, b"123")
        documents.change(document_id=plain.pk, by=opal, lease_id=other.pk)
        documents.change(document_id=plain.pk, by=opal, lease_id=None)
        assert usage(agency="NMSLO").used == 8

    def test_are_of_so_many_versions_also_without_bytes(self, opal: User, files: Files, settings: Any) -> None:
        settings.DOCUMENTS_VERSIONS_AT_MOST = 2
        document = verified(opal, b"")
        documents.restore_version(document_id=document.pk, number=1, by=opal)

        with pytest.raises(TooManyVersions, match="You have 2 versions"):
            documents.restore_version(document_id=document.pk, number=1, by=opal)
        with pytest.raises(TooManyVersions):
            stored(opal, b"")

        def meanwhile() -> Iterator[bytes]:
            settings.DOCUMENTS_VERSIONS_AT_MOST = 2
            yield b""

        settings.DOCUMENTS_VERSIONS_AT_MOST = 3
        with pytest.raises(TooManyVersions):
            uploads.store(by=opal, name="a", chunks=meanwhile(), length=None)
        assert DocumentVersion.objects.count() == 2
        assert len(files.all()) == 1
        assert not Upload.objects.exists()

    def test_are_counted_anew(self, opal: User, ada: User, settings: Any) -> None:
        settings.DOCUMENTS_QUOTA_BYTES = 100
        document = verified(opal, b"12345", lease_id=settled(opal).pk)
        documents.restore_version(document_id=document.pk, number=1, by=opal)
        receiving.begin(key="7/documents/1/1/a", owner_id=opal.pk, agency="BLM", length=7)
        quotas.limit(owner_id=ada.pk, limit_bytes=9)
        counted = ("pk", "used_bytes", "reserved_bytes", "version_count")
        right = sorted(Quota.objects.values_list(*counted))
        Quota.objects.update(used_bytes=77, reserved_bytes=1, version_count=9)

        assert recount() == 3

        assert recount() == 0
        assert sorted(Quota.objects.values_list(*counted)) == right
        assert Quota.objects.get(user=opal).version_count == 2
        assert usage(owner_id=opal.pk) == Usage(used=5, reserved=7, limit=100)
        assert usage(owner_id=ada.pk) == Usage(used=0, reserved=0, limit=9)
        assert Document.objects.count() == 1
