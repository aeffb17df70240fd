"""Where archives lie, and the places that were found."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from cloud.models import CloudLocation
from leases.models import AgencyStorageConfig, Lease
from tests.configuring import save
from tests.factories import settled

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

CONFIGURATIONS = "/admin/leases/agencystorageconfig/"
LOCATIONS = "/admin/cloud/cloudlocation/"
GOOD = {
    "agency": "BLM",
    "enabled": "on",
    "watched": "on",
    "poll_minutes": "5",
    "runsheet_archive_base_path": "/archive",
    "documents_base_path": "/documents",
    "misc_index_base_path": "/misc",
}


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


@pytest.mark.parametrize(
    ("is_allowed", "words"), [(True, "This installation allows it"), (False, "so that none is made")]
)
def test_says_whether_archives_may_be_made_here(
    console: Client, settings: Settings, *, is_allowed: bool, words: str
) -> None:
    settings.DROPBOX_MAKES_ARCHIVES = is_allowed

    assert words in console.get(f"{CONFIGURATIONS}add/").text


class TestLeasesThatWaitForIt:
    @pytest.fixture(autouse=True)
    def _leases(self, olivia: User) -> None:
        failures = ["configuration_missing", "configuration_disabled", "base_path_missing", "connect_dropbox"]
        for code in failures:
            settled(olivia, lease_number=code, state="failed", failure_code=code)
        settled(olivia, agency="NMSLO", state="failed", failure_code="configuration_missing")

    def owed(self) -> set[str]:
        return set(Lease.objects.filter(due_at__isnull=False, background=True).values_list("lease_number", flat=True))

    def test_go_on_by_themselves_once_it_is_saved(self, console: Client) -> None:
        answer = save(console, f"{CONFIGURATIONS}add/", GOOD)

        assert self.owed() == {"configuration_missing", "configuration_disabled", "base_path_missing"}
        assert (
            "3 leases are searched again by themselves: they failed for want of this configuration, or were searched in"
            in (answer.text)
        )

    def test_is_told_of_one(self, console: Client) -> None:
        answer = save(console, f"{CONFIGURATIONS}add/", {**GOOD, "agency": "NMSLO"})

        assert "1 lease is searched again by itself: it failed for want of this configuration, or was" in answer.text

    def test_start_nothing_while_it_is_off(
        self, console: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        """They could only fail, for want of the switch."""
        with django_capture_on_commit_callbacks(execute=True):
            answer = save(console, f"{CONFIGURATIONS}add/", {k: v for k, v in GOOD.items() if k != "enabled"})

        assert self.owed() == set()
        assert "searched again" not in answer.text

    def test_do_not_start_again_when_nothing_has_changed(
        self, console: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            save(console, f"{CONFIGURATIONS}add/", GOOD)
        Lease.objects.update(due_at=None)

        console.post(f"{CONFIGURATIONS}{AgencyStorageConfig.objects.get().pk}/change/", GOOD)

        assert self.owed() == set()

    def test_start_again_after_every_change(self, console: Client) -> None:
        save(console, f"{CONFIGURATIONS}add/", GOOD)
        for path in ("/elsewhere", "/archive"):
            Lease.objects.update(due_at=None)

            change = f"{CONFIGURATIONS}{AgencyStorageConfig.objects.get().pk}/change/"
            save(console, change, {**GOOD, "runsheet_archive_base_path": path})

            assert len(self.owed()) == 3


class TestAgencyStorageConfigAdmin:
    def test_normalises_a_path_on_save(self, console: Client) -> None:
        save(console, f"{CONFIGURATIONS}add/", {**GOOD, "runsheet_archive_base_path": "/State Workspace//Archive/ "})

        assert AgencyStorageConfig.objects.get().runsheet_archive_base_path == "/State Workspace/Archive"

    @pytest.mark.parametrize("field", ["runsheet_archive_base_path", "documents_base_path", "misc_index_base_path"])
    @pytest.mark.parametrize(
        ("path", "sentence"),
        [
            ("archive", "A path begins with a slash: write “/archive”."),
            ("/a\\b", "Write a path with “/”, not with “\\”."),
            ("/a/../b", "A path must not contain “.” or “..” as a part; write the full path."),
            ("/", "Enter the path of a Dropbox folder, for example /State Workspace/Runsheet Archive."),
            ("/a\x07", "A path must not contain control characters or invisible characters; type it again by hand."),
            ("", "This field is required."),
        ],
    )
    def test_says_at_the_field_what_is_wrong(self, console: Client, field: str, path: str, sentence: str) -> None:
        answer = console.post(f"{CONFIGURATIONS}add/", {**GOOD, field: path})

        assert answer.context["adminform"].form.errors == {field: [sentence]}
        assert not AgencyStorageConfig.objects.exists()

    def test_says_once_that_a_path_is_too_long(self, console: Client) -> None:
        answer = console.post(f"{CONFIGURATIONS}add/", {**GOOD, "documents_base_path": "/" + "a" * 600})

        errors = answer.context["adminform"].form.errors
        assert list(errors) == ["documents_base_path"]
        assert len(errors["documents_base_path"]) == 1

    def test_holds_one_for_each_agency(self, console: Client) -> None:
        save(console, f"{CONFIGURATIONS}add/", GOOD)

        answer = console.post(f"{CONFIGURATIONS}add/", GOOD)

        assert list(answer.context["adminform"].form.errors) == ["agency"]

    def test_lists_and_searches(self, console: Client) -> None:
        save(console, f"{CONFIGURATIONS}add/", GOOD)

        assert "/archive" in console.get(CONFIGURATIONS, {"q": "archive"}).text
        assert "/archive" not in console.get(CONFIGURATIONS, {"q": "elsewhere"}).text

    def test_explains_each_field(self, console: Client) -> None:
        text = console.get(f"{CONFIGURATIONS}add/").text

        assert "The folder that holds one folder for each lease" in text
        assert "/State Workspace/^Runsheet Workspace/" in text

    def test_is_changed_only_by_who_may(self, console: Client, viewer: User, client: Client) -> None:
        save(console, f"{CONFIGURATIONS}add/", GOOD)
        viewer.user_permissions.add(Permission.objects.get(codename="view_agencystorageconfig"))
        client.force_login(viewer)
        url = reverse("admin:leases_agencystorageconfig_change", args=[AgencyStorageConfig.objects.get().pk])

        page = client.get(url)
        answer = client.post(url, {**GOOD, "documents_base_path": "/other"})

        assert (page.status_code, answer.status_code) == (200, 403)
        assert AgencyStorageConfig.objects.get().documents_base_path == "/documents"


class TestCloudLocationAdmin:
    @pytest.fixture
    def place(self) -> CloudLocation:
        return CloudLocation.objects.create(path="/a/NMNM 1", name="NMNM 1", share_url="https://example.com/s/1")

    def test_searches_by_name(self, console: Client, place: CloudLocation) -> None:
        assert "/a/NMNM 1" in console.get(LOCATIONS, {"q": "nmnm"}).text
        assert "/a/NMNM 1" not in console.get(LOCATIONS, {"q": "elsewhere"}).text

    def test_leads_to_dropbox(self, console: Client, place: CloudLocation) -> None:
        text = console.get(f"{LOCATIONS}{place.pk}/change/").text

        assert f'href="/archives/{place.pk}/" target="_blank" rel="noopener noreferrer"' in text

    def test_leads_to_its_leases(self, console: Client, place: CloudLocation) -> None:
        page = f"{LOCATIONS}{place.pk}/change/"
        assert "No lease any more" in console.get(page).text

        lease = Lease.objects.create(agency="BLM", lease_number="NMNM 1", runsheet_directory=place)

        assert f'<a href="/admin/leases/lease/{lease.pk}/change/">BLM NMNM 1</a>' in console.get(page).text

    def test_tells_when_the_link_is_made_on_opening(self, console: Client, place: CloudLocation) -> None:
        CloudLocation.objects.update(share_url="")

        assert "The link is made when it is opened." in console.get(f"{LOCATIONS}{place.pk}/change/").text

    def test_is_typed_by_nobody(self, console: Client, place: CloudLocation) -> None:
        added = console.post(f"{LOCATIONS}add/", {"path": "/b", "name": "b"})
        changed = console.post(f"{LOCATIONS}{place.pk}/change/", {"path": "/b", "name": "b"})

        assert (added.status_code, changed.status_code) == (403, 403)
        assert CloudLocation.objects.get().path == "/a/NMNM 1"

    def test_is_deleted_by_who_may(self, console: Client, place: CloudLocation) -> None:
        console.post(f"{LOCATIONS}{place.pk}/delete/", {"post": "yes"})

        assert not CloudLocation.objects.exists()
