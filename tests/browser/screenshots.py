"""The pictures in docs/images: `make screenshots`. No test by its name, so that the others do not wait for it.

The same leases, the same ends and the same ages each time; only dates, versions and what Dropbox's answers took differ.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect
from pytest_django.fixtures import Settings

from core.local.servers import ROOT
from core.ops import tally
from leases import runs, services
from leases.batches import import_leases
from leases.models import Agency, AgencyStorageConfig, Lease, Upload
from leases.states import State
from statemachine.batches import progress_of
from statemachine.models import TransitionLog
from storage.models import IndexRun
from storage.services import IndexSyncService
from tests.browser.conftest import log_in
from tests.factories import give_dropbox
from tests.leases.starting import person_takes
from tests.live import BLM, System, await_that
from tests.storage.trees import Tree

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

IMAGES = ROOT / "docs" / "images"
DESK = ViewportSize(width=1280, height=800)
TELEPHONE = ViewportSize(width=390, height=844)
# How many leases came to each end on each of the last days, the oldest first, and how long they took in seconds.
DAYS = [
    (9, 3, 1),
    (14, 2, 0),
    (0, 0, 0),
    (0, 0, 0),
    (17, 4, 2),
    (22, 5, 1),
    (12, 2, 0),
    (19, 6, 1),
    (25, 3, 0),
    (0, 0, 0),
]
SETTLED_S = [0.6] * 61 + [1.4] * 48 + [3.1] * 17 + [8.0] * 6 + [15.0] * 2
CALLS_S = [0.04] * 90 + [0.08] * 140 + [0.2] * 75 + [0.4] * 22 + [0.9] * 7 + [2.0] * 2
SCANS = ("Assignment of 1954.pdf", "Deed of 1902.pdf", "Lease of 1922.pdf", "Owners.xlsx", "Plat, sheet 2.tif")
# When who looks at the pictures has last looked away.
LATER = timedelta(minutes=4)


class Camera:
    """A window, and a clock in it that says what it should."""

    def __init__(self, page: Page, system: System) -> None:
        self.page = page
        self._url = system.url

    def go(self, path: str, *, at: datetime) -> None:
        """Look at a page as it is at a time."""
        self.page.clock.set_fixed_time(at)
        self.page.goto(self._url + path)
        # The page says anew, each second, how long ago everything is.
        self.page.clock.run_for(1_000)

    def take(self, name: str) -> None:
        self.page.mouse.move(0, 0)
        self.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")


@pytest.fixture
def context(own_context: BrowserContext) -> BrowserContext:
    """Its clock goes by itself no more."""
    return own_context


@pytest.fixture
def camera(page: Page, system: System, olivia: User) -> Camera:
    page.set_viewport_size(DESK)
    page.clock.install()
    log_in(page, system.url)
    return Camera(page, system)


@pytest.fixture
def olivia(person: User, dropbox: "Standin") -> User:
    """Connected to a Dropbox with archives, with ten days of work behind her."""
    person.first_name = "Olivia"
    person.save()
    give_dropbox(person, dropbox)
    dropbox.put(f"{BLM}/NMNM 0501759/Abstract.pdf", f"{BLM}/NMNM 0501759/NMNM 0501759 Master Documents.pdf")
    dropbox.put(*[f"{BLM}/NMNM 97{number}/Abstract.pdf" for number in range(100, 124)])
    Lease.objects.bulk_create(past(person))
    return person


def past(person: User) -> Iterator[Lease]:
    today = timezone.now()
    number = 110_000
    for back, ends in zip(range(len(DAYS), 0, -1), DAYS, strict=True):
        at = today - timedelta(days=back)
        for state, count in zip((State.DONE, State.NOT_FOUND, State.FAILED), ends, strict=True):
            for _ in range(count):
                number += 137
                given = {"failure_code": "dropbox_unavailable", "failure_message": "Dropbox did not answer."}
                yield Lease(
                    agency=Agency.BLM, lease_number=f"NMNM {number}", state=state, due_at=None, entered_at=at,
                    created_at=at, created_by=person, initiated_by=person, runsheet_report_found=number % 3 == 0 and state == State.DONE,
                    **(given if state == State.FAILED else {}),
                )  # fmt: skip


def page_of(lease: Lease) -> str:
    return reverse("admin:leases_lease_change", args=[lease.pk])


def settled(person: User, agency: str, number: str) -> Lease:
    lease = services.create_lease(agency=agency, lease_number=number, created_by=person)
    await_that(lambda: Lease.objects.filter(pk=lease.pk, due_at__isnull=True).exists(), within_s=30)
    return lease


def later(lease: Lease) -> datetime:
    last = TransitionLog.objects.of(lease).aggregate(at=Max("at"))["at"]
    assert isinstance(last, datetime)
    return last + LATER


def measured(system: System) -> None:
    """What the charts of the start page are drawn from."""
    system.valkey.client().delete(tally.KEY)
    for seconds in SETTLED_S:
        tally.observe("settle_seconds", seconds, machine="leases.lease", state=State.DONE)
    for seconds in CALLS_S:
        tally.observe("dropbox_call_seconds", seconds, route="files/list_folder", outcome="ok")


def test_of_the_main_pages(camera: Camera, olivia: User, system: System, dropbox: "Standin") -> None:
    page = camera.page
    done = settled(olivia, "BLM", "NMNM 0501759")
    camera.go(page_of(done), at=later(done))
    camera.take("lease-done")
    page.set_viewport_size(TELEPHONE)
    camera.take("telephone")
    page.set_viewport_size(DESK)

    failed = settled(olivia, "NMSLO", "B0-1234-5")
    camera.go(page_of(failed), at=later(failed))
    camera.take("lease-failed")

    upload = Upload.objects.create(name="leases, May.csv", read_as="CSV, UTF-8", created_by=olivia, rows=rows())
    camera.go(reverse("admin:leases_batch_preview", args=[upload.pk]), at=timezone.now())
    camera.take("import-preview")

    system.valkey.client().config_set("appendonly", "yes")  # as `make up` has it
    camera.go(reverse("system"), at=timezone.now())
    camera.take("system")

    searching(camera, olivia, dropbox)
    batch_page(camera, olivia, dropbox)
    start_page(camera, system)


def test_of_what_lies_in_storage(camera: Camera, olivia: User, tmp_path: Path, settings: Settings) -> None:
    """A disk that was looked through, and of which a part is not there the second time."""
    settings.STORAGE_ROOTS = {"documents": {"kind": "files", "path": tmp_path, "owned": True}}
    tree = Tree(tmp_path)
    folder = f"{olivia.pk}/scans"
    tree.put(f"{olivia.pk}/Maps of Eddy County.pdf", *(f"{folder}/{name}" for name in SCANS), text="text" * 9_000)
    tree.fill(f"{folder}/1987", 400)
    looked_through()
    camera.go(
        reverse("admin:storage_storedfile_changelist", query={"in": f"documents/{folder}"}), at=timezone.now() + LATER
    )
    camera.take("files")

    tree.put(f"{folder}/Deed of 1931.pdf", text="text")
    tree.remove(f"{folder}/1987", f"{folder}/Lease of 1922.pdf")
    run = looked_through()
    camera.go(reverse("admin:storage_indexrun_change", args=[run.pk]), at=timezone.now() + LATER)
    camera.take("index-run")


def looked_through() -> IndexRun:
    """In this process, as the command does."""
    service = IndexSyncService()
    return service.work(run_id=service.start(mode="sync", rings=False).pk)


def rows() -> list[list[object]]:
    """Of a file: 24 leases, and what people write into files."""
    good = [["BLM", f"NMNM 97{number}"] for number in range(100, 124)]
    bad = [["BLM", "NMNM 0501759"], ["BLN", "NMNM 97124"], ["BLM", "NMNM 97125/A"], ["BLM", "NMNM 97100"]]
    return [[number, cells] for number, cells in enumerate([["Agency", "Lease number"], *good, *bad], start=1)]


def batch_page(camera: Camera, olivia: User, dropbox: "Standin") -> None:
    """In the middle of its work: Dropbox takes its time with two of the leases, and all have begun when both workers wait for it."""
    dropbox.fault("files/list_folder", kind="delay", delay_s=60, times=2, path=f"{BLM}/NMNM 9711*")
    dropbox.fault("files/list_folder", kind="delay", delay_s=0.5, times=10, path=f"{BLM}/NMNM 9710*")
    leases = [("BLM", f"NMNM 97{number}") for number in range(100, 124)]
    batch = import_leases(leases=leases, user=olivia, title="leases, May.csv", left_out=4)
    slow = Lease.objects.filter(lease_number__startswith="NMNM 9711", claimed_until__isnull=False)
    await_that(lambda: slow.count() == 2 and not progress_of(batch).waiting, within_s=30)
    camera.go(reverse("admin:leases_batch_change", args=[batch.pk]), at=timezone.now() + LATER)
    camera.take("batch")


def start_page(camera: Camera, system: System) -> None:
    """While the batch is under way."""
    AgencyStorageConfig.objects.create(
        agency="NMSLO", runsheet_archive_base_path="/a", documents_base_path="/d", misc_index_base_path="/m"
    )
    measured(system)
    camera.go(reverse("admin:index"), at=timezone.now() + LATER)
    camera.take("start")
    camera.page.emulate_media(color_scheme="dark")
    camera.take("start-dark")
    camera.page.emulate_media(color_scheme="light")


def searching(camera: Camera, olivia: User, dropbox: "Standin") -> None:
    """Dropbox has sent it away for a while, twice."""
    path = f"{BLM}/NMNM 0014321"
    dropbox.fault("files/list_folder", status=503, times=1, path=path)
    dropbox.fault("files/list_folder", status=503, times=1, path=path, headers={"Retry-After": "60"})
    lease = services.create_lease(agency="BLM", lease_number="NMNM 0014321", created_by=olivia)
    waits = Lease.objects.filter(pk=lease.pk, tries=2, claimed_until=None)
    await_that(waits.exists, within_s=30)
    due_at = waits.values_list("due_at", flat=True).get()
    assert due_at is not None
    camera.go(page_of(lease), at=due_at - timedelta(seconds=42))
    expect(camera.page.locator("#record-state .state-searching")).to_be_visible()
    camera.take("lease-searching")
    camera.go(reverse("admin:leases_lease_changelist"), at=timezone.now() + LATER)
    camera.take("leases")
    person_takes(runs.STOP, lease_id=lease.pk, user=olivia)
