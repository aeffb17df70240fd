"""Names come from Dropbox, where anybody who shares a folder chooses them; a page shows them and does not obey them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from leases import services
from leases.models import AgencyStorageConfig, Lease
from statemachine.models import TransitionLog
from tests.browser.conftest import enter
from tests.factories import give_dropbox
from tests.live import System, await_that

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

IMAGE = "<img src=x onerror=alert(1)>"
FOLDER = "/Archive <svg onload=alert(2)> \"onmouseover=alert(3) x='"
NUMBER = "<b onclick=alert(4)>1"
REPORTS = (f"{IMAGE} Master Documents.pdf", "{{ 7|add:7 }} Master Documents.pdf", "&lt;i&gt; Master Documents.pdf")


@pytest.fixture
def lease(person: User, dropbox: "Standin", system: System) -> Lease:
    """Done, and every name that has a part in it is an attack."""
    give_dropbox(person, dropbox)
    AgencyStorageConfig.objects.update(runsheet_archive_base_path=FOLDER)
    dropbox.put(*[f"{FOLDER}/{NUMBER}/{name}" for name in REPORTS])
    lease = services.create_lease(agency="BLM", lease_number=NUMBER, created_by=person)
    await_that(lambda: Lease.objects.filter(pk=lease.pk, state="done").exists(), within_s=20)
    return Lease.objects.get(pk=lease.pk)


def pages_of(lease: Lease) -> Iterator[str]:
    assert lease.runsheet_directory_id is not None
    yield reverse("admin:leases_lease_change", args=[lease.pk])
    yield reverse("admin:leases_lease_changelist")
    yield reverse("admin:leases_lease_history", args=[lease.pk])
    yield reverse("admin:leases_lease_delete", args=[lease.pk])
    yield reverse("admin:cloud_cloudlocation_change", args=[lease.runsheet_directory_id])
    yield reverse("admin:cloud_cloudlocation_changelist")
    yield reverse("admin:leases_agencystorageconfig_changelist")
    for row in TransitionLog.objects.of(lease):
        yield reverse("admin:statemachine_transitionlog_change", args=[row.pk])


class TestNames:
    def test_are_shown_as_they_are_and_run_nothing(
        self, lease: Lease, system: System, page: Page, complaints: list[str]
    ) -> None:
        enter(page, system.url, reverse("admin:leases_lease_change", args=[lease.pk]))
        for name in REPORTS:
            expect(page.locator(".record-result li").get_by_text(name, exact=True)).to_be_visible()

        for path in pages_of(lease):
            page.goto(system.url + path)
            assert page.locator("img[src=x], [onload], [onmouseover], b[onclick]").count() == 0, path

        assert complaints == []
