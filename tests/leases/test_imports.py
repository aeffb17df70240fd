"""From rows to leases: which column is which, one sentence for each wrong column, and nothing saved before it is confirmed."""

import time
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models.functions import Now
from openpyxl import Workbook
from pytest_django import DjangoAssertNumQueries

from leases import imports, services
from leases.batches import import_leases
from leases.errors import NothingToImport, Overtaken, UnreadableFile, UploadGone
from leases.imports import (
    AGENCY,
    NUMBER,
    Checked,
    Mapping,
    check_rows,
    confirm,
    forget_old_uploads,
    guess_mapping,
    keep_upload,
    kept_uploads,
    rows_of,
)
from leases.models import Batch, Lease, Upload
from leases.spreadsheets import Row
from leases.workbooks import BOOLEAN, DATE
from tests.leases.test_workbooks import workbook

pytestmark = pytest.mark.django_db

MAPPING = Mapping(agency=0, number=1)


def table(*rows: list[str]) -> list[Row]:
    return [Row(number=number, cells=cells) for number, cells in enumerate(rows, 1)]


def check(*rows: list[str]) -> list[Checked]:
    return check_rows(table(*rows), MAPPING)


def upload(user: User, text: str) -> Upload:
    return keep_upload(name="leases.csv", content=text.encode(), user=user)


class TestGuessMapping:
    @pytest.mark.parametrize(
        "name", ["Lease Number", "lease_number", "LEASE NO.", "Lease #", "Serial number", "number"]
    )
    def test_knows_columns_by_what_people_call_them(self, name: str) -> None:
        assert guess_mapping(table(["Agency", name], ["BLM", "1"])) == Mapping(agency=0, number=1, first_row=2)

    def test_prefers_the_name_that_says_more(self) -> None:
        assert guess_mapping(table(["Number", "Lease Number", "Office"])).number == 1

    def test_looks_for_the_names_under_a_title(self) -> None:
        rows = table(["Leases of the year"], ["as of today"], ["lease", "agency"], ["1", "BLM"])

        assert guess_mapping(rows) == Mapping(number=0, agency=1, first_row=4)

    def test_knows_agencies_without_a_name_over_them(self) -> None:
        assert guess_mapping(table(["A1", "blm"])) == Mapping(number=0, agency=1, first_row=1)
        assert guess_mapping(table(["x", "A1", "blm"])) == Mapping(number=None, agency=2, first_row=1)

    def test_takes_a_single_column_for_numbers(self) -> None:
        assert guess_mapping(table(["A1"], ["A2"])) == Mapping(number=0, first_row=1)

    def test_leaves_it_open_otherwise(self) -> None:
        found = guess_mapping(table(["a", "b"], ["c", "d"]))

        assert found == Mapping(first_row=1)
        assert not found.is_complete


class TestMapping:
    @pytest.mark.parametrize(
        ("mapping", "is_complete"),
        [
            (Mapping(number=0), False),
            (Mapping(agency=0), False),
            (Mapping(number=0, agency=1), True),
            (Mapping(number=0, agency_of_all="BLM"), True),
            (Mapping(number=0, agency_of_all="XYZ"), False),
        ],
    )
    def test_needs_the_numbers_and_whose_they_are(self, mapping: Mapping, is_complete: bool) -> None:
        assert mapping.is_complete == is_complete


class TestCheckRows:
    def test_finds_nothing_wrong_with_what_is_right(self) -> None:
        assert check(["blm", "NMNM 1"], ["New Mexico State Land Office", "B0-1"]) == [
            Checked(row=1, agency="BLM", lease_number="NMNM 1"),
            Checked(row=2, agency="NMSLO", lease_number="B0-1"),
        ]

    def test_begins_where_the_mapping_says_and_takes_one_agency_for_all(self) -> None:
        mapping = Mapping(number=0, agency_of_all="BLM", first_row=2)

        assert check_rows(table(["Lease"], ["1"]), mapping) == [Checked(row=2, agency="BLM", lease_number="1")]

    @pytest.mark.parametrize(
        ("cells", "column", "sentence"),
        [
            (["", "1"], AGENCY, "The agency is missing: write NMSLO or BLM."),
            (["XYZ", "1"], AGENCY, "“XYZ” is no agency known here: write NMSLO or BLM."),
            (["=A1", "1"], AGENCY, "This cell is a formula: put its value in its place."),
            (["BLM"], NUMBER, "The lease number is missing."),
            (["BLM", "=1+1"], NUMBER, "This cell is a formula: put its value in its place."),
            (["BLM", "#REF!"], NUMBER, "This cell is an error of the spreadsheet: correct it there."),
            (["BLM", "a/b"], NUMBER, "A lease number must not contain “/”."),
            (["BLM", "x" * 101], NUMBER, "A lease number has at most 100 characters; this one has 101."),
        ],
    )
    def test_says_what_is_wrong_with_a_cell(self, cells: list[str], column: str, sentence: str) -> None:
        assert check(cells)[0].problems == {column: sentence}

    def test_says_what_is_wrong_with_each_column(self) -> None:
        assert set(check(["", ""])[0].problems) == {AGENCY, NUMBER}

    def test_tells_duplicates_inside_the_file(self) -> None:
        first, second, elsewhere, third = check(["BLM", "a 1"], ["BLM", "A 1"], ["NMSLO", "a 1"], ["blm", "a 1"])

        assert first.problems == elsewhere.problems == {}
        assert second.problems == third.problems == {NUMBER: "This lease stands in row 1 already."}

    def test_tells_duplicates_in_the_database(self, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="ß Nmnm 1", created_by=olivia)

        same, elsewhere, again = check(["BLM", "ß NMNM 1"], ["NMSLO", "ß NMNM 1"], ["BLM", "ß nmnm 1"])

        assert same.problems == again.problems == {NUMBER: "BLM already has this lease."}
        assert same.existing_id == lease.pk
        assert elsewhere.problems == {}

    def test_takes_two_ways_of_writing_one_character_for_the_same(self) -> None:
        composed, decomposed = check(["BLM", "Se\u00f1or"], ["BLM", "Sen\u0303or"])

        assert decomposed.lease_number == composed.lease_number
        assert decomposed.problems

    def test_makes_no_break_blanks_ordinary_ones(self) -> None:
        (first, second) = check(["BLM", "NMNM\u00a01"], ["BLM", "NMNM\u202f1"])

        assert first.lease_number == second.lease_number == "NMNM 1"
        assert (first.problems, list(second.problems)) == ({}, [NUMBER])

    def test_asks_the_database_once(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(1):
            check(*[["BLM", f"NMNM {n}"] for n in range(500)])


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

        day, doubtful, plain, agency = check_rows(rows_of(Upload.objects.get(pk=kept.pk)), MAPPING)

        assert day.problems == {NUMBER: DATE}
        assert agency.problems == {AGENCY: BOOLEAN}
        assert (doubtful.lease_number, doubtful.problems) == ("12", {})
        assert "“00-00”" in doubtful.warning
        assert (plain.lease_number, plain.problems, plain.warning) == ("0013", {}, "")

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

    def test_takes_less_than_ten_seconds_for_5000_rows_as_does_the_check(self, olivia: User) -> None:
        text = "agency,lease number\n" + "".join(f"BLM,NMNM {n}\n" for n in range(5_000))
        began = time.monotonic()
        kept = upload(olivia, text)
        rows = rows_of(kept)
        assert len(check_rows(rows, guess_mapping(rows))) == 5_000
        checked = time.monotonic()

        assert confirm(upload_id=kept.pk, mapping=guess_mapping(rows), user=olivia).size == 5_000

        assert checked - began < 10
        assert time.monotonic() - checked < 10
