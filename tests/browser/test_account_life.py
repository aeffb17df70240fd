"""The whole life of a Dropbox connection, as a person sees it who begins at the start page."""

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from cloud.models import DropboxAccount
from console.models import FailureNotice
from leases.models import Lease
from statemachine.models import TransitionLog
from tests.browser.conftest import enter
from tests.live import BLM, System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

CONNECT = re.compile(r"^(Connect Dropbox|Try again)")


def connect(page: Page, *, person: str = "Olivia Operator", decision: str = "Allow") -> None:
    """From the page of one's connection to Dropbox's question and back."""
    page.get_by_role("button", name=CONNECT).click()
    page.get_by_label(person).check()
    page.get_by_role("button", name=decision).click()


def add_lease(page: Page, system: System, number: str) -> None:
    page.goto(f"{system.url}/admin/leases/lease/add/")
    page.get_by_label("Agency").select_option("BLM")
    page.get_by_label("Lease number").fill(number)
    page.get_by_role("button", name="Save", exact=True).click()


def see_state(page: Page, system: System, lease: Lease, state: str) -> None:
    """It is so in the database, and the lease's page says so."""
    await_that(lambda: Lease.objects.filter(pk=lease.pk, state=state).exists(), within_s=30)
    page.goto(f"{system.url}/admin/leases/lease/{lease.pk}/change/")
    expect(page.locator(f"#record-state .state-{state}")).to_be_visible()


class TestAccountLife:
    def test_connects_breaks_and_heals(self, system: System, person: User, dropbox: "Standin", page: Page) -> None:
        dropbox.put(f"{BLM}/NMNM 1/NMNM 1 Master Documents.pdf", f"{BLM}/NMNM 2/")
        enter(page, system.url)

        page.get_by_role("link", name="Connect Dropbox").click()
        connect(page)
        expect(page).to_have_url(f"{system.url}/admin/")
        expect(page.get_by_text("Dropbox is connected as Olivia Operator.")).to_be_visible()
        page.locator("#user-tools summary").click()
        page.get_by_role("link", name="Your Dropbox").click()
        expect(page.get_by_text("olivia@example.com").first).to_be_visible()

        add_lease(page, system, "NMNM 1")
        first = Lease.objects.get(lease_number="NMNM 1")
        see_state(page, system, first, "done")
        expect(page.get_by_text("NMNM 1 Master Documents.pdf", exact=True)).to_be_visible()

        dropbox.revoke("olivia")
        add_lease(page, system, "NMNM 2")
        second = Lease.objects.get(lease_number="NMNM 2")
        see_state(page, system, second, "failed")
        assert Lease.objects.get(pk=second.pk).failure_code == "connect_dropbox"
        await_that(lambda: FailureNotice.objects.filter(reason="connect_dropbox", state="sent").exists(), within_s=30)
        assert len([mail for mail in system.mails() if "NMNM 2" in mail]) == 1

        banner = page.get_by_role("region", name="Dropbox")
        expect(banner.get_by_text("Your Dropbox cannot be used.")).to_be_visible()
        banner.get_by_role("link", name="Connect Dropbox again").click()
        connect(page)
        expect(page.get_by_text("1 lease that waited for it starts again.")).to_be_visible()
        see_state(page, system, second, "done")
        log = TransitionLog.objects.of(second).values_list("transition", flat=True)
        assert list(log)[-4:] == ["start_search", "record_found", "start_detection", "record_detection"]

    def test_a_no_to_dropbox_is_explained_and_can_be_taken_back(
        self, console: System, person: User, dropbox: "Standin", page: Page
    ) -> None:
        enter(page, console.url, "/dropbox/")

        connect(page, decision="Deny")
        expect(page.get_by_text("You did not allow")).to_be_visible()
        assert not DropboxAccount.objects.exists()

        connect(page)
        expect(page.get_by_text("Olivia Operator").first).to_be_visible()

    def test_a_name_in_dropbox_is_text(self, console: System, person: User, dropbox: "Standin", page: Page) -> None:
        name = "<img src=x onerror=alert(1)> Mallory"
        dropbox.create_account("mallory", display_name=name, email="mallory@example.com")
        enter(page, console.url, "/dropbox/")

        connect(page, person=name)

        expect(page.get_by_text(name).first).to_be_visible()
        page.goto(f"{console.url}/admin/cloud/dropboxaccount/")
        expect(page.get_by_text(name).first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
