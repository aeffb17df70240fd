"""A wrong account is found out as soon as it is connected."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from cloud.models import CloudLocation, DropboxAccount
from cloud.services.accounts import connect_account
from discovery.services import account_check
from discovery.services.account_check import check_account
from leases.models import AgencyStorageConfig, Lease
from tests.cloud.dropbox.conftest import LIST, METADATA, TOKEN, union
from tests.factories import ARCHIVE, BLM

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

NMSLO = "/State Workspace/Archive"


def configure(agency: str, path: str, *, documents: str = "", misc: str = "") -> None:
    AgencyStorageConfig.objects.create(
        agency=agency,
        runsheet_archive_base_path=path,
        documents_base_path=documents or path,
        misc_index_base_path=misc or path,
    )


@pytest.fixture
def _two_agencies(operator: User, dropbox: "Standin") -> None:
    configure("BLM", BLM)
    configure("NMSLO", NMSLO)
    dropbox.put(f"{ARCHIVE}/", f"{NMSLO}/1/", f"{NMSLO}/2/")


def good(user: User) -> list[str]:
    return [each.text for each in check_account(user=user) if each.is_good]


def bad(user: User) -> list[str]:
    return [each.text for each in check_account(user=user) if not each.is_good]


@pytest.mark.usefixtures("_two_agencies")
class TestAgencies:
    def test_are_seen(self, operator: User, dropbox: "Standin") -> None:
        assert good(operator) == [
            f"BLM: The folder “{BLM}” is there (Olivia Operator, team space) and holds 1 archive.",
            f"NMSLO: The folder “{NMSLO}” is there (Olivia Operator, team space) and holds 2 archives.",
        ]
        assert dropbox.calls() == {METADATA: 2, LIST: 2}

    def test_are_not_all_seen(self, operator: User, dropbox: "Standin") -> None:
        dropbox.sight("olivia", NMSLO, "none")

        assert len(good(operator)) == 1
        assert bad(operator) == [
            (
                f"NMSLO: The folder “{NMSLO}” is not in your Dropbox (Olivia Operator, team space): in “/State Workspace” there "
                "is no “Archive”. Ask an administrator to correct the path, or connect an account that can see the folder."
            )
        ]

    def test_are_seen_by_others(self, operator: User, dropbox: "Standin") -> None:
        """So it may be the account that is wrong, and an administrator is not to change what is right."""
        place = CloudLocation.objects.create(path=f"{NMSLO}/1", name="1")
        connect_account(user=User.objects.create_user("colleague"), refresh_token="standin-refresh-paul")
        paul = DropboxAccount.objects.get(user__username="colleague").account_id
        Lease.objects.create(agency="NMSLO", lease_number="1", runsheet_directory=place, known_account=paul)
        Lease.objects.create(
            agency="NMSLO", lease_number="2", runsheet_directory=CloudLocation.objects.create(path="/Other/2")
        )
        dropbox.sight("olivia", NMSLO, "none")

        found = bad(operator)

        assert len(found) == 2
        assert found[1].startswith("NMSLO: 1 archive was found in it with the Dropbox of “Paul Partner”, so the path")

    def test_are_seen_in_part(self, operator: User, dropbox: "Standin") -> None:
        dropbox.sight("olivia", BLM, "traverse_only")

        (text,) = bad(operator)

        assert text.startswith(
            f"BLM: Of the folder “{BLM}” your Dropbox (Olivia Operator, team space) sees a part only"
        )

    def test_are_none_of_them_seen_with_a_wrong_account(self, operator: User) -> None:
        connect_account(user=operator, refresh_token="standin-refresh-ivan")

        assert [each.text for each in check_account(user=operator)] == [
            (
                "None of the agencies' folders (BLM, NMSLO) is seen with this account (Ivan Individual, personal space). It is "
                "probably the wrong one: connect the account that sees them, or ask an administrator whether the paths are right."
            )
        ]

    def test_are_of_another_space_with_the_same_path(self, operator: User, dropbox: "Standin") -> None:
        known_account = DropboxAccount.objects.get(user=operator).account_id
        for number in range(40):
            place = CloudLocation.objects.create(path=f"{BLM}/{number}", name=str(number))
            Lease.objects.create(
                agency="BLM", lease_number=str(number), runsheet_directory=place, known_account=known_account
            )
        connect_account(user=User.objects.create_user("colleague"), refresh_token="standin-refresh-olivia")
        connect_account(user=operator, refresh_token="standin-refresh-ivan")
        dropbox.put(f"{BLM}/another 1/", home="ivan")

        found = bad(operator)

        assert found[0].startswith(
            "BLM: None of the 40 archives found in it before is there (“0”, “1”, “10” and 37 more)."
        )
        assert "they were found with the Dropbox of “Olivia Operator”." in found[0]

    def test_hold_all_that_is_known(self, operator: User) -> None:
        for path in (ARCHIVE, "/Elsewhere/1"):
            place = CloudLocation.objects.create(path=path, name=path.rpartition("/")[2])
            Lease.objects.create(agency="BLM", lease_number=place.name, runsheet_directory=place)

        assert bad(operator) == []

    def test_are_told_in_the_case_that_one_cannot_be_asked_about(self, operator: User, dropbox: "Standin") -> None:
        dropbox.fault(METADATA, path=BLM, status=409, body=union("path", "restricted_content"))

        assert [each.text[:58] for each in check_account(user=operator)] == [
            "BLM: Dropbox refuses to tell anything of the folder of its",
            f"NMSLO: The folder “{NMSLO}” is there (Olivia Operator"[:58],
        ]

    def test_are_told_as_far_as_they_were_seen(self, operator: User, dropbox: "Standin") -> None:
        dropbox.fault(METADATA, path=NMSLO, status=503)

        assert [each.text[:30] for each in check_account(user=operator)] == [
            "BLM: The folder “/Federal Work",
            "Which of the agencies' folders",
        ]


class TestFoldersKeptForReference:
    @pytest.fixture(autouse=True)
    def _configured(self, operator: User, dropbox: "Standin") -> None:
        configure("BLM", BLM, documents="/Documents", misc="/Index")
        dropbox.put(f"{ARCHIVE}/")

    def test_are_named_where_they_are_not_seen(self, operator: User, dropbox: "Standin") -> None:
        dropbox.put("/Index/")
        dropbox.fault(METADATA, path="/Index", status=409, body=union("path", "restricted_content"))

        (text,) = good(operator)

        assert text.endswith(
            "Not seen, but not needed either: the folder of the documents and the folder of the miscellaneous index."
        )

    def test_are_passed_over_where_they_are_seen(self, operator: User, dropbox: "Standin") -> None:
        dropbox.put("/Documents/", "/Index/")

        (text,) = good(operator)

        assert text.endswith("and holds 1 archive.")


class TestNothingCanBeSaid:
    def test_where_no_agency_is_configured(self, operator: User, dropbox: "Standin") -> None:
        assert check_account(user=operator) == []
        assert dropbox.calls() == {}

    @pytest.mark.usefixtures("_two_agencies")
    @pytest.mark.parametrize("slow", [TOKEN, METADATA, LIST])
    def test_where_dropbox_takes_too_long(
        self, operator: User, dropbox: "Standin", monkeypatch: pytest.MonkeyPatch, slow: str
    ) -> None:
        monkeypatch.setattr(account_check, "LONGEST_S", 0.4)
        DropboxAccount.objects.update(access_token_expires_at=None)
        dropbox.fault(slow, kind="delay", delay_s=0.6)

        assert [each.text for each in check_account(user=operator)] == [
            (
                "Which of the agencies' folders are seen with it could not be looked at to the end: Dropbox takes too long. Test "
                "again in a minute."
            )
        ]
