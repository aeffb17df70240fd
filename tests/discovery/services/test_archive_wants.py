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

        assert (found.base_path, found.holds, found.poll_minutes) == (BLM, (("archives", "BLM"),), 5)
        assert found.account_id == DropboxAccount.objects.get().account_id
        assert found.declaration == {
            "kind": "dropbox",
            "owned": False,
            "title": f"Archives of BLM in {BLM}, as the Dropbox of {found.account} sees them",
            "short": f"Archives of BLM ({found.account})",
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

        assert (found.holds, found.poll_minutes) == ((("archives", "BLM"), ("archives", "NMSLO")), 2)
        assert titles() == [f"Archives of BLM and NMSLO in {BLM}"]

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


class TestOtherFolders:
    """The document archive and the miscellaneous index are watched as the archives are."""

    def test_are_wanted_beside_that_of_the_archives(self, lease: Lease) -> None:
        AgencyStorageConfig.objects.update(
            documents_base_path="/Documents", misc_index_base_path="/Index", poll_minutes=7
        )

        assert titles() == [
            f"Archives of BLM in {BLM}",
            "Documents of BLM in /Documents",
            "Miscellaneous index of BLM in /Index",
        ]
        assert {want.poll_minutes for want in wanted().values()} == {7}

    def test_are_one_where_one_folder_is_both(self, lease: Lease) -> None:
        AgencyStorageConfig.objects.update(documents_base_path="/Beside", misc_index_base_path="/BESIDE")

        assert titles()[1:] == ["Documents of BLM, miscellaneous index of BLM in /Beside"]

    def test_are_one_with_the_archives_of_another_agency(self, lease: Lease, operator: User) -> None:
        AgencyStorageConfig.objects.update(documents_base_path="/STATE")
        configured("NMSLO", "/State", poll_minutes=2)
        absent(operator, "B0-1", agency="NMSLO")

        assert titles()[1:] == ["Archives of NMSLO, documents of BLM in /STATE"]
        assert sorted(want.poll_minutes for want in wanted().values()) == [2, 5]

    def test_are_not_wanted_by_an_agency_that_is_not_watched(self, lease: Lease) -> None:
        AgencyStorageConfig.objects.update(documents_base_path="/Documents", watched=False)

        assert wanted() == {}


def titles() -> list[str]:
    """In the order of what is wanted, without whose Dropbox it is."""
    return [str(want.declaration["title"]).partition(", as the Dropbox of")[0] for want in wanted().values()]
