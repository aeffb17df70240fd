import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from cloud.dropbox import gateway_for
from cloud.errors import DropboxUnavailable, NotADirectory
from cloud.models import CloudLocation
from discovery.errors import BasePathMissing
from discovery.services.lease_directory_search import (
    DirectorySighting,
)
from leases.errors import ConfigurationDisabled, ConfigurationMissing, UnsafePath
from leases.models import AgencyStorageConfig, Lease
from tests.discovery.services.asking import look_for_directory
from tests.discovery.services.conftest import search_directory
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

REPORT = f"{ARCHIVE}/Master Documents.pdf"
LINK = "sharing/create_shared_link_with_settings"


class TestSearchDirectory:
    def test_tells_where_it_is_and_which_link_leads_there(
        self, dropbox: "Standin", operator: User, lease: Lease
    ) -> None:
        dropbox.put(f"{ARCHIVE}/")

        result = search_directory(lease=lease, gateway=gateway_for(operator))

        location = CloudLocation.objects.get()
        assert result == location
        assert location.path == ARCHIVE
        assert location.share_url

    def test_done_twice_finds_the_same(self, dropbox: "Standin", operator: User, lease: Lease) -> None:
        dropbox.put(f"{ARCHIVE}/")

        first = search_directory(lease=lease, gateway=gateway_for(operator))
        second = search_directory(lease=lease, gateway=gateway_for(operator))

        assert first is not None
        assert second is not None
        assert (first.pk, first.path, first.share_url) == (second.pk, second.path, second.share_url)

    def test_tells_that_it_is_not_there(self, operator: User, lease: Lease) -> None:
        result = search_directory(lease=lease, gateway=gateway_for(operator))

        assert result is None
        assert not CloudLocation.objects.exists()


class TestLookForDirectory:
    def test_writes_nothing(self, dropbox: "Standin", operator: User, lease: Lease) -> None:
        dropbox.put(f"{ARCHIVE}/")

        look_for_directory(lease=lease, gateway=gateway_for(operator))

        assert not CloudLocation.objects.exists()

    @pytest.mark.parametrize("number", ["..", "../NMNM 1", "a/b", "a\\b", "%2e%2e", "\uff0e\uff0e", "NMNM 1 ", ""])
    def test_a_number_that_leads_elsewhere_is_asked_for_nowhere(
        self, dropbox: "Standin", operator: User, lease: Lease, number: str
    ) -> None:
        lease.lease_number = number

        with pytest.raises(UnsafePath, match=r"Then run it again\.$"):
            look_for_directory(lease=lease, gateway=gateway_for(operator))

        assert dropbox.calls() == {}

    def test_a_base_path_that_plain_sql_has_bent_is_asked_for_nowhere(
        self, dropbox: "Standin", operator: User, lease: Lease
    ) -> None:
        AgencyStorageConfig.objects.update(runsheet_archive_base_path=f"{BLM}/.. ")

        with pytest.raises(UnsafePath, match="as a part"):
            look_for_directory(lease=lease, gateway=gateway_for(operator))

        assert dropbox.calls() == {}

    def test_without_configuration_asks_nobody(self, dropbox: "Standin", operator: User, lease: Lease) -> None:
        AgencyStorageConfig.objects.all().delete()

        with pytest.raises(ConfigurationMissing):
            look_for_directory(lease=lease, gateway=gateway_for(operator))

        assert dropbox.calls() == {}

    def test_with_the_configuration_switched_off_asks_nobody(
        self, dropbox: "Standin", operator: User, lease: Lease
    ) -> None:
        AgencyStorageConfig.objects.update(enabled=False)

        with pytest.raises(ConfigurationDisabled):
            look_for_directory(lease=lease, gateway=gateway_for(operator))

        assert dropbox.calls() == {}

    def test_refuses_to_call_a_lease_not_found_where_no_archive_can_be(
        self, dropbox: "Standin", operator: User, lease: Lease
    ) -> None:
        dropbox.delete(BLM)

        with pytest.raises(BasePathMissing, match="Runsheet Archive") as refused:
            look_for_directory(lease=lease, gateway=gateway_for(operator))

        assert refused.value.evidence["path"] == ARCHIVE

    def test_does_not_believe_a_link_that_says_not_found(
        self, dropbox: "Standin", operator: User, lease: Lease
    ) -> None:
        dropbox.put(f"{ARCHIVE}/")
        body = '{"error_summary": "path/not_found/..", "error": {".tag": "path", "path": {".tag": "not_found"}}}'
        dropbox.fault(LINK, status=409, body=body, headers={"Content-Type": "application/json"})

        with pytest.raises(DropboxUnavailable, match="changed while"):
            look_for_directory(lease=lease, gateway=gateway_for(operator))

    def test_does_not_believe_a_description_that_says_not_found(
        self, dropbox: "Standin", operator: User, lease: Lease
    ) -> None:
        """An empty archive is described, since its listing does not tell whether all of it is seen."""
        dropbox.put(f"{ARCHIVE}/")
        body = '{"error_summary": "path/not_found/..", "error": {".tag": "path", "path": {".tag": "not_found"}}}'
        dropbox.fault("files/get_metadata", status=409, body=body, headers={"Content-Type": "application/json"})

        with pytest.raises(DropboxUnavailable, match="changed while"):
            look_for_directory(lease=lease, gateway=gateway_for(operator))

    def test_a_file_of_that_name_is_told_apart(self, dropbox: "Standin", operator: User, lease: Lease) -> None:
        dropbox.put(ARCHIVE)

        with pytest.raises(NotADirectory):
            look_for_directory(lease=lease, gateway=gateway_for(operator))


class TestAFolderThatIsReplacedMeanwhile:
    """What was listed is not what the link leads to; each of the two is true by itself."""

    @pytest.fixture
    def known(self, dropbox: "Standin", operator: User, lease: Lease) -> Lease:
        """Whose archive was found with a report in it, and is in the Dropbox of who found it still."""
        dropbox.put(REPORT)
        sighting = look_for_directory(lease=lease, gateway=gateway_for(operator))
        lease.runsheet_directory = search_directory(lease=lease, gateway=gateway_for(operator))
        lease.known_root, lease.known_account = sighting.origin.path_root, sighting.origin.account
        lease.known_folder_id, lease.known_namespace = sighting.origin.folder_id, sighting.origin.namespace
        lease.follow_through, lease.background = True, False
        lease.save()
        assert lease.known_folder_id
        return lease

    def test_once_it_is_described_begins_again(self, dropbox: "Standin", operator: User, lease: Lease) -> None:
        dropbox.put(f"{ARCHIVE}/")
        gateway = gateway_for(operator, before_call=replaced_before(dropbox, call=3))

        with pytest.raises(DropboxUnavailable, match="changed while it was being looked at") as raised:
            look_for_directory(lease=lease, gateway=gateway)

        assert raised.value.evidence["folder_id"] != raised.value.evidence["link_leads_to"]
        assert not CloudLocation.objects.exists()

    def test_is_listed_again_where_another_one_was_known(
        self, dropbox: "Standin", operator: User, known: Lease
    ) -> None:
        gateway = gateway_for(operator, before_call=replaced_before(dropbox, call=2))

        seen = look_for_directory(lease=known, gateway=gateway)

        assert names_in(seen) == ["scan.pdf"]
        assert seen.origin.folder_id not in {"", known.known_folder_id}

    def test_is_listed_again_where_the_stored_link_leads_to_the_new_one(
        self, dropbox: "Standin", operator: User, known: Lease
    ) -> None:
        """As after somebody has opened the archive, and the folder that was known has come and gone again."""
        dropbox.delete(ARCHIVE)
        dropbox.put(f"{ARCHIVE}/scan.pdf")
        search_directory(lease=known, gateway=gateway_for(operator))
        dropbox.clear_journal()

        seen = look_for_directory(lease=known, gateway=gateway_for(operator))

        assert seen.evidence["link"] == "stored and checked"
        assert dropbox.calls()["files/list_folder"] == 2

    def test_or_a_description_tells_so(self, dropbox: "Standin", operator: User, known: Lease) -> None:
        known.follow_through = False
        gateway = gateway_for(operator, before_call=replaced_before(dropbox, call=2))

        seen = look_for_directory(lease=known, gateway=gateway)

        assert names_in(seen) == ["scan.pdf"]

    def test_and_goes_away_for_good_begins_again(self, dropbox: "Standin", operator: User, known: Lease) -> None:
        replace_it = replaced_before(dropbox, call=2)
        count = itertools.count(1)

        def before_call() -> None:
            replace_it()
            if next(count) == 4:
                dropbox.delete(ARCHIVE)

        with pytest.raises(DropboxUnavailable, match="changed while it was being looked at"):
            look_for_directory(lease=known, gateway=gateway_for(operator, before_call=before_call))

    def test_costs_no_call_where_it_is_not(self, dropbox: "Standin", operator: User, known: Lease) -> None:
        dropbox.clear_journal()

        look_for_directory(lease=known, gateway=gateway_for(operator))

        assert dropbox.calls() == {"files/list_folder": 1, "sharing/get_shared_link_metadata": 1}


def replaced_before(dropbox: "Standin", *, call: int) -> Callable[[], None]:
    """Has the archive deleted and made anew, without a report, right before the call of that number."""
    count = itertools.count(1)

    def before_call() -> None:
        if next(count) == call:
            dropbox.delete(ARCHIVE)
            dropbox.put(f"{ARCHIVE}/scan.pdf")

    return before_call


def names_in(seen: DirectorySighting) -> list[str]:
    assert seen.listing is not None
    return [entry.name for entry in seen.listing.entries]
