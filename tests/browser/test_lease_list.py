"""The list of leases as somebody works with it: it follows the work, finds what is pasted, and runs many again."""

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from leases import services
from leases.models import Lease
from tests.browser.conftest import enter, recognise
from tests.factories import give_dropbox
from tests.live import BLM, System

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/leases/lease/"


@pytest.fixture
def operator(person: User, dropbox: "Standin", system: System) -> User:
    """Connected to a Dropbox that holds two archives, and answers slowly enough to be watched."""
    give_dropbox(person, dropbox)
    dropbox.put(f"{BLM}/NMNM 1/NMNM 1 Master Documents.pdf", f"{BLM}/NMNM 2/")
    dropbox.latency(1_500)
    return person


def row(page: Page, number: str) -> Locator:
    return page.locator("#result_list tbody tr").filter(has=page.get_by_role("link", name=number, exact=True))


class TestLeaseList:
    def test_follows_the_work_and_leaves_the_person_alone(self, operator: User, system: System, page: Page) -> None:
        recognise(page.context, system.url)
        services.create_lease(agency="BLM", lease_number="NMNM 2", created_by=operator)
        services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        page.goto(system.url + LIST)
        expect(page.locator("#record-rows")).to_have_attribute("data-poll", re.compile("shown="))
        row(page, "NMNM 2").get_by_role("checkbox").check()
        page.evaluate("window.wasHere = true")

        for number, report in (("NMNM 1", "Found"), ("NMNM 2", "None")):
            expect(row(page, number).locator(".state-done")).to_be_visible()
            expect(row(page, number).locator(".field-report")).to_have_text(report)
        expect(page.locator(".list-counts a", has_text="Done")).to_contain_text("2")
        expect(page.locator("#record-rows[data-poll]")).to_have_count(0)
        expect(row(page, "NMNM 2").get_by_role("checkbox")).to_be_checked()
        expect(row(page, "NMNM 1").get_by_role("checkbox")).not_to_be_checked()
        assert page.evaluate("window.wasHere")

    def test_finds_several_numbers_that_are_pasted_from_lines(self, person: User, console: System, page: Page) -> None:
        Lease.objects.bulk_create(
            [Lease(agency="BLM", lease_number=f"NMNM {number}", due_at=None) for number in range(20)]
        )
        enter(page, console.url, LIST)
        page.keyboard.press("/")
        page.evaluate("""() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", "nmnm 11\\n NMNM12 \\r\\n\\nNMNM 99\\n");
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }""")
        expect(page.get_by_role("searchbox")).to_have_value("nmnm 11; NMNM12; NMNM 99")

        page.keyboard.press("Enter")

        expect(page.get_by_text("No lease has this number: NMNM 99")).to_be_visible()
        expect(page.locator("#result_list tbody tr")).to_have_count(2)

    def test_gives_the_ticked_leases_as_a_file_and_leaves_them_ticked(
        self, person: User, console: System, page: Page
    ) -> None:
        Lease.objects.bulk_create(
            [Lease(agency="BLM", lease_number=f"NMNM {number}", due_at=None) for number in range(20)]
        )
        enter(page, console.url, f"{LIST}?agency__exact=BLM")
        for number in ("NMNM 11", "NMNM 12"):
            row(page, number).get_by_role("checkbox").check()
        page.get_by_role("combobox").select_option("Download as CSV")

        with page.expect_download() as download:
            page.get_by_role("button", name="Run", exact=True).click()

        lines = download.value.path().read_text("utf-8-sig").splitlines()
        assert [line.partition(",")[0] for line in lines] == ["Lease number", "NMNM 12", "NMNM 11"]
        expect(row(page, "NMNM 11").get_by_role("checkbox")).to_be_checked()
        expect(page).to_have_url(f"{console.url}{LIST}?agency__exact=BLM")

    def test_runs_all_that_match_again(self, person: User, console: System, page: Page) -> None:
        Lease.objects.bulk_create(
            [
                Lease(agency="BLM", lease_number=f"OLD {number}", state="failed", failure_code="bug", due_at=None)
                for number in range(60)
            ]
        )
        enter(page, console.url, LIST)
        page.locator(".list-counts").get_by_role("link", name="Failed").click()
        page.get_by_label("Select all objects on this page for an action").check()
        page.get_by_role("button", name="Select all 60 leases").click()
        page.get_by_role("combobox").select_option("Run full discovery …")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.get_by_text("60 leases will be searched for and read.")).to_be_visible()

        page.get_by_role("button", name="Run 60 leases").click()

        expect(page).to_have_url(re.compile("/admin/leases/batch/"))
        expect(page.get_by_text("60").first).to_be_visible()
