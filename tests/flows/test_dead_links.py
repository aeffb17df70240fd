"""A lease that is run again, and the share link that it has."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from leases import runs, services
from leases.models import Lease
from tests.flows.conftest import BLM
from tests.leases.starting import person_takes
from tests.links import revoke_link

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db

ARCHIVE = f"{BLM}/NMNM 0501759"


@pytest.fixture
def done(dropbox: "Standin", operator: User, work_until_settled: Callable[[], None]) -> Lease:
    """A lease that has been run, with a link; the journal is empty."""
    dropbox.put(f"{ARCHIVE}/Master Documents.pdf")
    services.create_lease(agency="BLM", lease_number="NMNM 0501759", created_by=operator)
    work_until_settled()
    dropbox.clear_journal()
    return Lease.objects.get()


class TestRunAgain:
    def test_replaces_a_dead_link(
        self, done: Lease, dropbox: "Standin", operator: User, work_until_settled: Callable[[], None]
    ) -> None:
        revoke_link(dropbox, done.runsheet_link)

        person_takes(runs.FULL_DISCOVERY, lease_id=done.pk, user=operator)
        work_until_settled()

        lease = Lease.objects.get()
        assert lease.state == "done"
        assert lease.runsheet_link not in ("", done.runsheet_link)

    def test_of_many_costs_no_call_for_a_link_of_today(
        self, done: Lease, dropbox: "Standin", operator: User, work_until_settled: Callable[[], None]
    ) -> None:
        person_takes(replace(runs.FULL_DISCOVERY, background=True), lease_id=done.pk, user=operator)
        work_until_settled()

        assert dropbox.calls() == {"files/list_folder": 1}
        assert Lease.objects.get().runsheet_link == done.runsheet_link
