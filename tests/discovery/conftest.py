"""Olivia's Dropbox, connected, with the folder of all archives in it."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from redis import Redis

from cloud.services.accounts import connect_account
from leases.models import AgencyStorageConfig, Lease

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = "/Federal Workspace/^Runsheet Workspace/Runsheet Archive"
NUMBER = "NMNM 0501759"
ARCHIVE = f"{BLM}/{NUMBER}"


@pytest.fixture(autouse=True)
def _nothing_remembered(redis: Redis) -> None:
    cache.clear()


@pytest.fixture
def operator(olivia: User, dropbox: "Standin") -> User:
    """Olivia with her Dropbox connected and the journal empty."""
    connect_account(user=olivia, refresh_token="standin-refresh-olivia")
    dropbox.put(f"{BLM}/")
    dropbox.clear_journal()
    return olivia


@pytest.fixture
def lease(operator: User) -> Lease:
    AgencyStorageConfig.objects.create(
        agency="BLM", runsheet_archive_base_path=BLM, documents_base_path="/d", misc_index_base_path="/m"
    )
    return Lease.objects.create(agency="BLM", lease_number=NUMBER, created_by=operator)
