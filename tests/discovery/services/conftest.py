"""A configuration to try, and what is told of it."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from cloud.dropbox import Gateway
from cloud.models import CloudLocation
from discovery.services.configuration_check import check_configuration
from discovery.services.lease_directory_search import record_directory
from leases.models import AgencyStorageConfig, Lease
from tests.discovery.services.asking import look_for_directory
from tests.discovery.watching import REPORT, absent, attend
from tests.factories import ARCHIVE, BLM, configured

if TYPE_CHECKING:
    from dropbox_standin.client import Standin


def folder(dropbox: "Standin", path: str, **sharing: bool) -> dict[str, Any]:
    """What Dropbox tells of a folder that an account does not see the whole of."""
    info = {"read_only": False, "traverse_only": False, "no_access": False, "parent_shared_folder_id": "1", **sharing}
    name = path.rpartition("/")[2]
    told = {".tag": "folder", "name": name, "path_lower": path.lower(), "path_display": path, "id": "id:partial"}
    return {**told, "sharing_info": info}


def search_directory(*, lease: Lease, gateway: Gateway) -> CloudLocation | None:
    """Look, and write down what was seen, as a run does both."""
    return record_directory(look_for_directory(lease=lease, gateway=gateway))


@pytest.fixture
def configuration(db: None) -> AgencyStorageConfig:
    return AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BLM, documents_base_path=BLM, misc_index_base_path=BLM
    )


@pytest.fixture
def archive(dropbox: "Standin") -> None:
    dropbox.put(f"{ARCHIVE}/", f"{BLM}/a file beside it.pdf")


def good(configuration: AgencyStorageConfig, user: User) -> list[str]:
    return [each.text for each in check_configuration(configuration=configuration, user=user) if each.is_good]


def bad(configuration: AgencyStorageConfig, user: User) -> list[str]:
    return [each.text for each in check_configuration(configuration=configuration, user=user) if not each.is_good]


@pytest.fixture
def watched_archives(operator: User, dropbox: "Standin") -> User:
    """An archive with a report and one without, read for the first time; no lease knows of them yet."""
    configured()
    dropbox.put(f"{ARCHIVE}/{REPORT}", f"{BLM}/NMNM 2/")
    absent(operator, "NMNM 9")
    attend()
    dropbox.clear_journal()
    return operator
