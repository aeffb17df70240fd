"""What of a lease's page follows the work, what that costs, and two people at one lease."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from leases import runs, services
from leases.models import Lease
from tests.factories import settled
from tests.leases.starting import person_takes

pytestmark = [
    pytest.mark.django_db,
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def lease(olivia: User) -> Lease:
    """Searching; nobody is at it yet."""
    return services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)


@pytest.fixture
def console(olivia: User, client: Client) -> Client:
    client.force_login(olivia)
    return client


def polled_by(page: Any) -> str:
    """The address that the page asks; empty if it asks none."""
    found = re.search(r'data-poll="([^"]+)"', page.text)
    return found[1].replace("&amp;", "&") if found else ""


def page_of(client: Client, lease: Lease) -> Any:
    return client.get(f"/admin/leases/lease/{lease.pk}/change/")


class TestLive:
    def test_costs_two_queries_as_long_as_nothing_has_changed(self, console: Client, lease: Lease) -> None:
        address = polled_by(page_of(console, lease))

        with CaptureQueriesContext(connection) as asked:
            answer = console.get(address)

        assert answer.status_code == 204
        assert len(asked) <= 2

    def test_costs_no_more_for_a_number_that_is_doubtful(self, console: Client, olivia: User, lease: Lease) -> None:
        doubtful = services.create_lease(agency="BLM", lease_number="9.4E+06", created_by=olivia)
        costs = []
        for each in (lease, doubtful):
            address = f"/admin/leases/lease/{each.pk}/live/"
            console.get(address)
            with CaptureQueriesContext(connection) as asked:
                answer = console.get(address)
            costs.append(len(asked))

        assert "spreadsheet has shortened" in answer.text
        assert costs[0] == costs[1]

    @pytest.mark.parametrize(
        "changed",
        [
            {"claimed_until": timezone.now() + timedelta(seconds=15)},
            {"rung_at": timezone.now()},
            {"tries": 2, "due_at": timezone.now() + timedelta(seconds=42)},
            {"failure_code": "unreachable", "failure_message": "No answer."},
        ],
    )
    def test_shows_what_has_changed(self, console: Client, lease: Lease, changed: dict[str, Any]) -> None:
        address = polled_by(page_of(console, lease))
        Lease.objects.filter(pk=lease.pk).update(**changed)

        answer = console.get(address)

        assert answer.status_code == 200
        assert polled_by(answer) not in {"", address}
        assert console.get(polled_by(answer)).status_code == 204

    def test_is_not_bothered_by_a_worker_that_keeps_its_claim(self, console: Client, lease: Lease) -> None:
        until = timezone.now() + timedelta(seconds=15)
        Lease.objects.filter(pk=lease.pk).update(claimed_until=until, due_at=until)
        address = polled_by(page_of(console, lease))
        later = until + timedelta(seconds=4)

        Lease.objects.filter(pk=lease.pk).update(claimed_until=later, due_at=later)

        assert console.get(address).status_code == 204

    def test_ends_when_nothing_is_owed(self, console: Client, lease: Lease, olivia: User) -> None:
        address = polled_by(page_of(console, lease))
        person_takes(runs.STOP, lease_id=lease.pk, user=olivia)

        answer = console.get(address)

        assert polled_by(answer) == ""
        assert 'data-say="BLM NMNM 1: Stopped"' in answer.text

    def test_says_that_a_lease_is_gone(self, console: Client, lease: Lease) -> None:
        address = polled_by(page_of(console, lease))
        lease.delete()

        assert console.get(address).status_code == 404

    def test_leads_who_has_logged_out_to_the_login(self, console: Client, lease: Lease) -> None:
        address = polled_by(page_of(console, lease))
        console.logout()

        assert console.get(address)["Location"].startswith("/admin/login/")

    def test_tells_nobody_else_whether_something_has_changed(self, console: Client, lease: Lease) -> None:
        address = polled_by(page_of(console, lease))
        stranger = Client()
        stranger.force_login(User.objects.create_user("stranger", is_staff=True))

        assert stranger.get(address).status_code == 403


class TestTwoPeople:
    def test_never_undo_each_other_and_the_later_one_is_told(self, console: Client, olivia: User, viewer: User) -> None:
        lease = settled(olivia, state="done", generation=7)
        User.objects.filter(pk=viewer.pk).update(is_superuser=True)
        person_takes(runs.SEARCH, lease_id=lease.pk, user=User.objects.get(pk=viewer.pk))

        answer = console.post(f"/admin/leases/lease/{lease.pk}/discover/", {"generation": 7}, follow=True)

        assert (
            "“Run full discovery” was not done, because the lease had moved on: viewer did “start search” just now, "
            "and now it is “Searching”." in answer.text
        )
        assert Lease.objects.get().generation == 8
