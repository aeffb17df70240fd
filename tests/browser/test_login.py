"""The way in."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from leases.models import Lease
from tests.browser.conftest import log_in
from tests.live import PASSWORD, System

pytestmark = pytest.mark.django_db(transaction=True)


class TestSessionThatEnds:
    def test_while_somebody_types_loses_nothing(self, console: System, person: User, page: Page) -> None:
        log_in(page, console.url)
        page.goto(f"{console.url}/admin/leases/lease/add/")
        page.get_by_label("Agency").select_option("BLM")
        page.get_by_label("Lease number").fill("NMNM 0017224")
        Session.objects.all().delete()

        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("What you sent is kept for some minutes")).to_be_visible()
        page.get_by_label("Username").fill("olivia")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_text("You had been logged out when you sent this")).to_be_visible()
        expect(page.get_by_label("Lease number")).to_have_value("NMNM 0017224")
        assert not Lease.objects.exists()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#record-state")).to_be_visible()
        assert Lease.objects.get().lease_number == "NMNM 0017224"


class TestLogin:
    def test_leads_to_the_console(self, console: System, person: User, page: Page) -> None:
        log_in(page, console.url)

        expect(page).to_have_url(f"{console.url}/admin/")

    def test_a_wrong_password_leads_nowhere(self, console: System, person: User, page: Page) -> None:
        page.goto(f"{console.url}/admin/leases/lease/")
        page.get_by_label("Username").fill("olivia")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
