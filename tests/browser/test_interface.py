"""The page to read and try the interface for programs: under the policy of all pages, in the name of who looks at it."""

from typing import Literal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from storage.models import IndexRun, StorageRoot
from tests.browser.conftest import enter
from tests.live import System

pytestmark = pytest.mark.django_db(transaction=True)


def tried(page: Page, operation: str) -> int:
    """Open an operation, send it as it is proposed, and see the status of the answer."""
    block = page.locator(f"#operations-{operation}")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    return int(block.locator(".live-responses-table tbody td.response-col_status").first.inner_text().split()[0])


class TestPage:
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_sends_what_is_tried(
        self, page: Page, console: System, person: User, theme: Literal["light", "dark"]
    ) -> None:
        """The fixture `page` fails for whatever the policy has kept the browser from."""
        StorageRoot.objects.create(name="documents")
        page.emulate_media(color_scheme=theme)
        enter(page, console.url, "/api/v1/docs/")

        expect(page.get_by_text("You are olivia.")).to_be_visible()
        assert tried(page, "files-files_found_files") == 200
        assert tried(page, "index-index_rebuild") == 202
        assert IndexRun.objects.get().initiated_by == person

    def test_is_for_who_has_logged_in(self, page: Page, console: System) -> None:
        page.goto(f"{console.url}/api/v1/docs/")

        expect(page).to_have_url(f"{console.url}/admin/login/?next=/api/v1/docs/")
