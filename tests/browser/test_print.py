"""On paper: what was found, without what can only be pressed."""

from typing import TYPE_CHECKING, Literal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from leases import services
from leases.models import Lease
from statemachine.batches import run_many
from tests.browser.conftest import recognise
from tests.factories import give_dropbox
from tests.live import BLM, System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

# What paper cannot do.
PRESSED = "button, input:not([type=hidden]), select, textarea, nav, .button, #user-tools, .skip-to-content-link"
SHOWN = """(pressed) => [...document.querySelectorAll(pressed)]
    .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden"))
    .map((each) => each.outerHTML.slice(0, 120))"""
THEMES: list[Literal["light", "dark"]] = ["light", "dark"]
WHITE = "rgb(255, 255, 255)"


@pytest.fixture
def lease(person: User, dropbox: "Standin", system: System) -> Lease:
    """Done, and taken into a batch since."""
    give_dropbox(person, dropbox)
    dropbox.put(f"{BLM}/NMNM 1/NMNM 1 Master Documents.pdf")
    lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=person)
    await_that(lambda: Lease.objects.filter(due_at=None).exists(), within_s=30)
    run_many(Lease.objects.all(), person, title="Run of May")
    await_that(lambda: Lease.objects.filter(due_at=None).exists(), within_s=30)
    return lease


def on_paper(lease: Lease) -> dict[str, str]:
    """Each page, and what must be on it."""
    return {
        reverse("admin:index"): "Needs attention",
        reverse("admin:leases_lease_changelist"): "NMNM 1",
        reverse("admin:leases_lease_change", args=[lease.pk]): "NMNM 1 Master Documents.pdf",
        reverse("admin:leases_batch_change", args=[lease.batch_items.get().batch_id]): "1 of 1 lease settled.",
        reverse("admin:leases_agencystorageconfig_changelist"): BLM,
        reverse("system"): "PostgreSQL",
    }


class TestPaper:
    def test_has_the_content_and_nothing_to_press(self, lease: Lease, system: System, page: Page) -> None:
        recognise(page.context, system.url)
        found = []

        for path, content in on_paper(lease).items():
            page.goto(system.url + path)
            for theme in THEMES:
                page.emulate_media(media="print", color_scheme=theme)
                expect(page.locator("#content").get_by_text(content).first).to_be_visible()
                assert page.evaluate("getComputedStyle(document.body).backgroundColor") == WHITE, (path, theme)
                found += [(path, theme, html) for html in page.evaluate(SHOWN, PRESSED)]

        assert found == []
