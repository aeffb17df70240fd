from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from discovery.services.archive_wants import wanted
from leases.models import AgencyStorageConfig, Lease
from tests.discovery.watching import absent
from tests.factories import BLM, configured, give_dropbox

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease(operator: User) -> Lease:
    configured()
    return absent(operator)


class TestWanted:
    def test_is_nothing_where_no_lease_is_run(self, operator: User) -> None:
        configured()

        assert wanted() == {}

    def test_is_nothing_for_who_has_no_dropbox(self, lease: Lease) -> None:
        DropboxAccount.objects.all().delete()

        assert wanted() == {}

    def test_is_the_folder_of_the_agency_for_the_account_of_who_runs_its_leases(self, lease: Lease) -> None:
        (found,) = wanted().values()

        assert (found.base_path, found.agencies, found.poll_minutes) == (BLM, ("BLM",), 5)
        assert found.account_id == DropboxAccount.objects.get().account_id
        assert found.declaration == {
            "kind": "dropbox",
            "owned": False,
            "title": f"Archives of BLM in “{BLM}”, as the Dropbox of {found.account} sees them",
        }

    @pytest.mark.parametrize("off", [{"enabled": False}, {"watched": False}])
    def test_is_nothing_for_an_agency_that_is_switched_off(self, lease: Lease, off: dict[str, bool]) -> None:
        AgencyStorageConfig.objects.update(**off)

        assert wanted() == {}

    def test_is_one_for_two_agencies_in_one_folder(self, lease: Lease, operator: User) -> None:
        configured("NMSLO", BLM.upper())
        AgencyStorageConfig.objects.filter(agency="NMSLO").update(poll_minutes=2)
        absent(operator, "B0-1", agency="NMSLO")

        (found,) = wanted().values()

        assert (found.agencies, found.poll_minutes) == (("BLM", "NMSLO"), 2)

    def test_is_one_for_two_people_with_one_account(
        self, lease: Lease, dropbox: "Standin", django_user_model: type[User]
    ) -> None:
        paul = django_user_model.objects.create_superuser("paul")
        give_dropbox(paul, dropbox)
        absent(paul, "NMNM 2")

        assert len(wanted()) == 1

    def test_is_one_for_each_account(self, lease: Lease, dropbox: "Standin", django_user_model: type[User]) -> None:
        """Nobody is answered from what another one has read."""
        paul = django_user_model.objects.create_superuser("paul")
        give_dropbox(paul, dropbox, "paul")
        absent(paul, "NMNM 2")

        assert len(wanted()) == 2
