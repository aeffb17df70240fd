"""What becomes of a lease, by what Dropbox holds and answers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db import connection

from cloud.models import CloudLocation
from leases import runs, services
from leases.models import AgencyStorageConfig, Lease
from statemachine import jobs
from statemachine.models import TransitionLog
from tests.flows.conftest import BLM, FULL_RUN, history
from tests.leases.starting import person_takes

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "NMNM 0501759"
ARCHIVE = f"{BLM}/{NUMBER}"

LIST = "files/list_folder"
MORE = "files/list_folder/continue"
LINK = "sharing/create_shared_link_with_settings"
LINK_METADATA = "sharing/get_shared_link_metadata"
METADATA = "files/get_metadata"


@pytest.fixture
def discovered(operator: User, work_until_settled: Callable[[], None]) -> Callable[..., Lease]:
    """Create a lease and let it settle."""

    def discover(number: str = NUMBER) -> Lease:
        lease = services.create_lease(agency="BLM", lease_number=number, created_by=operator)
        work_until_settled()
        return Lease.objects.get(pk=lease.pk)

    return discover


def location_of(lease: Lease) -> CloudLocation:
    assert lease.runsheet_directory is not None
    return lease.runsheet_directory


def last_of(lease: Lease) -> TransitionLog:
    return TransitionLog.objects.of(lease).reverse()[0]


class TestReportFound:
    def test_is_done_with_link_and_names_in_two_calls(
        self, dropbox: "Standin", discovered: Callable[..., Lease]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Runsheets/", f"{ARCHIVE}/Updated MASTER documents - Final.pdf", f"{ARCHIVE}/scan.pdf")

        lease = discovered()

        assert (lease.state, lease.runsheet_report_found) == ("done", True)
        assert lease.matching_files == ["Updated MASTER documents - Final.pdf"]
        assert lease.runsheet_link.startswith("http")
        assert dropbox.calls() == {LIST: 1, LINK: 1}
        assert history(lease) == FULL_RUN

    @pytest.mark.parametrize("odd", ["\x00", "\ud800"])
    def test_is_done_with_a_name_that_no_database_takes(
        self, dropbox: "Standin", discovered: Callable[..., Lease], odd: str
    ) -> None:
        dropbox.put(f"{ARCHIVE}/")
        file = {".tag": "file", "name": f"master documents{odd}.pdf", "id": "id:abc", "rev": "0123456789", "size": 1}
        file |= {"client_modified": "2020-01-01T00:00:00Z", "server_modified": "2020-01-01T00:00:00Z"}
        dropbox.fault(LIST, status=200, body={"entries": [file], "cursor": "c", "has_more": False})

        lease = discovered()

        assert (lease.state, lease.failure_code) == ("done", "")
        assert lease.matching_files == ["master documents\ufffd.pdf"]

    def test_fills_the_location_with_all_that_dropbox_tells(
        self, dropbox: "Standin", discovered: Callable[..., Lease]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")

        location = location_of(discovered("nmnm 0501759"))

        assert (location.provider, location.path.lower(), location.is_directory) == ("dropbox", ARCHIVE.lower(), True)
        assert location.name == NUMBER
        assert location.file_id.startswith("id:")

    def test_keeps_the_evidence(self, dropbox: "Standin", discovered: Callable[..., Lease]) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")

        found = TransitionLog.objects.of(discovered()).get(transition="record_found")

        assert found.evidence["path"] == ARCHIVE
        assert found.evidence["account"].startswith("dbid:")
        assert found.evidence["path_root"]
        assert found.evidence["request_ids"]
        assert "http" not in str(found.evidence)

    def test_beyond_the_first_page_is_found_too(self, dropbox: "Standin", discovered: Callable[..., Lease]) -> None:
        dropbox.page_size(20)
        dropbox.put(*[f"{ARCHIVE}/scan-{number:04}.pdf" for number in range(25)])
        dropbox.put(f"{ARCHIVE}/zz Master Documents.pdf")

        lease = discovered()

        assert lease.matching_files == ["zz Master Documents.pdf"]
        assert dropbox.calls() == {LIST: 1, MORE: 1, LINK: 1}


class TestNoReport:
    @pytest.mark.parametrize(
        "content",
        [["scan.pdf"], [], ["^Document Archive/", "Runsheets/"], ["Master Documents/"]],
        ids=["other files", "empty", "only folders", "a folder named like a report"],
    )
    def test_is_done_all_the_same(
        self, dropbox: "Standin", discovered: Callable[..., Lease], content: list[str]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/", *[f"{ARCHIVE}/{name}" for name in content])

        lease = discovered()

        assert (lease.state, lease.runsheet_report_found, lease.matching_files) == ("done", False, [])
        assert lease.runsheet_directory is not None


class TestNotFound:
    def test_is_a_result_after_one_call(self, dropbox: "Standin", discovered: Callable[..., Lease]) -> None:
        discovered("first, which looks at the base path")
        dropbox.clear_journal()

        lease = discovered()

        assert (lease.state, lease.runsheet_directory, lease.failure_code) == ("not_found", None, "")
        assert dropbox.calls() == {LIST: 1}
        assert history(lease) == [("start_search", "searching"), ("record_not_found", "not_found")]

    def test_looks_at_the_base_path_before_it_says_so(
        self, dropbox: "Standin", discovered: Callable[..., Lease]
    ) -> None:
        discovered()

        # The archive, and once in some minutes the folder that should hold it.
        assert [call.path for call in dropbox.journal(LIST)] == [ARCHIVE, BLM]
        assert dropbox.calls() == {LIST: 2, METADATA: 1}

    def test_is_never_said_when_the_base_path_is_missing(
        self, dropbox: "Standin", discovered: Callable[..., Lease]
    ) -> None:
        AgencyStorageConfig.objects.update(runsheet_archive_base_path="/Federal Workspace/Typo")

        lease = discovered()

        assert (lease.state, lease.failure_code) == ("failed", "base_path_missing")
        assert "/Federal Workspace/Typo" in lease.failure_message

    def test_a_file_with_the_leases_name_is_not_it(self, dropbox: "Standin", discovered: Callable[..., Lease]) -> None:
        dropbox.put(ARCHIVE)

        lease = discovered()

        assert (lease.state, lease.failure_code) == ("failed", "not_a_directory")

    def test_forgets_what_was_known(
        self,
        dropbox: "Standin",
        discovered: Callable[..., Lease],
        operator: User,
        work_until_settled: Callable[[], None],
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        lease = discovered()
        location = location_of(lease)
        dropbox.delete(ARCHIVE)

        person_takes(runs.FULL_DISCOVERY, lease_id=lease.pk, user=operator)
        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.runsheet_directory, lease.runsheet_report_found) == ("not_found", None, False)
        location.refresh_from_db()
        assert location.share_url == ""


class TestDirectoryVanishesBetweenTheWorkflows:
    def test_detection_alone_finds_it_gone(
        self,
        dropbox: "Standin",
        discovered: Callable[..., Lease],
        operator: User,
        work_until_settled: Callable[[], None],
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        lease = discovered()
        dropbox.delete(ARCHIVE)

        person_takes(runs.DETECTION, lease_id=lease.pk, user=operator)
        work_until_settled()

        assert Lease.objects.get().state == "not_found"
        assert last_of(lease).reason == "the directory is gone"


class TestRunAgain:
    def test_a_stored_link_is_kept_for_one_more_call(
        self,
        dropbox: "Standin",
        discovered: Callable[..., Lease],
        operator: User,
        work_until_settled: Callable[[], None],
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        first = discovered()
        dropbox.clear_journal()

        person_takes(runs.FULL_DISCOVERY, lease_id=first.pk, user=operator)
        work_until_settled()

        assert dropbox.calls() == {LIST: 1, LINK_METADATA: 1}
        assert Lease.objects.get().runsheet_link == first.runsheet_link

    def test_search_alone_stops_at_found(
        self,
        dropbox: "Standin",
        discovered: Callable[..., Lease],
        operator: User,
        work_until_settled: Callable[[], None],
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        lease = discovered()

        person_takes(runs.SEARCH, lease_id=lease.pk, user=operator)
        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.runsheet_report_found) == ("found", True)

    def test_detection_alone_lists_for_itself(
        self,
        dropbox: "Standin",
        discovered: Callable[..., Lease],
        operator: User,
        work_until_settled: Callable[[], None],
    ) -> None:
        dropbox.put(f"{ARCHIVE}/scan.pdf")
        lease = discovered()
        dropbox.put(f"{ARCHIVE}/master documents report.docx")
        dropbox.clear_journal()

        person_takes(runs.DETECTION, lease_id=lease.pk, user=operator)
        work_until_settled()

        assert dropbox.calls() == {LIST: 1, METADATA: 1}
        assert Lease.objects.get().matching_files == ["master documents report.docx"]

    def test_a_new_number_searches_for_that_one(
        self,
        dropbox: "Standin",
        discovered: Callable[..., Lease],
        operator: User,
        work_until_settled: Callable[[], None],
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        lease = discovered("NMNM 1")
        assert lease.state == "not_found"

        services.change_lease(lease_id=lease.pk, agency="BLM", lease_number=NUMBER, changed_by=operator)
        work_until_settled()

        assert Lease.objects.get().state == "done"


class TestLinkForbidden:
    def test_is_found_all_the_same_with_the_reason(self, dropbox: "Standin", discovered: Callable[..., Lease]) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        dropbox.policy("not_authorized", account="olivia")

        lease = discovered()

        assert (lease.state, lease.runsheet_report_found, lease.runsheet_link) == ("done", True, "")
        assert location_of(lease).share_refusal


class TestNothingToSearchWith:
    def test_an_agency_without_configuration_fails_by_name(
        self, operator: User, work_until_settled: Callable[[], None]
    ) -> None:
        services.create_lease(agency="NMSLO", lease_number="B0-1234-5", created_by=operator)

        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.failure_code) == ("failed", "configuration_missing")
        assert "NMSLO" in lease.failure_message

    def test_a_user_without_dropbox_fails_after_the_retries(
        self, operator: User, django_user_model: type[User], work_until_settled: Callable[[], None]
    ) -> None:
        nobody = django_user_model.objects.create_superuser("nobody")
        services.create_lease(agency="BLM", lease_number=NUMBER, created_by=nobody)

        work_until_settled()

        lease = Lease.objects.get()
        assert (lease.state, lease.failure_code) == ("failed", "connect_dropbox")
        assert last_of(lease).tries == 5

    def test_a_row_without_a_creator_says_so(self, operator: User, work_until_settled: Callable[[], None]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO leases_lease (agency, lease_number) VALUES ('BLM', 'NMNM 1')")

        work_until_settled()

        assert (Lease.objects.get().state, Lease.objects.get().failure_code) == ("failed", "no_user")


class TestTrouble:
    def test_two_503s_and_then_fine(self, dropbox: "Standin", discovered: Callable[..., Lease]) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        dropbox.fault(LIST, status=503, times=2)

        lease = discovered()

        assert lease.state == "done"
        assert TransitionLog.objects.of(lease).get(transition="record_found").tries == 3
        assert dropbox.calls() == {LIST: 3, LINK: 1}

    def test_a_429_is_waited_for(self, dropbox: "Standin", operator: User, redis: object) -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.fault(LIST, status=429, headers={"Retry-After": "7"})
        services.create_lease(agency="BLM", lease_number=NUMBER, created_by=operator)
        lease = Lease.objects.get()

        again = jobs.run("leases.lease", lease.pk, lease.state, lease.generation)

        assert again.intervals[0] >= 7

    def test_a_link_that_fails_for_a_while_costs_nothing_but_time(
        self, dropbox: "Standin", discovered: Callable[..., Lease]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        dropbox.fault(LINK, status=500, times=1)

        assert discovered().state == "done"

    def test_gives_up_after_five_tries_and_says_why(self, dropbox: "Standin", discovered: Callable[..., Lease]) -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.fault(LIST, status=503, times=9)

        lease = discovered()

        assert (lease.state, lease.failure_code) == ("failed", "dropbox_unavailable")
        assert dropbox.calls() == {LIST: 5}


class TestMadeInAnyWay:
    def test_bulk_created_leases_start_by_themselves(
        self, dropbox: "Standin", operator: User, work_until_settled: Callable[[], None]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        Lease.objects.bulk_create([Lease(agency="BLM", lease_number=NUMBER, created_by=operator)])

        work_until_settled()

        assert Lease.objects.get().state == "done"

    def test_leases_of_plain_sql_start_by_themselves(
        self, dropbox: "Standin", operator: User, work_until_settled: Callable[[], None]
    ) -> None:
        dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO leases_lease (agency, lease_number, created_by_id) VALUES ('BLM', %s, %s)",
                [NUMBER, operator.pk],
            )

        work_until_settled()

        assert Lease.objects.get().state == "done"
