"""An administrator mistypes a base path: it is looked at before it counts, and nothing that was typed is lost."""

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from cloud.models import CloudLocation
from leases.models import AgencyStorageConfig, Lease
from tests.browser.conftest import enter
from tests.browser.faults import Eyes
from tests.factories import give_dropbox
from tests.live import BLM, System

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = "/Federal Workspace/^Runsheet Workspace/Runsheet Archives"
FOUND = 40


@pytest.fixture
def change_page(person: User, dropbox: "Standin", console: System, page: Page) -> Page:
    """The configuration of BLM, under whose folder archives were found; the wrong folder holds three of them."""
    give_dropbox(person, dropbox)
    for number in range(FOUND):
        name = f"NMNM {number:04}"
        place = CloudLocation.objects.create(path=f"{BLM}/{name}", name=name, share_refusal="None is needed.")
        lease = Lease.objects.create(agency="BLM", lease_number=name, runsheet_directory=place, due_at=None)
        Lease.objects.filter(pk=lease.pk).update(state="done", known_base_path=BLM)
    dropbox.put(*[f"{BLM}/NMNM {number:04}/" for number in range(FOUND)])
    dropbox.put(*[f"{WRONG}/NMNM {number:04}/" for number in range(3)])
    enter(page, console.url, f"/admin/leases/agencystorageconfig/{AgencyStorageConfig.objects.get().pk}/change/")
    return page


def archives(page: Page) -> Locator:
    return page.get_by_label("Folder of the runsheet archives")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


class TestAWrongPath:
    def test_is_looked_at_asked_about_and_corrected(self, change_page: Page, eyes: Eyes) -> None:
        page = change_page
        missing = page.get_by_text(f"37 of the 40 archives found under “{BLM}” are not under “{WRONG}”")

        archives(page).fill(WRONG)
        page.get_by_label("Folder of the documents").fill("/Typed beside it")
        page.get_by_role("button", name="Test this configuration").click()
        expect(missing).to_be_visible()
        expect(archives(page)).to_have_value(WRONG)
        assert eyes.faults_in_each_look() == []

        save(page)
        expect(page.get_by_role("heading", name="Save another place for BLM?")).to_be_visible()
        expect(missing).to_be_visible()
        expect(page.get_by_text("40 leases are searched again by themselves once it is saved.")).to_be_visible()
        assert eyes.faults_in_each_look() == []
        page.reload()
        expect(missing).to_be_visible()

        page.get_by_role("link", name="Go back and change it").click()
        expect(archives(page)).to_have_value(WRONG)
        expect(page.get_by_label("Folder of the documents")).to_have_value("/Typed beside it")

        page.go_back()
        expect(page.get_by_role("button", name="Save it all the same")).to_be_visible()
        assert AgencyStorageConfig.objects.get().runsheet_archive_base_path == BLM
        page.get_by_role("link", name="Go back and change it").click()

        archives(page).fill(
            "https://www.dropbox.com/home/Federal%20Workspace/%5ERunsheet%20Workspace/Runsheet%20Archives/"
        )
        save(page)
        expect(page.locator("ins", has_text=re.compile(f"^{re.escape(WRONG)}$"))).to_be_visible()
        page.get_by_role("button", name="Save it all the same").click()
        expect(page.get_by_text("was changed successfully")).to_be_visible()
        assert AgencyStorageConfig.objects.get().runsheet_archive_base_path == WRONG

        page.get_by_role("link", name="BLM").first.click()
        page.get_by_role("link", name="History").click()
        expect(page.get_by_text(f"Folder of the runsheet archives: “{BLM}” → “{WRONG}”.")).to_be_visible()
