"""From rows to leases: which column is which, one sentence for each wrong column, and nothing saved before it is confirmed."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from leases import imports, services
from leases.batches import import_leases
from leases.columns import AGENCY, NUMBER, Mapping
from leases.errors import NothingToImport, Overtaken, UploadGone
from leases.imports import confirm, forget_old_uploads, keep_upload, kept_uploads, rows_of
from leases.models import Batch, Lease, Upload
from leases.row_checks import examine
from spreadsheets.errors import UnreadableFile
from spreadsheets.tables import Row
from spreadsheets.workbooks import BOOLEAN, DATE
from tests.spreadsheets.test_workbooks import workbook

pytestmark = pytest.mark.django_db

MAPPING = Mapping(agency=0, number=1)


def upload(user: User, text: str) -> Upload:
    return keep_upload(name="leases.csv", content=text.encode(), user=user)


class TestKeepUpload:
    def test_keeps_the_rows_and_makes_no_lease(self, olivia: User) -> None:
        kept = upload(olivia, "agency,lease\n\nBLM,1\n")

        assert rows_of(Upload.objects.get()) == [
            Row(number=1, cells=["agency", "lease"]),
            Row(number=3, cells=["BLM", "1"]),
        ]
        assert (kept.name, kept.read_as, kept.created_by) == ("leases.csv", "CSV, UTF-8", olivia)
        assert not Lease.objects.exists()

    def test_keeps_what_is_wrong_with_cells_and_what_is_doubtful(self, olivia: User) -> None:
        def change(book: Workbook) -> None:
            book.worksheets[0]["B2"].number_format = "00-00"
            book.worksheets[0]["B3"].number_format = "0000"

        rows = [["BLM", date(2026, 11, 21)], ["BLM", 12], ["BLM", 13], [True, "A1"]]
        kept = keep_upload(name="x", content=workbook(*rows, change=change), user=olivia)

        day, doubtful, plain, agency = examine(rows_of(Upload.objects.get(pk=kept.pk)), MAPPING).checked

        assert day.problems == {NUMBER: DATE}
        assert agency.problems == {AGENCY: BOOLEAN}
        assert (doubtful.lease_number, doubtful.problems) == ("12", {})
        assert "“00-00”" in doubtful.doubts[0]
        assert (plain.lease_number, plain.problems, plain.doubts) == ("0013", {}, ())

    def test_keeps_nothing_of_what_cannot_be_read(self, olivia: User) -> None:
        with pytest.raises(UnreadableFile):
            upload(olivia, "")

        assert not Upload.objects.exists()

    def test_keeps_nothing_for_longer_than_a_day(self, olivia: User) -> None:
        old = upload(olivia, "BLM,1")
        imported = upload(olivia, "BLM,2")
        confirm(upload_id=imported.pk, mapping=MAPPING, user=olivia)
        Upload.objects.update(created_at=Now() - imports.KEPT)
        new = upload(olivia, "BLM,3")

        with pytest.raises(UploadGone):
            confirm(upload_id=old.pk, mapping=MAPPING, user=olivia)
        assert set(kept_uploads()) == {imported, new}

        forget_old_uploads()

        assert set(Upload.objects.all()) == {imported, new}


class TestConfirm:
    def test_saves_what_is_right_and_counts_what_is_not(self, olivia: User) -> None:
        kept = upload(olivia, "BLM,1\nXYZ,2\nBLM,3\nBLM,3\n")

        batch = confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)

        assert (batch.kind, batch.title, batch.size, batch.left_out) == ("import", "leases.csv", 2, 2)
        assert [str(lease) for lease in Lease.objects.order_by("pk")] == ["BLM 1", "BLM 3"]

    def test_done_twice_is_one_import(self, olivia: User) -> None:
        kept = upload(olivia, "BLM,1\n")

        first = confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)
        second = confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)

        assert first == second
        assert Lease.objects.count() == 1

    def test_saves_nothing_if_nothing_is_right(self, olivia: User) -> None:
        kept = upload(olivia, "XYZ,1\n")

        with pytest.raises(NothingToImport):
            confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)

        assert not Batch.objects.exists()

    def test_needs_a_file_that_is_still_kept(self, olivia: User) -> None:
        with pytest.raises(UploadGone):
            confirm(upload_id=0, mapping=MAPPING, user=olivia)

    @pytest.mark.parametrize("races", [1, 2])
    def test_checks_again_when_somebody_else_was_faster(
        self, olivia: User, monkeypatch: pytest.MonkeyPatch, races: int
    ) -> None:
        """Between the check and the save, a lease of the file is made."""
        kept = upload(olivia, "BLM,1\nBLM,2\nBLM,3\nBLM,4\n")
        numbers = iter(range(1, races + 1))

        def beaten(**given: object) -> Batch:
            if number := next(numbers, None):
                services.create_lease(agency="BLM", lease_number=str(number), created_by=olivia)
            return import_leases(**given)  # type: ignore[arg-type]

        monkeypatch.setattr(imports, "import_leases", beaten)

        batch = confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)

        assert (batch.size, batch.left_out) == (4 - races, races)
        assert Lease.objects.count() == 4

    def test_gives_up_when_it_is_beaten_for_ever(self, olivia: User, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = upload(olivia, "BLM,1\n")

        def beaten(**_: object) -> Batch:
            raise IntegrityError

        monkeypatch.setattr(imports, "import_leases", beaten)

        with pytest.raises(Overtaken):
            confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)

    def test_asks_the_database_as_often_for_many_rows_as_for_few(self, olivia: User) -> None:
        def asked(count: int) -> int:
            kept = upload(olivia, "".join(f"BLM,NMNM {count}{n:03}\n" for n in range(count)))
            with CaptureQueriesContext(connection) as queries:
                assert confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia).size == count
            return len(queries)

        asked(3)  # some things are asked for once
        assert asked(400) == asked(4)
