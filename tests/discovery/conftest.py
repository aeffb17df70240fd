"""Olivia's Dropbox, connected, with the folder of all archives in it."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from redis import Redis

from leases.models import Lease
from tests.factories import BLM as ARCHIVES
from tests.factories import NUMBER, configured, give_dropbox

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

BLM = ARCHIVES


@pytest.fixture(autouse=True)
def _nothing_remembered(redis: Redis) -> None:
    cache.clear()


@pytest.fixture
def operator(olivia: User, dropbox: "Standin") -> User:
    """Olivia with her Dropbox connected and the journal empty."""
    give_dropbox(olivia, dropbox)
    dropbox.put(f"{BLM}/")
    return olivia


@pytest.fixture
def lease(operator: User) -> Lease:
    configured()
    return Lease.objects.create(agency="BLM", lease_number=NUMBER, created_by=operator)
