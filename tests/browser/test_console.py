"""A lease's page follows the work; two people, one lease; everything by keyboard."""

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from console.models import FailureNotice
from leases.models import AgencyStorageConfig, Lease
from tests.browser.conftest import enter
from tests.browser.faults import Eyes
from tests.factories import give_dropbox, settled
from tests.live import BLM, System

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lease(person: User, dropbox: "Standin") -> Lease:
    """Nothing is owed for it, and there is something to be found."""
    give_dropbox(person, dropbox)
    dropbox.put(f"{BLM}/NMNM 1/NMNM 1 Master Documents.pdf")
    return settled(person, initiated_by=person)


def page_of(lease: Lease) -> str:
    return f"/admin/leases/lease/{lease.pk}/change/"


class TestLeasePage:
    def test_follows_the_work_without_a_reload_and_then_asks_no_more(
        self, lease: Lease, system: System, page: Page, dropbox: "Standin"
    ) -> None:
        dropbox.latency(1_500)  # the page is to be there before the work is done
        enter(page, system.url, page_of(lease))
        page.get_by_role("button", name="Run full discovery").click()
        page.evaluate("window.isTheSame = true")
        page.locator("#record-diagram summary").click()

        expect(page.locator("#record-state .state-done")).to_be_visible()
        expect(page.locator("#console-said")).to_have_text("BLM NMNM 1: Done")

        assert page.evaluate("window.isTheSame")
        assert page.evaluate("document.getElementById('record-diagram').open")
        assert page.locator("#record-live[data-poll]").count() == 0
        expect(page.get_by_text("NMNM 1 Master Documents.pdf", exact=True)).to_be_visible()
        page.get_by_text("Why does it say so?").click()
        expect(page.locator(".record-why").get_by_text("Rule for a previous report")).to_be_visible()

    def test_tells_the_second_of_two_what_the_first_did(
        self, lease: Lease, console: System, page: Page, context: BrowserContext
    ) -> None:
        enter(page, console.url, page_of(lease))
        other = context.new_page()
        other.goto(console.url + page_of(lease))
        other.get_by_role("button", name="Search directory").click()
        expect(other.get_by_text("“Search directory” was started.")).to_be_visible()

        page.get_by_role("button", name="Run full discovery").click()

        expect(page.get_by_text("“Run full discovery” was not done, because the lease had moved on")).to_be_visible()

    def test_leads_from_a_failure_to_what_helps(self, lease: Lease, system: System, page: Page) -> None:
        AgencyStorageConfig.objects.all().delete()
        enter(page, system.url, page_of(lease))
        page.get_by_role("button", name="Run full discovery").click()

        page.get_by_role("link", name="Configure BLM").click()

        expect(page.get_by_label("Agency:")).to_have_value("BLM")


class TestKeys:
    def test_reach_everything(self, lease: Lease, system: System, page: Page) -> None:
        enter(page, system.url)

        page.keyboard.press("/")
        expect(page.locator("#searchbar")).to_be_focused()
        page.keyboard.type("nmnm 1")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/leases/lease/\?q=nmnm"))
        page.get_by_role("link", name="NMNM 1", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="BLM NMNM 1", exact=True)).to_be_visible()
        page.wait_for_load_state()  # the script that listens comes last
        page.keyboard.press("r")

        expect(page.locator("#record-state .state-done")).to_be_visible()

    def test_lead_to_the_search_from_any_page(self, lease: Lease, console: System, page: Page) -> None:
        enter(page, console.url, page_of(lease))

        page.keyboard.press("/")

        expect(page).to_have_url(re.compile(r"/admin/leases/lease/#searchbar"))
        expect(page.locator("#searchbar")).to_be_focused()

    def test_are_told_and_can_be_turned_off(self, lease: Lease, console: System, page: Page) -> None:
        enter(page, console.url)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()

        page.get_by_label("Use single keys in this browser").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("?")

        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
        page.get_by_role("button", name="all keys").click()
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


class TestPersonsOwn:
    def test_lies_in_a_menu_that_closes_when_something_else_is_wanted(
        self, person: User, console: System, page: Page, eyes: Eyes
    ) -> None:
        enter(page, console.url)
        name, way_out = page.locator("#user-tools summary"), page.get_by_role("button", name="Log out")
        expect(way_out).to_be_hidden()

        name.press("Enter")
        expect(way_out).to_be_visible()
        assert eyes.faults_within("#user-tools") == []
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Your Dropbox")).to_be_focused()
        page.keyboard.press("Escape")
        expect(way_out).to_be_hidden()
        expect(name).to_be_focused()

        name.click()
        page.locator("#footer").click()
        expect(way_out).to_be_hidden()
        name.click()
        name.press("Shift+Tab")
        expect(way_out).to_be_hidden()

    def test_leaves_the_header_in_one_row_for_who_may_go_everywhere(
        self, person: User, console: System, page: Page
    ) -> None:
        page.set_viewport_size({"width": 1280, "height": 800})

        enter(page, console.url)

        box = page.locator("#header").bounding_box()
        assert box
        assert box["height"] < 60


class TestLook:
    def test_of_the_bell_on_a_telephone_is_as_round_as_at_a_desk(
        self, person: User, console: System, page: Page
    ) -> None:
        notice = FailureNotice.objects.create(
            initiated_by=person, record_type="leases.lease", reason="directory_unknown", due_at=None
        )
        settled(person, state="failed", failure_code="directory_unknown", failure_notice=notice)
        page.set_viewport_size({"width": 390, "height": 844})

        enter(page, console.url)

        box = page.locator(".bell .unread").bounding_box()
        assert box
        assert (box["height"], round(box["width"])) == (18, 18)

    def test_of_an_empty_list_has_heading_and_sentence_in_the_middle(
        self, person: User, console: System, page: Page
    ) -> None:
        enter(page, console.url, "/admin/leases/lease/")

        expect(page.get_by_role("heading", name="There is no lease yet.")).to_have_css("text-align", "center")
