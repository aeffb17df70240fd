"""The question before many leases are run says how often Dropbox will be asked."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from cloud.models import DropboxAccount
from console.machine.running import plan_for
from discovery.services.estimates import answered_from_index
from leases.admin.bulk_run import FULL_DISCOVERY, calls_of, minutes_of
from leases.models import Lease
from storage.models import StorageRoot
from tests.factories import configured, indexed, settled, watched

pytestmark = pytest.mark.django_db

ALL = [f"NMNM {each}" for each in range(1, 5)]


@pytest.fixture
def leases(operator: User) -> list[Lease]:
    configured()
    return [settled(operator, lease_number=number) for number in ALL]


@pytest.fixture
def account(operator: User, leases: list[Lease]) -> DropboxAccount:
    return DropboxAccount.objects.get(user=operator)


def facts(user: User) -> dict[str, str]:
    return dict(FULL_DISCOVERY.facts(plan_for(Lease.objects.all(), many=FULL_DISCOVERY, user=user)))


class TestTheEstimate:
    def test_of_no_leases_is_none(self, operator: User) -> None:
        assert answered_from_index(Lease.objects.none(), operator) == 0

    def test_counts_two_calls_for_each_without_an_index(self, operator: User, leases: list[Lease]) -> None:
        assert facts(operator)["Dropbox calls"] == "about 8, by your Dropbox account"

    def test_counts_none_where_all_is_known(self, operator: User, account: DropboxAccount, settings: Settings) -> None:
        settings.DROPBOX_CALLS_PER_S = 1
        indexed(watched(account), {number: [] for number in ALL})

        plan = plan_for(Lease.objects.all(), many=FULL_DISCOVERY, user=operator)

        assert (calls_of(plan), minutes_of(plan)) == (0, 0)
        assert facts(operator)["Dropbox calls"].startswith("none: all are answered from what is known")
        assert facts(operator)["Time"] == "less than a minute"

    def test_counts_those_that_dropbox_is_asked_for(self, operator: User, account: DropboxAccount) -> None:
        watch = watched(account)
        indexed(watch, {number: [] for number in ALL[:3]})
        indexed(watch, {ALL[3]: []}, partial=True)

        assert facts(operator)["Dropbox calls"].startswith(
            "about 2, by your Dropbox account; about 3 leases are answered from what is known"
        )

    def test_counts_no_index_that_is_not_fresh(self, operator: User, account: DropboxAccount) -> None:
        indexed(watched(account), {number: [] for number in ALL})
        StorageRoot.objects.update(read_at=Now() - timedelta(hours=1))

        assert answered_from_index(Lease.objects.all(), operator) == 0

    def test_is_told_of_many_by_some(
        self, operator: User, account: DropboxAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        indexed(watched(account), {ALL[0]: []})
        monkeypatch.setattr("discovery.services.estimates.LOOKED_UP", 1)

        assert answered_from_index(Lease.objects.all(), operator) == len(ALL)

    def test_counts_nothing_for_who_has_no_dropbox(self, account: DropboxAccount) -> None:
        indexed(watched(account), {number: [] for number in ALL})
        ada = User.objects.create_superuser("ada")

        assert answered_from_index(Lease.objects.all(), ada) == 0
        assert answered_from_index(Lease.objects.none(), ada) == 0
