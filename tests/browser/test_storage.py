"""The page of a run of the index, which follows it between its slices and within them."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from storage.models import IndexRun, RunState, StorageRoot
from tests.browser.conftest import enter
from tests.live import System

pytestmark = pytest.mark.django_db(transaction=True)


class TestRun:
    def test_shows_how_far_it_is_while_it_goes_on_and_how_it_ended(
        self, person: User, console: System, page: Page
    ) -> None:
        root = StorageRoot.objects.create(name="documents")
        IndexRun.objects.create(
            root=root, state=RunState.DONE, due_at=None, plan_is_whole=True, counts={"files_on_disk": 100_000}
        )
        run = IndexRun.objects.create(root=root, state=RunState.PLANNING)
        mine = IndexRun.objects.filter(pk=run.pk)
        enter(page, console.url, f"/admin/storage/indexrun/{run.pk}/change/")
        page.get_by_text("Stop …").click()

        mine.update(counts={"files_on_disk": 50_000}, planned_up_to=7)
        expect(
            page.get_by_text("Looked at 50,000 of about 100,000 entries. 7 changes are planned so far.")
        ).to_be_visible()
        expect(page.get_by_role("progressbar", name="How far it is")).to_have_attribute("value", "50000")
        # What somebody has opened stays open.
        expect(page.get_by_text("What has been applied stays, and can be undone.")).to_be_visible()

        mine.update(state=RunState.REFUSED, refusal="121 of 303 are missing.", plan_is_whole=True, due_at=None)
        expect(page.locator(".record-doubt", has_text="121 of 303 are missing.")).to_be_visible()
        expect(page.get_by_text("Go on all the same …")).to_be_visible()


class TestNewRun:
    def test_has_each_mode_beside_its_circle_on_a_telephone(self, person: User, console: System, page: Page) -> None:
        StorageRoot.objects.create(name="documents")
        enter(page, console.url, "/admin/storage/indexrun/add/")
        page.set_viewport_size({"width": 390, "height": 844})

        circle = page.get_by_role("radio", name="Audit").bounding_box()

        assert circle is not None
        assert circle["width"] < 30
