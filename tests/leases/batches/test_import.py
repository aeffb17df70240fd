"""The pages of an import: a file, its preview, and the button that saves it."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models.functions import Now
from django.test import Client
from openpyxl import Workbook
from pytest_django import DjangoAssertNumQueries

from leases import imports, services
from leases.admin.preview import column_labels
from leases.imports import KEPT
from leases.models import Batch, Lease, Upload
from spreadsheets.tables import Row
from tests.leases.batches.asking import IMPORT, confirm, page_url, send
from tests.spreadsheets.test_workbooks import workbook

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

GOOD = "Agency,Lease Number\nBLM,NMNM 1\nNMSLO,B0-1\n"
MIXED = "Agency,Lease Number\nBLM,NMNM 1\nXYZ,a/b\nBLM,nmnm 1\nBLM,OLD 1\n"


class TestImport:
    def test_previews_a_file_and_saves_nothing(self, console: Client) -> None:
        answer = send(console, GOOD)

        assert answer.redirect_chain[-1][0] == f"{IMPORT}{Upload.objects.get().pk}/"
        assert "<strong>2 leases can be imported.</strong>" in answer.text
        assert "Nothing is saved yet." in answer.text
        assert not Lease.objects.exists()

    def test_saves_what_is_confirmed_and_leads_to_its_batch(self, console: Client, operator: User) -> None:
        answer = confirm(console, send(console, GOOD))

        batch = Batch.objects.get()
        assert answer.redirect_chain[-1][0] == page_url(batch)
        assert "Imported: 2 leases. The search has begun" in answer.text
        assert "another number" not in answer.text
        assert {str(lease) for lease in Lease.objects.filter(batch_items__batch=batch)} == {"BLM NMNM 1", "NMSLO B0-1"}
        assert batch.created_by == operator

    def test_tells_every_problem_beside_its_cell(self, console: Client, operator: User) -> None:
        existing = services.create_lease(agency="BLM", lease_number="old 1", created_by=operator)

        answer = send(console, MIXED)

        text = answer.text
        assert [row.row for row in answer.context["preview"].page] == [3, 4, 5]
        assert "<strong>1 lease can be imported.</strong>" in text
        assert "3 rows have a problem and are left out, of which 1 exists already." in text
        assert "“XYZ” is no agency known here" in text
        assert "A lease number must not contain “/”." in text
        assert "This lease stands in row 2 already." in text
        assert f'<a href="/admin/leases/lease/{existing.pk}/change/">Open it</a>' in text

    def test_tells_of_one_row_in_the_singular(self, console: Client, operator: User) -> None:
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)

        exists = send(console, "Agency,Lease Number\nBLM,nmnm 1\n").text
        doubtful = send(console, "Agency,Lease Number\nBLM,NMNM-1\n").text

        assert "1 row has a problem and is left out: the lease exists already." in exists
        assert "It is doubtful: see whether it is meant." in doubtful

    def test_shows_all_rows_on_demand(self, console: Client) -> None:
        answer = send(console, MIXED)

        everything = console.get(answer.request["PATH_INFO"] + answer.context["preview"].url(show="all"))

        preview = everything.context["preview"]
        assert len(preview.page.object_list) == 4
        assert [tab.label for tab in preview.tabs if tab.is_chosen] == ["All rows"]

    def test_leaves_wrong_rows_out_and_says_so(self, console: Client) -> None:
        answer = confirm(console, send(console, MIXED))

        assert "Imported: 2 leases; 2 rows were left out." in answer.text

    def test_says_when_it_was_another_number_than_shown(self, console: Client) -> None:
        assert "another number than the preview showed" in confirm(console, send(console, GOOD), expected="7").text

    def test_confirmed_twice_is_one_import(self, console: Client) -> None:
        answer = send(console, GOOD)
        confirm(console, answer)

        again = confirm(console, answer)

        assert again.redirect_chain[-1][0] == page_url(Batch.objects.get())
        assert Lease.objects.count() == 2

    def test_asks_which_column_is_which_when_it_cannot_tell(self, console: Client) -> None:
        answer = send(console, "x,y,z\n1,A1,BLMX\n")
        assert "Say which column is which." in answer.text
        assert 'class="problem"' not in answer.text

        mapped = console.get(answer.request["PATH_INFO"], {"number": "1", "agency": "BLM", "first_row": "2"})

        assert "<strong>1 lease can be imported.</strong>" in mapped.text
        assert confirm(console, mapped).status_code == 200
        assert str(Lease.objects.get()) == "BLM A1"

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"number": "", "agency": "0", "first_row": "1"}, "Choose the column of lease numbers."),
            ({"number": "0", "agency": "", "first_row": "1"}, "Choose a column, or one agency for all."),
            ({"number": "0", "agency": "0", "first_row": "1"}, "One column cannot be both"),
            ({"number": "99", "agency": "BLM", "first_row": "1"}, "Select a valid choice."),
            ({"number": "0", "agency": "BLM", "first_row": "0"}, "greater than or equal to 1"),
        ],
    )
    def test_says_what_is_missing_of_a_choice(self, console: Client, asked: dict[str, str], sentence: str) -> None:
        answer = send(console, GOOD)

        assert sentence in console.get(answer.request["PATH_INFO"], asked).text
        assert not Lease.objects.exists()
        assert console.post(answer.request["PATH_INFO"], asked).status_code == 302
        assert not Lease.objects.exists()

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("Lease Number\nNMNM 0501759\n", "<strong>Say whose leases these are.</strong> No column is known to hold"),
            ("a,b,c\nBLM,x,y\nBLM,x,y\n", "<strong>Say which column holds the lease numbers.</strong> The file does"),
            ("a,b,c\nu,x,y\n", "<strong>Say which column is which.</strong> The names in this file do not tell"),
        ],
    )
    def test_says_which_of_the_columns_it_cannot_tell_and_where_to_choose_it(
        self, console: Client, content: str, sentence: str
    ) -> None:
        answer = send(console, content)

        assert sentence in answer.text
        assert '<details class="card mapping" open>' in answer.text

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"number": "0", "agency": "", "first_row": "1"}, "Say whose leases these are."),
            ({"number": "", "agency": "0", "first_row": "1"}, "Say which column holds the lease numbers."),
            ({"number": "0", "agency": "0", "first_row": "1"}, "One column cannot be both."),
            ({"number": "", "agency": "", "first_row": "1"}, "Say which column is which."),
            ({"number": "0", "agency": "BLM", "first_row": "x"}, "Say where the leases begin."),
        ],
    )
    def test_keeps_what_was_chosen_and_says_the_one_thing_that_is_missing(
        self, console: Client, asked: dict[str, str], sentence: str
    ) -> None:
        answer = send(console, GOOD)

        shown = console.post(answer.request["PATH_INFO"], asked, follow=True)

        assert f"<strong>{sentence}</strong>" in shown.text
        assert {name: shown.context["preview"].form[name].value() for name in asked} == asked

    def test_says_when_there_are_only_names_of_columns(self, console: Client) -> None:
        text = send(console, "Agency,Lease number\n").text

        assert "There is no lease below the names of the columns." in text
        assert "None of the rows can be imported" not in text

    @pytest.mark.parametrize("content", ["Agency,Lease number\n", GOOD])
    def test_lists_the_names_of_the_columns_with_the_reason(self, console: Client, content: str) -> None:
        answer = send(console, content)
        preview = answer.context["preview"]

        shown = console.get(answer.request["PATH_INFO"] + preview.no_leases_url)

        assert [row.row for row in shown.context["preview"].page] == [1]
        assert '<span class="warning">These are the names of the columns.</span>' in shown.text
        assert "such as a total" not in shown.text

    def test_tells_rows_above_the_first_one_apart_from_totals(self, console: Client) -> None:
        answer = send(console, "Agency,Lease Number\nBLM,NMNM 1\nBLM,NMNM 2\nBLM,NMNM 3\nTotal,\n")
        url = answer.request["PATH_INFO"]

        one = console.get(url, {"number": "1", "agency": "0", "first_row": "3"})
        two = console.get(url, {"number": "1", "agency": "0", "first_row": "4"})

        assert "1 row stands above row 3, where the leases begin, and is left out: <a href=" in one.text
        assert "2 rows stand above row 4, where the leases begin, and are left out: <a href=" in two.text
        assert "1 row is no lease, such as a total or a note" in two.text
        shown = console.get(url + two.context["preview"].no_leases_url)
        assert [row.row for row in shown.context["preview"].page] == [1, 2, 3, 5]
        assert "It stands above the first row with a lease, which is row 4." in shown.text
        assert "Imported: 1 lease; 3 rows were left out." in confirm(console, two).text

    def test_has_nothing_to_import_below_the_last_row(self, console: Client) -> None:
        answer = send(console, GOOD)
        asked = {"number": "1", "agency": "0", "first_row": "9"}

        shown = console.get(answer.request["PATH_INFO"], asked)
        assert "No row stands at or below row 9, where the leases begin." in shown.text
        assert "2 rows stand above row 9" in shown.text
        assert [row.row for row in shown.context["preview"].page] == [1, 2, 3]
        assert "There is no row that could be imported." in console.post(
            answer.request["PATH_INFO"], asked, follow=True
        ).text  # fmt: skip

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "“leases.csv” is empty."),
            (b"\x89PNG\r\n\x1a\n\0\0", "This is no table"),
            (b"PK\x03\x04 and no more", "This XLSX file is broken."),
            (b"BLM,\x81\x8d\n", "encodings UTF-8, UTF-16 and Windows-1252"),
            (b"x" * 10_500_000, "This file has 10.5 MB; at most 10 MB can be imported at once."),
        ],
    )
    def test_says_in_one_sentence_what_is_wrong_with_a_file(
        self, console: Client, content: bytes, sentence: str
    ) -> None:
        answer = send(console, content)

        assert sentence in answer.text
        assert len(answer.context["form"].errors["file"]) == 1
        assert not Upload.objects.exists()

    def test_asks_for_a_file_first(self, console: Client) -> None:
        assert "Choose a file first." in console.post(IMPORT).text

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_leads_back_when_the_file_is_no_longer_kept(self, console: Client, method: str) -> None:
        answer = getattr(console, method)(f"{IMPORT}0/", follow=True)

        assert answer.redirect_chain[-1][0] == IMPORT
        assert "The file that was chosen is no longer kept. Choose it again." in answer.text

    def test_leads_back_from_a_file_that_was_chosen_too_long_ago(self, console: Client) -> None:
        answer = send(console, GOOD)
        Upload.objects.update(created_at=Now() - KEPT)

        assert "is no longer kept. Choose it again." in console.get(answer.request["PATH_INFO"], follow=True).text
        assert not Upload.objects.exists()

    def test_says_what_of_the_file_is_not_read(self, console: Client) -> None:
        def add(book: Workbook) -> None:
            book.create_sheet("<b>2").append(["B1"])

        text = send(console, workbook(["BLM", "A1"], change=add), "leases.xlsx").text

        assert "The sheet “&lt;b&gt;2” is not read." in text

    def test_says_when_others_were_making_the_same_leases(
        self, console: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = send(console, GOOD)

        def beaten(**_: object) -> Batch:
            raise IntegrityError

        monkeypatch.setattr(imports, "import_leases", beaten)

        again = confirm(console, answer)

        assert "Others were making leases of this file at the same time. Nothing was saved; try again." in again.text
        assert again.redirect_chain[-1][0].startswith(answer.request["PATH_INFO"])

    def test_escapes_what_stands_in_the_file(self, console: Client) -> None:
        text = send(console, "agency,lease\n<script>1</script>,<b>\n", name="<i>.csv").text

        assert "<script>1" not in text
        assert "<b>" not in text
        assert "<i>" not in text

    def test_is_for_who_may_make_leases(self, client: Client, viewer: User) -> None:
        client.force_login(viewer)

        assert client.get(IMPORT).status_code == 403
        assert send(client, GOOD).status_code == 403
        assert not Upload.objects.exists()


class TestPreviewOf1000Rows:
    def test_is_paged_and_needs_the_same_queries(
        self, console: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        answer = send(console, "agency,lease\n" + "".join(f"BLM,N {n}\n" for n in range(1_000)))
        url = answer.request["PATH_INFO"]

        with django_assert_max_num_queries(15):
            last = console.get(url, {"number": "1", "agency": "0", "first_row": "2", "page": "20"})

        assert "1,000 leases can be imported." in last.text
        assert "Page 20 of 20" in last.text
        assert ">N 999<" in last.text
        assert ">N 900<" not in last.text
        assert len(last.content) < 60_000
        before = parse_qs(urlsplit(last.context["preview"].previous_url).query)
        assert before == {"number": ["1"], "agency": ["0"], "first_row": ["2"], "page": ["19"]}
        assert last.context["preview"].next_url == ""


class TestColumnLabels:
    def test_are_those_of_a_spreadsheet(self) -> None:
        rows = [Row(number=1, cells=["Agency", "", *[""] * 24, "x" * 50])]

        labels = column_labels(rows)

        assert labels[:2] == ["A: Agency", "B"]
        assert labels[25:] == ["Z", f"AA: {'x' * 40}"]
