"""From `make up` to the first settled lease, for the person whom it names beside the operator, by the screens alone."""

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Page, expect

from discovery.services.demo_data import BASE_PATHS, NEWCOMER, WITHOUT_DROPBOX, configure, newcomer
from leases.services import create_lease
from tests.browser.conftest import enter, log_in
from tests.live import System, hashed

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demo(db: None, dropbox: "Standin") -> User:
    """As `make up` makes it, but for the agencies."""
    dropbox.reset(seed="demo")
    made = newcomer()
    made.password = hashed(NEWCOMER)
    made.save()
    return made


class TestNewcomer:
    def test_is_led_to_a_settled_lease(self, demo: User, system: System, page: Page) -> None:
        """Whoever comes first to an empty console looks after the agencies, too."""
        demo.groups.set(Group.objects.filter(name="Administrator"))
        log_in(page, system.url, username=NEWCOMER, password=NEWCOMER)
        tasks = page.get_by_role("region", name="To begin")

        tasks.get_by_role("link", name="Connect Dropbox").click()
        page.get_by_role("button", name="Connect Dropbox").click()
        page.get_by_label("Olivia Operator").check()
        page.get_by_role("button", name="Allow").click()
        expect(page.get_by_text("Dropbox is connected as Olivia Operator.")).to_be_visible()

        tasks.get_by_role("link", name="Configure BLM").click()
        page.get_by_label("Folder of the runsheet archives").fill(BASE_PATHS["BLM"])
        page.get_by_label("Folder of the documents").fill("/Documents")
        page.get_by_label("Folder of the miscellaneous index").fill("/Index")
        page.get_by_role("button", name="Test this configuration").click()
        expect(page.get_by_text(re.compile("is there .* and holds [0-9]+ archives"))).to_be_visible()
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("button", name="Save it").click()
        expect(page.get_by_text("was added successfully")).to_be_visible()

        page.locator("#site-name a").click()
        tasks.get_by_role("link", name="Add a lease").click()
        page.get_by_label("Agency").select_option("BLM")
        page.get_by_label("Lease number").fill(WITHOUT_DROPBOX[1])
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#record-state .state-done")).to_be_visible()

    def test_whose_lease_waits_is_led_to_dropbox(self, demo: User, system: System, page: Page) -> None:
        """What `make up` has waiting for the newcomer goes on by itself."""
        configure("BLM")
        create_lease(agency=WITHOUT_DROPBOX[0], lease_number=WITHOUT_DROPBOX[1], created_by=demo)
        enter(page, system.url, username=NEWCOMER)
        page.get_by_role("list", name="Leases by state").get_by_role("link", name=re.compile("Failed 1")).click()

        page.get_by_role("region", name="Dropbox").get_by_role("link", name="Connect Dropbox").click()
        page.get_by_role("button", name="Connect Dropbox").click()
        page.get_by_label("Olivia Operator").check()
        page.get_by_role("button", name="Allow").click()

        expect(page.get_by_text("1 lease that waited for it starts again.")).to_be_visible()
        page.locator("#site-name a").click()
        expect(
            page.get_by_role("list", name="Leases by state").get_by_role("link", name=re.compile("Done 1"))
        ).to_be_visible()
