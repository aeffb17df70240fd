"""The working day of an operator, from the login to the export, on a telephone in the dark: whatever is done lies in reach.

What a desk adds is room; each page is looked at as it is there, too. That the same can be done at one is told by the other tests.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from openpyxl import load_workbook
from playwright.sync_api import BrowserContext, Download, Locator, Page, expect

from leases.models import Lease
from tests.browser.conftest import log_in
from tests.browser.faults import TELEPHONE, Eyes, out_of_reach
from tests.live import BLM, PASSWORD, System, hashed
from tests.roles import in_role

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

NMSLO = "/State Workspace/Runsheet Archive"
GOOD = [f"BLM,NMNM {number}" for number in range(2, 26)] + [f"NMSLO,B0-{number}" for number in range(1, 4)]
BAD = ["BLM,a/b", "XYZ,NMNM 99", "BLM,NMNM 2"]
MENDED = ["BLM,NMNM 26", "BLM,NMNM 27", "BLM,NMNM 28"]


@pytest.fixture
def olivia(db: None, dropbox: "Standin") -> User:
    """Nothing is set up yet; she may do all of it, but is no superuser."""
    person = in_role("Administrator")
    person.username, person.password = "olivia", hashed(PASSWORD)
    person.email = "olivia@example.com"
    person.save()
    archives = [f"{BLM}/NMNM {number}/" for number in range(1, 29)]
    reports = [f"{BLM}/NMNM {number}/NMNM {number} Master Documents.pdf" for number in range(1, 11)]
    dropbox.put(*archives, *reports, *[f"{NMSLO}/B0-{number}/" for number in range(1, 4)])
    return person


@dataclass
class Day:
    """A day at one window.

    Attributes:
        found: what is wrong with the pages that were met, by what was done there.
    """

    page: Page
    eyes: Eyes
    url: str
    dropbox: "Standin"
    files: Path
    found: dict[str, list[str]] = field(default_factory=dict)

    def look(self, where: str) -> None:
        """See that all of it is in reach."""
        self.found[where] = list(out_of_reach(self.page))

    def look_closely(self, where: str) -> None:
        """The same as axe sees it, in each look; pages like those of test_accessible.py are not looked at so again."""
        self.found[where] = self.eyes.faults_in_each_look()

    def to_start(self) -> None:
        self.page.locator("#site-name a").click()
        expect(self.page).to_have_url(f"{self.url}/admin/")

    def to_list(self) -> None:
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name="Leases").click()

    def task(self, name: str) -> Locator:
        """A button of the checklist."""
        return self.page.locator(".tasks").get_by_role("link", name=name)

    def stay(self) -> None:
        """From now on a reload would be seen."""
        self.page.evaluate("window.isTheSame = true")

    def has_stayed(self) -> bool:
        return bool(self.page.evaluate("window.isTheSame"))

    def see_faultless(self) -> None:
        assert {where: seen for where, seen in self.found.items() if seen} == {}


@pytest.fixture
def day(dropbox: "Standin", system: System, page: Page, eyes: Eyes, tmp_path: Path) -> Iterator[Day]:
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(TELEPHONE)
    day = Day(page=page, eyes=eyes, url=system.url, dropbox=dropbox, files=tmp_path)
    yield day
    day.see_faultless()


def connect_dropbox(day: Day) -> None:
    day.task("Connect Dropbox").click()
    expect(day.page.get_by_role("button", name="Connect Dropbox")).to_be_visible()
    day.look_closely("Dropbox, not connected")
    day.page.get_by_role("button", name="Connect Dropbox").click()
    day.page.get_by_label("Olivia Operator").check()
    day.page.get_by_role("button", name="Allow").click()
    expect(day.page.get_by_text("Dropbox is connected as Olivia Operator.")).to_be_visible()
    expect(day.task("Connect Dropbox")).to_have_count(0)


def configure(day: Day, agency: str, path: str) -> None:
    """On the form to which something has led."""
    expect(day.page.get_by_label("Agency", exact=False).first).to_have_value(agency)
    day.look(f"configuration of {agency}, empty")
    day.page.get_by_label("Folder of the runsheet archives").fill(path)
    day.page.get_by_label("Folder of the documents").fill("/Documents")
    day.page.get_by_label("Folder of the miscellaneous index").fill("/Index")
    day.page.get_by_role("button", name="Save", exact=True).click()
    expect(day.page.get_by_role("button", name="Save it")).to_be_visible()
    day.look(f"question about the configuration of {agency}")
    day.page.get_by_role("button", name="Save it").click()
    expect(day.page.get_by_text("was added successfully")).to_be_visible()


def create_and_watch(day: Day) -> None:
    """Dropbox is slow, so that the work is seen."""
    day.dropbox.latency(1_500)
    day.task("Add a lease").click()
    expect(day.page.get_by_role("heading", name="Add a lease")).to_be_visible()
    day.look("new lease")
    day.page.get_by_label("Agency").select_option("BLM")
    day.page.get_by_label("Lease number").fill("NMNM 1")
    day.page.get_by_role("button", name="Save", exact=True).click()
    day.stay()
    expect(day.page.locator("#record-state .state-searching")).to_be_visible()

    expect(day.page.locator("#record-state .state-done")).to_be_visible()
    assert day.has_stayed()
    expect(day.page.get_by_text("NMNM 1 Master Documents.pdf", exact=True)).to_be_visible()
    day.dropbox.latency(0)
    day.look("lease, done")


def open_share_link(day: Day, context: BrowserContext) -> None:
    link = day.page.locator(".record-link a")
    with context.expect_page() as opened:
        link.click()
    expect(opened.value).to_have_url(re.compile(f"^{re.escape(day.dropbox.base_url)}"))
    opened.value.close()


def upload(day: Day, name: str, rows: list[str]) -> None:
    file = day.files / name
    file.write_text("\n".join(["Agency,Lease number", *rows, ""]))
    day.page.get_by_label("File").set_input_files(file)
    day.page.get_by_role("button", name="Show a preview").click()


def import_leases(day: Day) -> None:
    """30 rows, of which 3 are wrong; then these 3 as they should be. Dropbox fails some of the rest."""
    for number in (24, 25):
        day.dropbox.fault("files/list_folder", status=503, times=5, path=f"{BLM}/NMNM {number}")
    day.page.get_by_role("link", name="Import leases").click()
    expect(day.page.get_by_label("File")).to_be_visible()
    day.look("import")
    upload(day, "leases.csv", GOOD + BAD)
    expect(day.page.get_by_text("3 rows have a problem and are left out")).to_be_visible()
    day.look_closely("preview")
    day.page.get_by_role("button", name="Import 27 leases").click()
    expect(day.page.get_by_role("heading", name="leases.csv")).to_be_visible()
    day.stay()
    expect(day.page.get_by_text("27 of 27 leases settled.")).to_be_visible()
    assert day.has_stayed()
    expect(day.page.get_by_role("link", name="5 Failed")).to_be_visible()
    day.look_closely("batch, some failed")

    day.page.goto(f"{day.url}/admin/leases/batch/import/")
    upload(day, "leases, mended.csv", GOOD + MENDED)
    expect(day.page.get_by_text("27 exist already")).to_be_visible()
    day.page.get_by_role("button", name="Import 3 leases").click()
    expect(day.page.get_by_text("3 of 3 leases settled.")).to_be_visible()


def mend(day: Day) -> None:
    """What failed says what it lacks, and goes on by itself when that is there."""
    day.to_start()
    day.look_closely("start, some failed")
    day.page.locator(".troubles").get_by_role("link", name="Configure NMSLO").click()
    configure(day, "NMSLO", NMSLO)
    expect(day.page.get_by_text("3 leases are searched again by themselves")).to_be_visible()
    day.to_list()
    expect(day.page.locator(".list-counts a", has_text="Failed")).to_contain_text("2")


def run_failed_again(day: Day) -> None:
    """What Dropbox did not answer, all at once."""
    day.page.locator(".list-counts").get_by_role("link", name="Failed").click()
    expect(day.page.locator("#result_list tbody tr")).to_have_count(2)
    day.look("list, failed")
    for box in day.page.locator("#result_list .action-select").all():
        box.check()
    day.page.get_by_role("combobox").select_option("Run full discovery …")
    day.page.get_by_role("button", name="Run", exact=True).click()
    expect(day.page.get_by_text("2 leases will be searched for and read.")).to_be_visible()
    day.look("bulk confirmation")
    day.page.get_by_role("button", name="Run 2 leases").click()
    expect(day.page.get_by_text("2 of 2 leases settled.")).to_be_visible()
    expect(day.page.get_by_role("link", name="2 Done")).to_be_visible()


def filter_and_export(day: Day) -> None:
    """The 21 leases without a report, as every kind of file."""
    day.to_list()
    day.page.get_by_text("Filters", exact=True).click()
    day.page.locator("[data-filter-title=report]").get_by_role("link", name="No", exact=True).click()
    expect(day.page.locator("#result_list tbody tr")).to_have_count(21)
    day.look_closely("list, filtered")
    wanted = set(Lease.objects.filter(runsheet_report_found=False).values_list("lease_number", flat=True))
    assert len(wanted) == 21
    for kind, numbers in {"CSV": of_csv, "XLSX": of_xlsx, "JSON": of_json}.items():
        with day.page.expect_download() as download:
            day.page.get_by_role("link", name=kind, exact=True).click()
        assert set(numbers(download.value)) == wanted, kind


def of_csv(download: Download) -> list[str]:
    rows = csv.DictReader(io.StringIO(download.path().read_text(encoding="utf-8-sig")))
    return [row["Lease number"] for row in rows]


def of_xlsx(download: Download) -> list[str]:
    copy = download.path().with_suffix(".xlsx")
    copy.write_bytes(download.path().read_bytes())
    names, *rows = load_workbook(copy).worksheets[0].iter_rows(values_only=True)
    return [str(row[names.index("Lease number")]) for row in rows]


def of_json(download: Download) -> list[str]:
    return [row["Lease number"] for row in json.loads(download.path().read_text())]


@pytest.mark.usefixtures("olivia")
class TestWorkingDay:
    def test_goes_from_the_login_to_the_export(self, day: Day, context: BrowserContext) -> None:
        day.page.goto(f"{day.url}/admin/")
        day.look("login")
        log_in(day.page, day.url)
        day.look_closely("start, nothing done")

        connect_dropbox(day)
        day.task("Configure BLM").click()
        configure(day, "BLM", BLM)
        day.to_start()
        create_and_watch(day)
        open_share_link(day, context)
        day.to_start()
        import_leases(day)
        mend(day)
        run_failed_again(day)
        filter_and_export(day)

        day.page.locator("#user-tools summary").click()
        day.page.get_by_role("button", name="Log out").click()
        expect(day.page.get_by_text("Log in again")).to_be_visible()
