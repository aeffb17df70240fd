"""The rows that an import leaves out: told with the reason, corrected in a spreadsheet, and imported again."""

import csv
import io
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from leases.imports import KEPT, keep_upload
from leases.models import Batch, Lease, Upload
from leases.states import State
from statemachine.batches import run_many
from tests.leases.batches.asking import confirm, page_url, send, settle

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

MIXED = "Remark,Agency,Lease Number\nx,BLM,NMNM 1\ny,XYZ,a/b\nz,BLM,nmnm 1\n"
EXPECTED = [
    {
        "Row": "3",
        "Agency": "XYZ",
        "Lease number": "a/b",
        "Problem": "“XYZ” is no agency known here: write NMSLO or BLM. A lease number must not contain “/”.",
        "Remark": "y",
    },
    {
        "Row": "4",
        "Agency": "BLM",
        "Lease number": "nmnm 1",
        "Problem": "This lease stands in row 2 already.",
        "Remark": "z",
    },
]


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def of_batch() -> str:
    return reverse("admin:leases_batch_left_out", args=[Batch.objects.get().pk])


class TestBeforeTheImport:
    def test_are_offered_with_the_reasons(self, console: Client) -> None:
        answer = send(console, MIXED)
        url = answer.context["preview"].left_out_url

        assert "Download the rows left out" in answer.text
        assert rows_of(console.get(url)) == EXPECTED

    def test_are_those_of_the_columns_that_were_chosen(self, console: Client) -> None:
        answer = send(console, "x,y\nNMNM 1,Q\na/b,Q\n")
        asked = {"number": "0", "agency": "BLM", "first_row": "2"}
        mapped = console.get(answer.request["PATH_INFO"], asked)

        rows = rows_of(console.get(mapped.context["preview"].left_out_url))

        assert [(row["Agency"], row["Lease number"]) for row in rows] == [("BLM", "a/b")]

    def test_are_not_offered_where_there_are_none(self, console: Client) -> None:
        assert "left-out" not in send(console, "agency,lease\nBLM,1\n").text

    def test_are_gone_with_the_file(self, console: Client) -> None:
        assert console.get(reverse("admin:leases_batch_preview_left_out", args=[0])).status_code == 404


class TestAfterTheImport:
    def test_stay_with_the_batch(self, console: Client) -> None:
        answer = confirm(console, send(console, MIXED))

        assert f'<a href="{of_batch()}" download>2 left out</a>' in answer.text
        assert rows_of(console.get(of_batch())) == EXPECTED

    def test_are_where_the_preview_s_address_leads(self, console: Client) -> None:
        preview = send(console, MIXED)
        confirm(console, preview)

        answer = console.get(preview.context["preview"].left_out_url)

        assert (answer.status_code, answer["Location"]) == (302, of_batch())

    def test_can_be_corrected_and_imported_again(self, console: Client) -> None:
        confirm(console, send(console, MIXED))
        file = console.get(of_batch()).getvalue().decode("utf-8-sig")

        again = confirm(console, send(console, file.replace("XYZ,a/b", "NMSLO,a-b")))

        assert "Imported: 1 lease; 1 row was left out." in again.text
        assert {str(lease) for lease in Lease.objects.all()} == {"BLM NMNM 1", "NMSLO a-b"}

    def test_are_no_formulas_and_keep_their_meaning(self, console: Client) -> None:
        confirm(console, send(console, "agency,lease\nBLM,1\nBLM,'=2/0\n"))

        (row,) = rows_of(console.get(of_batch()))
        assert row["Lease number"] == "'=2/0"

    def test_are_kept_as_long_as_the_batch(self, console: Client, operator: User) -> None:
        confirm(console, send(console, MIXED))
        Upload.objects.update(created_at=Upload.objects.get().created_at - 2 * KEPT)

        keep_upload(name="b.csv", content=b"BLM,2", user=operator)

        assert rows_of(console.get(of_batch())) == EXPECTED

    def test_are_named_like_the_file_whatever_its_name(self, console: Client) -> None:
        confirm(console, send(console, MIXED, name="B\u00fccher, 100 %.csv"))

        header = unquote(console.get(of_batch())["Content-Disposition"])

        assert (
            header
            == "attachment; filename=\"Bucher, 100 _ - left out.csv\"; filename*=utf-8''B\u00fccher, 100 % - left out.csv"
        )

    def test_are_none_of_a_run(self, console: Client, operator: User) -> None:
        confirm(console, send(console, "agency,lease\nBLM,1\n"))
        settle(State.DONE)
        run = run_many(Lease.objects.all(), operator)

        assert "left out" not in console.get(page_url(run)).text
        assert rows_of(console.get(reverse("admin:leases_batch_left_out", args=[run.pk]))) == []


class TestPermission:
    def test_is_that_of_who_may_look_at_leases(self, console: Client) -> None:
        confirm(console, send(console, MIXED))
        console.force_login(User.objects.create_user("stranger", is_staff=True))

        assert console.get(of_batch()).status_code == 403

    def test_is_that_of_who_may_import_before_it_is_done(self, console: Client) -> None:
        url = send(console, MIXED).context["preview"].left_out_url
        console.force_login(User.objects.create_user("stranger", is_staff=True))

        assert console.get(url).status_code == 403
