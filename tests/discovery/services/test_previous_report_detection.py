import time
import unicodedata
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from cloud.dropbox import gateway_for
from cloud.errors import NotFound
from cloud.files import CloudFile, DirectoryListing
from cloud.models import CloudLocation
from discovery.errors import BasePathMissing
from discovery.services.lease_directory_search import DirectorySighting
from leases.errors import ConfigurationDisabled, ConfigurationMissing, DirectoryUnknown
from leases.models import AgencyStorageConfig, Lease
from tests.discovery.services.asking import detect_previous_report, look_for_directory
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(lease: Lease, dropbox: "Standin") -> Lease:
    dropbox.put(f"{ARCHIVE}/")
    lease.runsheet_directory = CloudLocation.objects.create(path=ARCHIVE, name="NMNM 0501759")
    return lease


def seen(*names: str, folders: bool = False) -> DirectorySighting:
    entries = tuple(CloudFile(path=f"/{name}", name=name, is_directory=folders) for name in names)
    return DirectorySighting(path="/", listing=DirectoryListing(path="/", entries=entries, request_ids=()))


class TestDetectPreviousReport:
    def test_finds_a_report_beyond_the_first_page(self, dropbox: "Standin", operator: User, archived: Lease) -> None:
        dropbox.page_size(20)
        dropbox.put(*[f"{ARCHIVE}/scan-{n:04}.pdf" for n in range(25)], f"{ARCHIVE}/zz Master Documents.pdf")

        result = detect_previous_report(lease=archived, gateway=gateway_for(operator))

        assert result.found
        assert result.matching_files == ("zz Master Documents.pdf",)
        assert dropbox.calls() == {"files/list_folder": 1, "files/list_folder/continue": 1, "files/get_metadata": 1}

    def test_fails_as_a_search_does_for_an_agency_that_is_switched_off(
        self, dropbox: "Standin", operator: User, archived: Lease
    ) -> None:
        AgencyStorageConfig.objects.update(enabled=False)

        for workflow in (detect_previous_report, look_for_directory):
            with pytest.raises(ConfigurationDisabled, match="switched off for BLM"):
                workflow(lease=archived, gateway=gateway_for(operator))
        assert dropbox.calls() == {}

    def test_fails_as_a_search_does_for_an_agency_that_is_not_configured(
        self, dropbox: "Standin", operator: User, archived: Lease
    ) -> None:
        AgencyStorageConfig.objects.all().delete()

        for workflow in (detect_previous_report, look_for_directory):
            with pytest.raises(ConfigurationMissing, match="BLM is not configured"):
                workflow(lease=archived, gateway=gateway_for(operator))
        assert dropbox.calls() == {}

    def test_done_twice_says_the_same(self, dropbox: "Standin", operator: User, archived: Lease) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")

        results = [detect_previous_report(lease=archived, gateway=gateway_for(operator)) for _ in range(2)]

        assert results[0].matching_files == results[1].matching_files

    @pytest.mark.parametrize(
        "name",
        [
            "Master Documents.pdf",
            "NMNM 0501759 Master Documents.pdf",
            "Updated Master Documents - Final.pdf",
            "master documents report.docx",
            "MASTER DOCUMENTS",
        ],
    )
    def test_knows_a_report_by_its_name(self, operator: User, archived: Lease, name: str) -> None:
        result = detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=seen(name))

        assert result.matching_files == (name,)

    @pytest.mark.parametrize("name", ["Master.pdf", "Documents.pdf", "MasterDocuments.pdf", "scan.pdf"])
    def test_takes_nothing_else_for_one(self, operator: User, archived: Lease, name: str) -> None:
        result = detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=seen(name))

        assert not result.found

    def test_a_folder_of_that_name_is_no_report(self, operator: User, archived: Lease) -> None:
        folders = seen("Master Documents", folders=True)

        assert not detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=folders).found

    def test_reads_names_as_macos_writes_them(self, operator: User, archived: Lease, settings: Settings) -> None:
        settings.RUNSHEET_PREVIOUS_REPORT_PATTERN = ".*résumé.*"
        names = seen(unicodedata.normalize("NFD", "Résumé.pdf"))

        assert detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=names).found

    @pytest.mark.parametrize(
        "name",
        [
            "Master\u00a0Documents.pdf",
            "Master \u2009 Documents.pdf",
            "Master  Documents.pdf",
            "Mas\u00adter Docu\u200bments.pdf",
            "\uff2d\uff41\uff53\uff54\uff45\uff52\u3000Documents.pdf",
            "\u041caster Documents.pdf",
            "Master\ufff9 Docu\x85me\x7fnts\U000e0fff.pdf",
        ],
    )
    @pytest.mark.parametrize(
        "pattern", [".*master documents.*", "master\u00a0documents", r"master\s+documents", r"master\xA0documents"]
    )
    def test_what_people_cannot_see_does_not_decide(
        self, operator: User, archived: Lease, settings: Settings, pattern: str, name: str
    ) -> None:
        settings.RUNSHEET_PREVIOUS_REPORT_PATTERN = pattern

        result = detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=seen(name))

        # As Dropbox shows it.
        assert result.matching_files == (name,)

    @pytest.mark.parametrize(
        "name",
        [
            "~$NM 0501759 Master Documents.docx",
            ".~lock.Master Documents.odt#",
            "._Master Documents.pdf",
            "Master Documents.pdf.crdownload",
            "Master Documents.pdf.PART",
            "Master Documents.pdf.part2",
            "Master Documents.pdf.sb-1a2b3c4d-XyZaBc",
            "Master Documents.pdf - Shortcut.lnk",
            "Master Documents.tmp",
            ".Master Documents.pdf.swp",
            "\ufeff~$NM Master Documents.docx",
        ],
    )
    def test_what_a_program_left_is_no_report(self, operator: User, archived: Lease, name: str) -> None:
        result = detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=seen(name, "scan.pdf"))

        assert not result.found
        assert result.passed_over == (name,)

    @pytest.mark.parametrize(
        "name",
        [
            "Master Documents (conflicted copy).pdf",
            "Master Documents.part1.rar",
            "Master Documents Vol. 1.part2",
            "#1 Master Documents #",
            "~Master Documents.pdf",
            "\uff5e$Master Documents.pdf",
        ],
    )
    def test_what_somebody_wrote_stays_one(self, operator: User, archived: Lease, name: str) -> None:
        assert detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=seen(name)).found

    def test_a_setting_names_what_programs_leave(self, operator: User, archived: Lease, settings: Settings) -> None:
        settings.RUNSHEET_PROGRAM_REMAINS = ["copy of *"]
        names = seen("Copy of Master Documents.pdf", "Master Documents.tmp")

        result = detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=names)

        assert (result.matching_files, result.passed_over) == (
            ("Master Documents.tmp",),
            ("Copy of Master Documents.pdf",),
        )

    def test_a_file_on_two_pages_is_one(self, operator: User, archived: Lease) -> None:
        files = [
            ("Master Documents.pdf", "id:1"),
            ("MASTER documents.pdf", "id:2"),
            ("Master Documents 2.pdf", "id:1"),
            ("scan.pdf", ""),
        ]
        entries = tuple(CloudFile(path=f"/{name}", name=name, is_directory=False, file_id=each) for name, each in files)
        twice = DirectorySighting(path="/", listing=DirectoryListing(path="/", entries=entries, request_ids=()))

        result = detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=twice)

        assert result.matching_files == ("Master Documents.pdf",)

    @pytest.mark.parametrize("pattern", ["(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}$"])
    def test_no_pattern_hangs_a_worker(self, operator: User, archived: Lease, settings: Settings, pattern: str) -> None:
        settings.RUNSHEET_PREVIOUS_REPORT_PATTERN = pattern
        names = seen(*["a" * 255 + "!"] * 2_000)
        before = time.process_time()

        detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=names)

        assert time.process_time() - before < 5

    def test_reuses_the_listing_it_is_given(self, dropbox: "Standin", operator: User, archived: Lease) -> None:
        detect_previous_report(lease=archived, gateway=gateway_for(operator), sighting=seen("a"))

        assert dropbox.calls() == {}

    def test_refuses_without_a_directory(self, operator: User, lease: Lease) -> None:
        with pytest.raises(DirectoryUnknown, match="Search for it first"):
            detect_previous_report(lease=lease, gateway=gateway_for(operator))

    def test_says_that_the_directory_is_gone(self, dropbox: "Standin", operator: User, archived: Lease) -> None:
        dropbox.delete(ARCHIVE)

        with pytest.raises(NotFound):
            detect_previous_report(lease=archived, gateway=gateway_for(operator))

    def test_does_not_say_so_when_the_folder_of_all_archives_is_out_of_sight(
        self, dropbox: "Standin", operator: User, archived: Lease
    ) -> None:
        dropbox.delete(BLM)

        with pytest.raises(BasePathMissing):
            detect_previous_report(lease=archived, gateway=gateway_for(operator))
