"""Files are sent from a browser, with its script and without."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from documents.models import Document, DocumentVersion
from documents.states import State
from leases.models import Lease
from tests.browser.conftest import enter, recognise
from tests.browser.faults import Eyes
from tests.live import System

pytestmark = pytest.mark.django_db(transaction=True)

SEND = "/admin/documents/document/send/"
PDF = b"%PDF-1.7\nA deed.\n%%EOF\n"


def file(name: str, content: bytes = PDF) -> Any:
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


def settled() -> Document:
    """What was sent last, as if it had been verified."""
    Document.objects.update(state=State.ACTIVE, verified_at="2026-11-02T08:15:00Z", due_at=None)
    DocumentVersion.objects.update(verified_at="2026-11-02T08:15:00Z")
    return Document.objects.latest("pk")


class TestSending:
    def test_from_a_lease_and_back_to_it(
        self, person: User, console: System, page: Page, eyes: Eyes, complaints: list[str]
    ) -> None:
        lease = Lease.objects.create(agency="BLM", lease_number="NMNM 1", due_at=None)
        enter(page, console.url, reverse("admin:leases_lease_change", args=[lease.pk]))
        page.get_by_role("link", name="Send a document").click()
        expect(page.get_by_label("Lease")).to_have_value("BLM NMNM 1")
        assert eyes.faults_in_each_look() == []

        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("Choose a file first.")).to_be_visible()
        page.get_by_label("Lease").fill("NMNM 77")
        page.get_by_label("Files").set_input_files([file("Deed.pdf")])
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("There is no such lease.")).to_be_visible()
        assert eyes.faults_in_each_look() == []

        page.get_by_label("Lease").fill("NMNM 1")
        page.get_by_label("Files").set_input_files([file("Deed.pdf"), file("Plat.pdf")])
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("2 documents were sent: Deed.pdf, Plat.pdf.")).to_be_visible()
        expect(page.get_by_role("link", name="Deed.pdf")).to_be_visible()
        settled()
        page.reload()
        assert eyes.faults_in_each_look() == []
        assert complaints == []

    def test_of_a_new_version_and_back_to_an_earlier_one(
        self, person: User, console: System, page: Page, eyes: Eyes, complaints: list[str]
    ) -> None:
        enter(page, console.url, SEND)
        page.get_by_label("Files").set_input_files([file("Deed.pdf")])
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("Deed.pdf: sent. It is verified by itself now.")).to_be_visible()
        settled()
        page.reload()

        page.get_by_role("link", name="Send a new version").click()
        assert eyes.faults_in_each_look() == []
        page.get_by_label("File", exact=True).set_input_files([file("x.pdf", b"two")])
        page.get_by_label("Why").fill("a better copy")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("cell", name="a better copy")).to_be_visible()
        settled()
        page.reload()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            box = page.get_by_role("region", name="Versions")
            assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0, f"is cut off at {width} px"
        page.get_by_text("Check out …").click()
        assert eyes.faults_in_each_look() == []
        page.get_by_role("button", name="Check out", exact=True).click()
        expect(page.get_by_text("Checked out by")).to_be_visible()
        page.get_by_role("button", name="Restore this version").click()
        expect(page.get_by_text("Version 1 is the current one again")).to_be_visible()
        assert complaints == []

    def test_needs_no_script(self, person: User, console: System, chromium: Browser) -> None:
        context = chromium.new_context(java_script_enabled=False)
        recognise(context, console.url)
        page = context.new_page()
        page.goto(f"{console.url}{SEND}")
        page.get_by_label("Files").set_input_files([file("Deed.pdf")])

        page.get_by_role("button", name="Send", exact=True).click()

        expect(page.get_by_text("Deed.pdf: sent. It is verified by itself now.")).to_be_visible()
        context.close()
