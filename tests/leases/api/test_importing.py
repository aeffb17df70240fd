"""Leases out of a file, for programs."""

import io
import sys
from typing import Any

import pytest
from django.urls import reverse
from openpyxl import Workbook

from core.http.transfers import Stalled
from leases.errors import Overtaken
from leases.models import Batch, Lease, Upload
from spreadsheets import tables
from tests.factories import settled
from tests.leases.api.conftest import Program, refused

pytestmark = pytest.mark.django_db

IMPORT = "/api/v1/leases/import/"
FILE = b"""Agency,Lease number,County
BLM,NMNM 0501759,Lea
blm,nmnm 100,Eddy
XYZ,NMNM 2,Eddy
BLM,NMNM 501759,Lea
,Total,5
"""


def send(program: Program, body: bytes = FILE, query: str = "", **said: Any) -> Any:
    return program.client.post(f"{IMPORT}{query}", body, content_type=said.pop("kind", "text/csv"), **said)


def workbook(**sheets: list[list[str]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


class TestADryRun:
    def test_tells_of_each_row_and_keeps_nothing(self, operator: Program) -> None:
        there = settled(operator.user, lease_number="NMNM 100")

        answer = send(operator, query="?dry_run=true&name=leases.csv")

        said = answer.json()
        assert (answer.status_code, said["dry_run"], said["batch_id"]) == (200, True, None)
        assert (said["made"], said["left_out"], said["read_as"], said["separator"]) == (2, 3, "CSV, UTF-8", "comma")
        assert said["columns"] == {"number": "B", "agency": "A", "agency_of_all": "", "first_row": 2}
        assert [(each["row"], each["became"], each["code"]) for each in said["items"]] == [
            (2, "made", ""),
            (3, "refused", "duplicate_lease"),
            (4, "refused", "invalid_lease"),
            (5, "made", ""),
            (6, "no_lease", ""),
        ]
        assert said["items"][1]["existing_id"] == there.pk
        assert said["items"][3]["doubts"]
        assert said["items"][4]["problems"]
        assert {each["lease_id"] for each in said["items"]} == {None}
        assert (Batch.objects.count(), Upload.objects.count(), Lease.objects.count()) == (0, 0, 1)

    def test_leaves_out_the_doubtful_where_that_is_wanted(self, operator: Program) -> None:
        said = send(operator, query="?dry_run=true&only_sure=true").json()

        assert [each["became"] for each in said["items"]][3] == "doubtful"

    def test_is_read_as_it_is_said(self, operator: Program) -> None:
        body = b"x;NMNM 1;note\ny;NMNM 2;\n"

        guessed = send(operator, body, "?dry_run=true")
        said = send(operator, body, "?dry_run=1&agency=BLM&number_column=b&first_row=2&separator=semicolon").json()

        assert refused(guessed) == (422, "columns_unknown")
        assert said["columns"] == {"number": "B", "agency": "", "agency_of_all": "BLM", "first_row": 2}
        assert [(each["row"], each["number"], each["became"]) for each in said["items"]] == [(2, "NMNM 2", "made")]

    def test_reads_the_sheet_that_is_meant(self, operator: Program) -> None:
        rows = [["Agency", "Lease number"], ["BLM", "NMNM 7"]]
        body = workbook(Old=[["Agency", "Lease number"], ["BLM", "NMNM 1"]], New=rows)

        said = send(operator, body, "?dry_run=true&sheet=New", kind="application/octet-stream").json()

        assert (said["sheet"], said["sheets"]) == ("New", ["Old", "New"])
        assert [each["number"] for each in said["items"]] == ["NMNM 7"]


class TestAnImport:
    def test_makes_the_batch_that_the_console_makes(self, operator: Program) -> None:
        settled(operator.user, lease_number="NMNM 100")

        answer = send(operator, query="?name=leases.csv")

        batch, said = Batch.objects.get(), answer.json()
        assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/batches/{batch.pk}/")
        assert (batch.title, batch.kind, batch.size, batch.left_out) == ("leases.csv", Batch.Kind.IMPORT, 2, 3)
        assert (said["batch_id"], said["made"], said["left_out"]) == (batch.pk, 2, 3)
        made = {each["number"]: each["lease_id"] for each in said["items"] if each["lease_id"]}
        assert made == dict(Lease.objects.filter(batch_items__batch=batch).values_list("lease_number", "pk"))
        # What was left out is kept with it, as a file.
        kept = operator.client.get(reverse("admin:leases_batch_left_out", args=[batch.pk]))
        assert "XYZ" in b"".join(kept).decode()

    def test_of_what_is_all_wrong_keeps_nothing(self, operator: Program) -> None:
        answer = send(operator, b"Agency,Lease number\nXYZ,NMNM 2\n")

        assert (answer.status_code, answer.json()["batch_id"], answer.json()["made"]) == (200, None, 0)
        assert not Upload.objects.exists()

    def test_is_made_once_however_often_it_is_sent(self, operator: Program) -> None:
        answers = [
            send(operator, headers={"Idempotency-Key": "k-1", "Content-Digest": "sha-256=:as it is said:"})
            for _ in range(2)
        ]

        assert answers[0].content == answers[1].content
        assert Batch.objects.count() == 1

    def test_is_undone_where_others_are_faster(self, operator: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        def overtaken(*_: Any, **__: Any) -> None:
            raise Overtaken

        monkeypatch.setattr("leases.file_imports.save_upload", overtaken)

        assert refused(send(operator)) == (409, "overtaken")
        assert not Upload.objects.exists()


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("body", "query", "code"),
        [
            (b"", "", "unreadable_file"),
            (b"%PDF-1.7", "", "unreadable_file"),
            (b"a,b\n1,2\n", "", "columns_unknown"),
            (FILE, "?number_column=A&agency_column=A", "columns_unknown"),
            (FILE, "?number_column=1", "invalid"),
            (FILE, "?agency=XYZ", "invalid"),
            (FILE, "?first_row=0", "invalid"),
        ],
    )
    def test_is_told_and_nothing_kept(self, operator: Program, body: bytes, query: str, code: str) -> None:
        for each in (query, f"{query}{'&' if query else '?'}dry_run=true"):
            assert refused(send(operator, body, each)) == (422, code)
        assert not Upload.objects.exists()

    @pytest.mark.parametrize("kind", ["text/csv", "application/x-www-form-urlencoded"])
    def test_is_what_is_too_large(self, operator: Program, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
        monkeypatch.setattr(sys.modules["leases.api.importing"], "MAX_BYTES", len(FILE))
        monkeypatch.setattr(tables, "MAX_BYTES", len(FILE))

        assert send(operator, FILE, kind=kind).status_code == 202
        assert refused(send(operator, FILE + b"\n", kind=kind)) == (422, "unreadable_file")

    @pytest.mark.parametrize(
        ("fails", "told"),
        [
            (Stalled(), (408, "file_too_slow")),
            (ConnectionError(), (422, "file_incomplete")),
            (None, (422, "file_incomplete")),
        ],
    )
    def test_is_what_has_not_come_as_a_whole(
        self, operator: Program, fails: Exception | None, told: tuple[int, str]
    ) -> None:
        class Body(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if fails and size:
                    raise fails
                return super().read(size)

        cut: Any = {"wsgi.input": Body(FILE[:20]), "CONTENT_LENGTH": str(len(FILE)), "CONTENT_TYPE": "text/csv"}

        assert refused(operator.client.generic("POST", IMPORT, b"", **cut)) == told

    def test_is_no_end_where_it_comes_in_chunks(self, operator: Program) -> None:
        chunks: Any = {
            "wsgi.input": io.BytesIO(FILE),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_TYPE": "text/csv",
        }

        assert operator.client.generic("POST", f"{IMPORT}?dry_run=true", b"", **chunks).json()["made"] == 3
