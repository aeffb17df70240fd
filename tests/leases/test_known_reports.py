"""What an older run has read of a report is told as such, wherever it is told."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from leases.models import Lease
from tests.leases.test_admin_page import location
from tests.leases.test_downloads import rows_of
from tests.leases.test_services import settled

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


CASES = [
    ("done", True, "", (True, False), "yes"),
    ("done", False, "", (False, False), "no"),
    ("failed", True, "", (True, True), "yes, last known"),
    ("found", True, "id:1", (True, True), "yes, last known"),
    ("searching", False, "id:1", (False, True), "no, last known"),
    ("found", False, "", (None, True), ""),
]


@pytest.mark.parametrize(("state", "found", "folder_id", "told", "exported"), CASES)
def test_report(
    *,
    console: Client,
    olivia: User,
    state: str,
    found: bool,
    folder_id: str,
    told: tuple[bool | None, bool],
    exported: str,
) -> None:
    lease = settled(
        olivia,
        state=state,
        runsheet_directory=location(),
        runsheet_report_found=found,
        report_folder_id=folder_id,
        failure_code="bug" if state == "failed" else "",
        due_at="2100-01-01T00:00Z" if state == "searching" else None,
    )

    answer = Lease.objects.get(pk=lease.pk).known_report

    assert answer[0] == told[0]
    assert answer[0] is None or answer == told
    assert rows_of(console, "json")[0]["Report found"] == exported
