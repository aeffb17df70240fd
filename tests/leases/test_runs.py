import pytest
from django.contrib.auth.models import User

from leases import runs, services
from leases.models import Lease
from statemachine.errors import Stale, TransitionForbidden, TransitionRefused
from tests.factories import known_directory, settled
from tests.leases.starting import person_takes
from tests.leases.test_services import history

pytestmark = pytest.mark.django_db


class TestSearch:
    def test_stops_at_found(self, olivia: User) -> None:
        lease = settled(olivia, state="not_found")

        person_takes(runs.SEARCH, lease_id=lease.pk, user=olivia)

        lease = Lease.objects.get()
        assert (lease.state, lease.follow_through, lease.initiated_by) == ("searching", False, olivia)

    def test_pressed_twice_starts_once(self, olivia: User) -> None:
        lease = settled(olivia)
        person_takes(runs.SEARCH, lease_id=lease.pk, user=olivia)

        with pytest.raises(TransitionRefused):
            person_takes(runs.SEARCH, lease_id=lease.pk, user=olivia)

        assert len(history(lease)) == 1

    def test_refuses_who_may_not(self, viewer: User) -> None:
        lease = settled(viewer)

        with pytest.raises(TransitionForbidden, match="Search directory"):
            person_takes(runs.SEARCH, lease_id=lease.pk, user=viewer)

        assert Lease.objects.get().state == "pending"

    def test_refuses_who_looked_at_an_older_page(self, olivia: User) -> None:
        lease = settled(olivia, generation=3)

        with pytest.raises(Stale):
            person_takes(runs.SEARCH, lease_id=lease.pk, user=olivia, generation=2)


class TestFullDiscovery:
    def test_follows_through(self, olivia: User) -> None:
        lease = settled(olivia, state="found", follow_through=False)

        person_takes(runs.FULL_DISCOVERY, lease_id=lease.pk, user=olivia)

        lease = Lease.objects.get()
        assert (lease.state, lease.follow_through) == ("searching", True)


class TestDetection:
    def test_owes_a_look_into_the_directory(self, olivia: User) -> None:
        lease = settled(olivia, state="found", runsheet_directory=known_directory())

        person_takes(runs.DETECTION, lease_id=lease.pk, user=olivia)

        assert Lease.objects.get().state == "detecting"

    def test_refuses_without_a_directory(self, olivia: User) -> None:
        lease = settled(olivia, state="not_found")

        with pytest.raises(TransitionRefused):
            person_takes(runs.DETECTION, lease_id=lease.pk, user=olivia)

    def test_refuses_while_at_work(self, olivia: User) -> None:
        lease = settled(olivia, state="searching", due_at="2026-01-01T00:00Z")

        with pytest.raises(TransitionRefused):
            person_takes(runs.DETECTION, lease_id=lease.pk, user=olivia)


class TestStop:
    def test_owes_nothing_any_more(self, olivia: User) -> None:
        lease = services.create_lease(agency="BLM", lease_number="1", created_by=olivia)

        person_takes(runs.STOP, lease_id=lease.pk, user=olivia)

        lease = Lease.objects.get()
        assert (lease.state, lease.due_at) == ("pending", None)

    def test_refuses_what_is_not_at_work(self, olivia: User) -> None:
        with pytest.raises(TransitionRefused):
            person_takes(runs.STOP, lease_id=settled(olivia).pk, user=olivia)
