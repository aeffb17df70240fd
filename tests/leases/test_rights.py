"""Each service asks for the rights that it needs, whatever stands in front of it."""

import pytest
from django.contrib.auth.models import Permission, User

from leases import services
from leases.models import Lease
from statemachine.errors import TransitionForbidden
from tests.factories import settled

pytestmark = pytest.mark.django_db


class TestCreateLease:
    def test_is_for_who_may_create_leases(self, viewer: User) -> None:
        with pytest.raises(TransitionForbidden, match="permission to create leases"):
            services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=viewer)

        assert not Lease.objects.exists()

    def test_is_not_for_who_is_switched_off(self, olivia: User) -> None:
        olivia.is_active = False

        with pytest.raises(TransitionForbidden):
            services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)


class TestChangeLease:
    def test_is_for_who_may_change_leases(self, olivia: User, viewer: User) -> None:
        lease = settled(olivia)

        with pytest.raises(TransitionForbidden, match="permission to change leases"):
            services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="NMNM 2", changed_by=viewer)

        assert Lease.objects.get().lease_number == "NMNM 1"

    def test_stops_no_run_of_others_for_who_may_not(self, olivia: User, viewer: User) -> None:
        viewer.user_permissions.add(Permission.objects.get(codename="change_lease"))
        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)

        with pytest.raises(TransitionForbidden, match="permission to start and stop discovery"):
            services.change_lease(lease_id=lease.pk, agency="BLM", lease_number="NMNM 2", changed_by=viewer)

        lease = Lease.objects.get()
        assert (lease.lease_number, lease.state, lease.initiated_by) == ("NMNM 1", "searching", olivia)
