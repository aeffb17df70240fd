"""A browser that sends the same once more, because somebody reloads the page or goes back to it, does no harm."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from leases.models import Batch, Lease, Upload
from spreadsheets.tables import MAX_BYTES
from statemachine.models import TransitionLog
from tests.browser.conftest import enter
from tests.live import System

if TYPE_CHECKING:
    from playwright.sync_api import Request, Response

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/leases/lease/"
IMPORT = "/admin/leases/batch/import/"


@pytest.fixture
def settled(person: User) -> list[Lease]:
    """Three leases that nothing is owed for."""
    leases = [
        Lease(agency="BLM", lease_number=f"OLD {n}", state="failed", failure_code="bug", due_at=None) for n in range(3)
    ]
    return Lease.objects.bulk_create(leases)


def what_there_is() -> tuple[int, int, int]:
    return Lease.objects.count(), Batch.objects.count(), TransitionLog.objects.count()


def send_again(page: Page) -> "Response":
    """Reload, which sends the form again that led to this page."""
    answer = page.reload()
    assert answer
    return answer


class TestReload:
    def test_of_the_question_before_a_bulk_run_asks_again(
        self, settled: list[Lease], console: System, page: Page
    ) -> None:
        enter(page, console.url, LIST)
        page.get_by_label("Select all objects on this page for an action").check()
        page.get_by_role("combobox").select_option("Run full discovery …")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_role("button", name="Run 3 leases")).to_be_visible()

        answer = send_again(page)

        assert answer.request.method == "GET"
        expect(page.get_by_role("button", name="Run 3 leases")).to_be_visible()
        assert what_there_is() == (3, 0, 0)

        page.get_by_role("button", name="Run 3 leases").click()
        expect(page.get_by_role("heading", name="3 leases")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="Run full discovery")).to_be_visible()
        assert Batch.objects.count() == 1

    def test_of_a_form_with_a_fault_shows_the_fault_again(
        self, settled: list[Lease], console: System, page: Page
    ) -> None:
        enter(page, console.url, f"{LIST}add/")
        page.get_by_label("Agency").select_option("BLM")
        page.get_by_label("Lease number").fill("old 1")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator(".errornote")).to_be_visible()

        answer = send_again(page)

        assert answer.request.method == "POST"
        expect(page.locator(".errornote")).to_be_visible()
        assert what_there_is() == (3, 0, 0)

    def test_of_a_file_that_cannot_be_read_says_so_again(
        self, person: User, console: System, page: Page, tmp_path: Path
    ) -> None:
        file = tmp_path / "leases.csv"
        file.write_bytes(b"%PDF-1.7")
        enter(page, console.url, IMPORT)
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Show a preview").click()
        expect(page.get_by_text("This is a PDF file.")).to_be_visible()

        answer = send_again(page)

        assert answer.request.method == "POST"
        expect(page.get_by_text("This is a PDF file.")).to_be_visible()
        assert not Upload.objects.exists()

    def test_after_an_import_or_going_back_to_its_preview_imports_once(
        self, person: User, console: System, page: Page, tmp_path: Path
    ) -> None:
        file = tmp_path / "leases.csv"
        file.write_text("agency,lease\nNMSLO,B0-1\nNMSLO,B0-2\n")
        enter(page, console.url, IMPORT)
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Show a preview").click()
        page.get_by_role("button", name="Import 2 leases").click()
        expect(page.get_by_role("heading", name="leases.csv")).to_be_visible()

        assert send_again(page).request.method == "GET"
        page.go_back()
        expect(page.get_by_role("heading", name="leases.csv")).to_be_visible()
        page.go_back()
        page.go_forward()
        if page.get_by_role("button", name="Import 2 leases").is_visible():
            page.get_by_role("button", name="Import 2 leases").click()

        expect(page.get_by_role("heading", name="leases.csv")).to_be_visible()
        assert what_there_is()[:2] == (2, 1)


class TestAFileOf100MB:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "leases.csv"
        with file.open("wb") as content:
            content.truncate(100_000_000)
        return file

    def test_is_told_before_it_is_sent(self, person: User, console: System, page: Page, file: Path) -> None:
        enter(page, console.url, IMPORT)
        sent: list[str] = []

        def note(request: "Request") -> None:
            sent.append(request.method)

        page.on("request", note)

        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Show a preview").click()

        said = page.get_by_label("File").evaluate("(input) => input.validationMessage")
        assert said == f"This file has 100.0 MB; at most {MAX_BYTES // 1_000_000} MB can be imported at once. Split it."
        page.remove_listener("request", note)
        assert "POST" not in sent

    def test_is_answered_in_one_sentence_where_scripts_are_off(
        self, person: User, console: System, context: BrowserContext, file: Path
    ) -> None:
        browser = context.browser
        assert browser
        plain = browser.new_context(java_script_enabled=False)
        page = plain.new_page()
        enter(page, console.url, IMPORT)

        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Show a preview").click()

        expect(page.get_by_text("Nothing was done: your browser sent 100.0 MB")).to_be_visible()
        expect(page.get_by_role("link", name="To the start page")).to_be_visible()
        plain.close()
