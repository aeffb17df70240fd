"""What an older run has read of a report is told as such, wherever it is told."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from leases.models import Lease
from tests.factories import location, settled
from tests.leases.test_admin_page import page_of
from tests.leases.test_downloads import rows_of

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


LATER = "2100-01-01T00:00Z"
CASES = [
    ("done", True, "", None, (True, False), "yes"),
    ("done", False, "", None, (False, False), "no"),
    ("done", True, "id:1", LATER, (True, True), "yes, last known"),
    ("done", False, "", LATER, (False, True), "no, last known"),
    ("failed", True, "", None, (True, True), "yes, last known"),
    ("found", True, "id:1", None, (True, True), "yes, last known"),
    ("found", False, "id:1", LATER, (False, True), "no, last known"),
    ("searching", False, "id:1", LATER, (False, True), "no, last known"),
    ("found", False, "", None, (None, True), ""),
]
LISTED = {"yes": "Found", "no": "None", "yes, last known": "Found, last known", "no, last known": "None, last known"}


@pytest.mark.parametrize(("state", "found", "folder_id", "due_at", "told", "exported"), CASES)
def test_report(
    *,
    console: Client,
    olivia: User,
    state: str,
    found: bool,
    folder_id: str,
    due_at: str | None,
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
        due_at=due_at,
    )

    answer = Lease.objects.get(pk=lease.pk).known_report

    assert answer[0] == told[0]
    assert answer[0] is None or answer == told
    assert rows_of(console, "json")[0]["Report found"] == exported
    listed = LISTED.get(exported, "Not known")
    assert f'class="field-report">{listed}</td>' in console.get(reverse("admin:leases_lease_changelist")).text


@pytest.mark.parametrize(("due_at", "shown"), [(None, False), (LATER, True)])
def test_page_tells_a_result_that_is_asked_anew_as_last_known(
    *, console: Client, olivia: User, due_at: str | None, shown: bool
) -> None:
    lease = settled(olivia, state="done", runsheet_directory=location(), runsheet_report_found=True, due_at=due_at)

    text = page_of(console, lease).text

    assert ("Found when last looked for" in text, "Last known:" in text) == (shown, shown)


def test_page_tells_a_missing_directory_that_is_asked_for_anew_as_last_known(*, console: Client, olivia: User) -> None:
    lease = settled(olivia, state="not_found", known_base_path="/Archives", due_at=LATER)

    text = page_of(console, lease).text

    assert "Last known:" in text
    assert f'Dropbox had none at <code class="exact">/Archives/{lease.lease_number}</code>' in text
