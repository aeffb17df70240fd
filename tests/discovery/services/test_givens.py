"""What runs stand on, where some of it is not there or is wrong."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from cloud.models import DropboxAccount
from core.base.clock import now
from discovery.services.archive_index import ArchiveIndex
from discovery.services.givens import Given
from discovery.services.indexed_sightings import sightings_in_index
from leases.models import AgencyStorageConfig, Lease
from tests.factories import BLM, indexed, settled, watched

pytestmark = pytest.mark.django_db


def test_a_lease_without_an_account_keeps_its_person(operator: User) -> None:
    lease = Lease(initiated_by=operator)

    assert Given(configuration=None, account=None).lent_to(lease).initiated_by == operator


def test_a_lease_that_has_no_place_is_not_answered_from_the_index(operator: User) -> None:
    account = DropboxAccount.objects.get(user=operator)
    watch = watched(account, read_at=now() - timedelta(seconds=1))
    indexed(watch, {"NMNM 1": []})
    index = ArchiveIndex(watch=watch, read_at=watch.root.read_at, is_fresh=True, is_being_read=False)
    crooked = AgencyStorageConfig(agency="BLM", runsheet_archive_base_path=f"{BLM}/")

    assert sightings_in_index([settled(operator)], index=index, account=account, configuration=crooked) == {}
