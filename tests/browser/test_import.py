"""An import in Chromium: a file with bad rows, the preview, the batch that is followed without a reload, and again."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from cloud.services.accounts import connect_account
from leases.models import Batch
from tests.browser.conftest import enter
from tests.browser.faults import Eyes
from tests.live import BLM, System

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

BAD = "BLM,a/b\nXYZ,NMNM 99\nBLM,NMNM 1\n"
FILE = (
    "Agency,Lease Number\n"
    + "".join(f"BLM,NMNM {n}\n" for n in range(1, 25))
    + "NMSLO,B0-1\nNMSLO,B0-2\nNMSLO,B0-3\n"
    + BAD
)


class TestImport:
    def test_of_30_rows_with_3_bad_ones(
        self, person: User, dropbox: "Standin", system: System, page: Page, tmp_path: Path
    ) -> None:
        connect_account(user=person, refresh_token="standin-refresh-olivia")
        dropbox.put(*[f"{BLM}/NMNM {n}/Master Documents.pdf" for n in range(1, 25)])
        file = tmp_path / "leases.csv"
        file.write_text(FILE)

        enter(page, system.url, "/admin/leases/batch/import/")
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Show a preview").click()
        expect(page.get_by_text("27 leases can be imported.")).to_be_visible()
        expect(page.get_by_text("3 rows have a problem and are left out")).to_be_visible()
        expect(page.get_by_text("This lease stands in row 2 already.")).to_be_visible()

        page.get_by_role("button", name="Import 27 leases").click()
        expect(page.get_by_role("heading", name="Settled")).to_be_visible()
        expect(page.get_by_text("27 of 27 leases settled.")).to_be_visible()
        # What has been followed without a reload is what the server says.
        expect(page.get_by_role("link", name="24 Done")).to_be_visible()
        expect(page.get_by_role("link", name="3 leases: agency not configured")).to_be_visible()

        page.get_by_role("button", name="Run 3 failed again").click()
        expect(page.get_by_text("Started: 3 leases.")).to_be_visible()
        expect(page.get_by_role("heading", name="Settled")).to_be_visible()
        page.get_by_role("link", name="3 leases: agency not configured").click()
        expect(page.get_by_role("link", name="B0-2")).to_be_visible()
        page.get_by_role("link", name="Imports and runs").click()
        expect(page.get_by_role("link", name="leases.csv")).to_be_visible()
        assert Batch.objects.get().size == 27


class TestWords:
    def test_are_said_once_and_what_is_no_lease_is_told(
        self, person: User, console: System, page: Page, eyes: Eyes, tmp_path: Path
    ) -> None:
        file = tmp_path / "leases.csv"
        file.write_text(
            "Agency;Lease Number;Legal\nFederal;NMNM 0930001;T. 17 S., R. 30 E.\nState;VB-9221-1;lots 1, 2\n"
            "Federal;NMNM-0930001;sec. 1, 2\nTotal;3\n"
        )
        enter(page, console.url, "/admin/leases/batch/import/")
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Show a preview").click()
        expect(page.get_by_text("None of the rows can be imported.")).to_be_visible()
        expect(page.get_by_label("“Federal” in 2 rows")).to_have_value("BLM")
        assert eyes.faults_in_each_look() == []

        page.get_by_role("button", name="Remember what they mean").click()
        expect(page.get_by_text("3 leases can be imported.")).to_be_visible()
        expect(page.get_by_text("1 row is no lease")).to_be_visible()
        page.get_by_role("link", name="see why").click()
        expect(page.get_by_text("“Total” is no lease: it looks like a total.")).to_be_visible()
        page.get_by_text("Columns of “leases.csv”").click()
        expect(page.get_by_label("Between the cells stands")).to_have_value(";")
        assert eyes.faults_in_each_look() == []

        page.get_by_role("button", name="Import 1 without the doubtful").click()
        expect(page.get_by_text("Imported: 1 lease; 3 rows were left out.")).to_be_visible()
        assert Batch.objects.get().size == 1
