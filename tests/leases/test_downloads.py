"""What is on the screen as a file: all pages of it, in its order, and no formula."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from console.records import exports
from leases.admin.lease_list import COLUMNS
from leases.models import Lease
from tests.factories import location, settled

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"
PLACE = f"{LIST}download"


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def rows_of(client: Client, kind: str, **wanted: str) -> list[dict[str, Any]]:
    """The file's rows by column."""
    return read(kind, client.get(f"{PLACE}/{kind}/", wanted))


def read(kind: str, answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    content = answer.getvalue()
    if kind == "json":
        return list(json.loads(content))
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    header, *rows = load_workbook(io.BytesIO(content))["Leases"].values
    return [dict(zip(map(str, header), ("" if cell is None else cell for cell in row), strict=True)) for row in rows]


@pytest.mark.parametrize("kind", exports.KINDS)
class TestDownload:
    def test_holds_what_is_known(self, console: Client, olivia: User, kind: str) -> None:
        settled(
            olivia,
            lease_number="NMNM \N{LATIN SMALL LETTER E WITH ACUTE}",
            state="done",
            runsheet_directory=location(),
            runsheet_report_found=True,
            matching_files=["a.pdf", "b.pdf"],
        )

        (row,) = rows_of(console, kind)

        assert [name.partition(" (UTC")[0] for name in row] == [column.label for column in COLUMNS]
        assert row["Lease number"] == "NMNM \N{LATIN SMALL LETTER E WITH ACUTE}"
        assert (row["State"], row["Report found"], row["Matching files"]) == ("Done", "yes", "a.pdf; b.pdf")
        assert (row["Directory"], row["Created by"], row["Run for"]) == ("/a/NMNM 1", "olivia", "")
        assert row["Share link"].startswith("https://")

    def test_holds_all_pages_of_what_the_list_shows_in_its_order(
        self, console: Client, olivia: User, kind: str
    ) -> None:
        for number in range(60):
            settled(olivia, lease_number=f"{number:02}", state="found")
        settled(olivia, lease_number="other", state="done")

        rows = rows_of(console, kind, state__exact="found", o="1", p="2")

        assert [row["Lease number"] for row in rows] == [f"{number:02}" for number in range(60)]

    def test_of_nothing_is_an_empty_table(self, console: Client, kind: str) -> None:
        assert rows_of(console, kind, q="nothing") == []

    def test_costs_the_same_for_many_as_for_few(self, console: Client, olivia: User, kind: str) -> None:
        settled(olivia, lease_number="0")
        with CaptureQueriesContext(connection) as few:
            rows_of(console, kind)
        for number in range(1, 30):
            settled(olivia, lease_number=str(number), runsheet_directory=location(path=f"/a/{number}"))

        with CaptureQueriesContext(connection) as many:
            rows_of(console, kind)

        assert len(many) == len(few)

    def test_is_for_who_may_look(self, client: Client, kind: str) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert client.get(f"{PLACE}/{kind}/").status_code == 403

    def test_of_a_list_that_makes_no_sense_leads_back_to_it(self, console: Client, kind: str) -> None:
        answer = console.get(f"{PLACE}/{kind}/", {"nothing": "1"})

        assert (answer.status_code, answer["Location"]) == (302, "/admin/leases/lease/?nothing=1")

    def test_is_offered_for_what_the_list_shows(self, console: Client, olivia: User, kind: str) -> None:
        settled(olivia, state="done")

        assert f'href="{PLACE}/{kind}/?state__exact=done"' in console.get("/admin/leases/lease/?state__exact=done").text


def tick(client: Client, kind: str, leases: list[Lease], where: str = LIST, **form: str) -> Any:
    """Choose the action under the list for some of its rows."""
    chosen = [lease.pk for lease in leases]
    return client.post(where, {"action": f"download_{kind}", "_selected_action": chosen, "index": "0", **form})


@pytest.mark.parametrize("kind", exports.KINDS)
class TestDownloadOfTickedRows:
    def test_holds_these_in_the_order_of_the_list(self, console: Client, olivia: User, kind: str) -> None:
        one, _, three = (settled(olivia, lease_number=number) for number in "123")

        rows = read(kind, tick(console, kind, [three, one], where=f"{LIST}?o=1"))

        assert [row["Lease number"] for row in rows] == ["1", "3"]

    def test_holds_all_that_match_if_all_are_chosen(self, console: Client, olivia: User, kind: str) -> None:
        leases = [settled(olivia, lease_number=f"{number:02}", state="found") for number in range(60)]
        settled(olivia, lease_number="other", state="done")

        rows = read(kind, tick(console, kind, leases[:1], f"{LIST}?o=1&state__exact=found", select_across="1"))

        assert [row["Lease number"] for row in rows] == [f"{number:02}" for number in range(60)]

    def test_is_for_who_may_only_look(self, client: Client, viewer: User, kind: str) -> None:
        client.force_login(viewer)
        lease = settled(viewer)

        assert f'<option value="download_{kind}">Download as {kind.upper()}</option>' in client.get(LIST).text
        assert len(read(kind, tick(client, kind, [lease]))) == 1

    def test_is_not_for_who_may_not(self, client: Client, olivia: User, kind: str) -> None:
        client.force_login(User.objects.create_user("stranger", is_staff=True))

        assert tick(client, kind, [settled(olivia)]).status_code == 403


class TestTimes:
    @pytest.mark.parametrize("kind", ["csv", "json"])
    def test_have_their_offset_in_a_text(self, console: Client, olivia: User, kind: str) -> None:
        settled(olivia, entered_at=datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC))

        assert rows_of(console, kind)[0]["Last change"] == "2026-07-01 06:30:15-06:00"

    def test_are_dates_in_a_workbook_whose_header_has_the_offset(
        self, console: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled(olivia, entered_at=datetime(2026, 7, 1, 12, 30, 15, 999, tzinfo=UTC))
        monkeypatch.setattr("console.records.exports.now", lambda: datetime(2026, 12, 1, tzinfo=UTC))

        assert rows_of(console, "xlsx")[0]["Last change (UTC-07:00)"] == datetime(2026, 7, 1, 5, 30, 15)  # noqa: DTZ001 - as a workbook has it


def test_a_workbook_can_be_read_as_it_opens(console: Client) -> None:
    sheet = load_workbook(io.BytesIO(console.get(f"{PLACE}/xlsx/").getvalue()))["Leases"]

    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width > len("NMNM 0501759")


class TestFormulas:
    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_are_texts(self, console: Client, olivia: User, kind: str) -> None:
        settled(olivia, lease_number="=1+1", state="failed", failure_code="bug", failure_message="@SUM(A1)")

        (row,) = rows_of(console, kind)

        assert (row["Lease number"], row["Why"]) == ("'=1+1", "'@SUM(A1)")

    def test_are_themselves_where_nothing_calculates(self, console: Client, olivia: User) -> None:
        settled(olivia, lease_number="=1+1")

        assert rows_of(console, "json")[0]["Lease number"] == "=1+1"


class TestTries:
    def test_are_those_of_the_present_work(self, console: Client, olivia: User) -> None:
        settled(olivia, state="searching", due_at="2100-01-01T00:00Z", tries=2)

        assert rows_of(console, "json")[0]["Tries"] == 2


class TestReport:
    @pytest.mark.parametrize(("state", "said"), [("done", "no"), ("found", "")])
    def test_is_not_guessed(self, console: Client, olivia: User, state: str, said: str) -> None:
        settled(olivia, state=state)

        assert rows_of(console, "json")[0]["Report found"] == said


class TestRefusal:
    def test_of_a_workbook_that_nobody_would_wait_for_says_what_to_do(
        self, console: Client, olivia: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exports, "XLSX_AT_MOST", 1)
        settled(olivia, lease_number="1")
        settled(olivia, lease_number="2")

        answer = console.get(f"{PLACE}/xlsx/", follow=True)
        ticked = tick(console, "xlsx", list(Lease.objects.all()))

        assert "Narrow the list, or take CSV." in answer.text
        assert ticked.status_code == 302
        assert "Narrow the list, or take CSV." in console.get(ticked["Location"]).text
        assert Lease.objects.count() == 2

    def test_of_another_kind_of_file(self, console: Client) -> None:
        assert console.get(f"{PLACE}/docx/").status_code == 404
