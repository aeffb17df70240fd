"""What is told of folders: beside what runs have found before, and never more than one account can see."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud.models import CloudLocation, DropboxAccount
from discovery.services.configuration_check import check_configuration
from leases.models import AgencyStorageConfig, Lease
from tests.cloud.dropbox.conftest import LIST, METADATA, MORE, union
from tests.discovery.services.conftest import bad, folder, good
from tests.factories import ARCHIVE, BLM, give_dropbox

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db


class TestFoundBefore:
    """What runs have found is compared with what lies under the path that is tried."""

    OLD = "/Old/Archive"

    @pytest.fixture(autouse=True)
    def _found(self, operator: User, dropbox: "Standin") -> None:
        give_dropbox(User.objects.create_user("paul"), dropbox, "paul")
        paul = DropboxAccount.objects.get(user__username="paul").account_id
        for number in range(40):
            name = f"NMNM {number}"
            place = CloudLocation.objects.create(path=f"{self.OLD}/{name}", name=name)
            Lease.objects.create(agency="BLM", lease_number=name, runsheet_directory=place, known_account=paul)
        elsewhere = CloudLocation.objects.create(path="/NMSLO/1", name="1")
        Lease.objects.create(agency="NMSLO", lease_number="1", runsheet_directory=elsewhere)
        Lease.objects.create(agency="BLM", lease_number="never found")

    def saved(self) -> AgencyStorageConfig:
        return AgencyStorageConfig(agency="BLM", runsheet_archive_base_path=self.OLD)

    def test_and_mostly_not_there_is_told_in_numbers(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(*[f"{BLM}/nmnm {number}/" for number in (7, 11, 39)], f"{BLM}/NMNM 3.pdf")

        assert bad(configuration, operator) == [
            f"37 of the 40 archives found under “{self.OLD}” are not under “{BLM}” (“NMNM 0”, “NMNM 1”, “NMNM 10” and 34 more)."
        ]

    def test_and_all_there_is_well(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(*[f"{BLM}/NMNM {number}/" for number in range(40)])
        dropbox.page_size(7)

        assert f"All 40 archives found under “{self.OLD}” are under “{BLM}”." in good(configuration, operator)
        assert good(configuration, operator)[0].startswith("All 40 archives found under")
        assert bad(configuration, operator) == []

    def test_and_none_there_is_told(
        self, operator: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin"
    ) -> None:
        found = bad(configuration, operator)

        assert found[-1].startswith(f"None of the 40 archives found under “{self.OLD}” is under “{BLM}” (")

    def test_of_one_is_told_of_one(self, operator: User, configuration: AgencyStorageConfig, archive: None) -> None:
        Lease.objects.exclude(lease_number="NMNM 7").update(runsheet_directory=None)

        assert bad(configuration, operator) == [
            f"The archive found under “{self.OLD}” is not under “{BLM}” (“NMNM 7”)."
        ]

    def test_proves_nothing_where_only_a_part_is_seen(
        self, operator: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin"
    ) -> None:
        dropbox.sight("olivia", BLM, "traverse_only")
        dropbox.sight("olivia", ARCHIVE, "full")

        part, missing = bad(configuration, operator)

        assert part.startswith(
            f"Of the folder “{BLM}” your Dropbox (Olivia Operator, team space) sees a part only, with 1 ar"
        )
        assert missing.endswith("As only a part of the folder is seen, that does not mean that they are not there.")

    def test_is_never_said_to_be_missing_where_not_all_was_listed(
        self, operator: User, configuration: AgencyStorageConfig, archive: None, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/")
        dropbox.page_size(1)
        dropbox.fault(MORE, status=503)

        assert bad(configuration, operator) == [
            "Dropbox could not be reached or gave no proper answer. Test again in a minute."
        ]

    def test_by_others_in_the_same_path_is_another_space(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{self.OLD}/something else 1/")
        configuration.runsheet_archive_base_path = self.OLD

        (text,) = bad(configuration, operator)

        assert text.startswith("None of the 40 archives found in it before is there (")
        assert text.endswith(
            "It may be another folder with the same path: they were found with the Dropbox of “Paul Partner”. Connect an "
            "account that sees what that one sees."
        )

    def test_by_others_where_this_account_sees_nothing(
        self, operator: User, configuration: AgencyStorageConfig
    ) -> None:
        configuration.runsheet_archive_base_path = self.OLD

        assert bad(configuration, operator)[-1] == (
            "40 archives were found in it with the Dropbox of “Paul Partner”, so the path may be right, and the account the "
            "wrong one: connect one that sees what that one sees."
        )

    @pytest.mark.parametrize("ended", ["connection", "person"])
    @pytest.mark.parametrize("is_seen", [True, False])
    def test_by_who_is_no_longer_there_sends_nobody_to_them(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin", *, ended: str, is_seen: bool
    ) -> None:
        if ended == "connection":
            DropboxAccount.objects.filter(user__username="paul").update(needs_reconnect_reason="It was withdrawn.")
        else:
            User.objects.filter(username="paul").update(is_active=False)
        if is_seen:
            dropbox.put(f"{self.OLD}/something else 1/")
        configuration.runsheet_archive_base_path = self.OLD

        texts = bad(configuration, operator)

        assert texts
        assert "Paul Partner" not in " ".join(texts)

    def test_by_this_account_itself_is_no_matter_of_accounts(
        self, operator: User, configuration: AgencyStorageConfig
    ) -> None:
        Lease.objects.update(known_account=DropboxAccount.objects.get(user=operator).account_id)
        configuration.runsheet_archive_base_path = self.OLD

        (text,) = bad(configuration, operator)

        assert text.startswith(f"The folder “{self.OLD}” is not in your Dropbox")

    def test_says_that_the_account_does_not_see_the_saved_folder_either(
        self, operator: User, configuration: AgencyStorageConfig
    ) -> None:
        configuration.runsheet_archive_base_path = "/Elsewhere"

        found = check_configuration(configuration=configuration, user=operator, before=self.saved())

        assert found[1].text.startswith(
            f"The folder that is saved now, “{self.OLD}”, is not seen with this account either"
        )

    def test_says_nothing_of_the_account_if_it_sees_the_saved_folder(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        dropbox.put(f"{self.OLD}/")
        configuration.runsheet_archive_base_path = "/Elsewhere"

        found = check_configuration(configuration=configuration, user=operator, before=self.saved())

        assert not any("either" in each.text for each in found)


class TestPartialSight:
    def test_above_the_folder_is_no_absence(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        above = BLM.rpartition("/")[0]
        configuration.runsheet_archive_base_path = f"{above}/Other"
        dropbox.sight("olivia", above, "traverse_only")

        assert bad(configuration, operator)[0] == (
            f"The folder “{above}/Other” is not seen with your Dropbox (Olivia Operator, team space). Of “{above}” that account "
            "sees a part only, so the folder may be there for others. Ask its owner for access, or connect an account that "
            "has it."
        )

    @pytest.mark.parametrize("tag", ["not_found", "restricted_content"])
    def test_of_a_folder_that_may_not_be_opened(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin", tag: str
    ) -> None:
        dropbox.fault(METADATA, status=200, body=folder(dropbox, BLM, no_access=True))
        dropbox.fault(LIST, status=409, body=union("path", tag))

        assert "is there, but may not be opened with your Dropbox" in bad(configuration, operator)[0]

    def test_of_archives_is_told(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.put(f"{ARCHIVE}/")
        dropbox.sight("olivia", ARCHIVE, "no_access")

        assert bad(configuration, operator) == [
            (
                "Of 1 archive in it (“NMNM 0501759”) your Dropbox sees a part only, or may not open them. Ask the owner for access "
                "to the whole."
            )
        ]


class TestFoldersKeptForReference:
    @pytest.fixture(autouse=True)
    def _elsewhere(self, configuration: AgencyStorageConfig, archive: None) -> None:
        configuration.documents_base_path = "/Documents"
        configuration.misc_index_base_path = "/Index"

    def test_are_looked_for(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.put("/Documents/")

        assert "The folder of the documents, “/Documents”, is there." in good(configuration, operator)
        assert bad(configuration, operator) == [
            (
                "The folder of the miscellaneous index, “/Index”, is not in your Dropbox. No archive waits for it; correct "
                "the path, or write the folder of the archives once more."
            )
        ]

    def test_are_no_files(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.put("/Documents", "/Index/")

        assert bad(configuration, operator) == ["The folder of the documents, “/Documents”, is a file. Name a folder."]

    def test_are_looked_for_whatever_becomes_of_another(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        refused: dict[str, Any] = {"status": 409, "body": union("path", "restricted_content")}
        dropbox.fault(METADATA, path=BLM, **refused)
        dropbox.fault(METADATA, path="/Documents", **refused)
        dropbox.put("/Documents/", "/Index/")

        withheld = (
            "Dropbox withholds this content for legal reasons. Correct the path, or ask your Dropbox administrator; then "
            "test again."
        )
        assert bad(configuration, operator) == [withheld, f"The folder of the documents, “/Documents”: {withheld}"]
        assert good(configuration, operator)[-1] == "The folder of the miscellaneous index, “/Index”, is there."

    def test_may_be_seen_in_part(self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin") -> None:
        dropbox.put("/Documents/", "/Deep/")
        configuration.misc_index_base_path = "/Deep/Index"
        for path in ("/Documents", "/Deep"):
            dropbox.sight("olivia", path, "traverse_only")

        assert bad(configuration, operator) == [
            "The folder of the documents, “/Documents”, is seen in part only with your Dropbox. No archive waits for it.",
            (
                "The folder of the miscellaneous index, “/Deep/Index”, is not seen with your Dropbox; it may be there for others, "
                "as only a part of what is above it is seen."
            ),
        ]

    def test_are_enough_while_that_of_the_archives_is_not_right(
        self, operator: User, configuration: AgencyStorageConfig, dropbox: "Standin"
    ) -> None:
        configuration.runsheet_archive_base_path = ""
        dropbox.put("/Documents/", "/Index/")

        assert len(good(configuration, operator)) == 2
        assert bad(configuration, operator) == []
