"""The way in."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser.conftest import log_in
from tests.live import System

pytestmark = pytest.mark.django_db(transaction=True)


class TestLogin:
    def test_leads_to_the_console(self, system: System, person: User, page: Page) -> None:
        log_in(page, system.url)

        expect(page).to_have_url(f"{system.url}/admin/")

    def test_a_wrong_password_leads_nowhere(self, system: System, person: User, page: Page) -> None:
        page.goto(f"{system.url}/admin/leases/lease/")
        page.get_by_label("Username").fill("olivia")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()

        expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
