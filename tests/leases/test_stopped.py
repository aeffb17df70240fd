"""What somebody has stopped is called so wherever a lease is shown, and apart from what is about to start."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from leases import runs, services
from leases.batches import import_leases
from leases.models import Batch, BatchLease, Lease
from statemachine.batches import stop
from tests.factories import settled
from tests.leases.starting import person_takes

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LIST = "/admin/leases/lease/"


@pytest.fixture
def console(client: Client, olivia: User) -> Client:
    client.force_login(olivia)
    return client


@pytest.fixture
def stopped(olivia: User) -> Lease:
    """One that was searched for, and one beside it that waits for its start."""
    lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=olivia)
    person_takes(runs.STOP, lease_id=lease.pk, user=olivia)
    Lease.objects.create(agency="BLM", lease_number="NMNM 2", created_by=olivia)
    return Lease.objects.get(pk=lease.pk)


class TestALease:
    def test_is_stopped_when_its_run_was_cancelled(self, stopped: Lease) -> None:
        assert (stopped.is_stopped, stopped.shown_state, stopped.get_state_display()) == (True, "stopped", "Stopped")

    def test_is_stopped_when_its_batch_was_before_it_began(self, olivia: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=olivia, title="leases.csv")
        stop(batch_id=batch.pk, user=olivia)

        assert Lease.objects.get().is_stopped

    @pytest.mark.parametrize(
        "values",
        [
            {"state": "pending", "due_at": None, "generation": 0},  # never started, and never will be
            {"state": "pending", "generation": 4},  # started again
            {"state": "done", "due_at": None, "generation": 4},
        ],
    )
    def test_is_not(self, values: dict[str, object]) -> None:
        lease = Lease.objects.create(agency="BLM", lease_number="NMNM 1", **values)

        assert not Lease.objects.get(pk=lease.pk).is_stopped


class TestWhereLeasesAreShown:
    def test_the_list_shows_and_counts_it(self, console: Client, stopped: Lease) -> None:
        answer = console.get(LIST)

        counts = {each.label: each.count for each in answer.context["cl"].state_counts if each.count}
        assert counts == {"All": 2, "Pending": 1, "Stopped": 1}
        assert 'class="state state-stopped"' in answer.text

    def test_the_list_has_no_place_for_what_there_is_none_of(self, console: Client) -> None:
        assert "Stopped" not in [each.label for each in console.get(LIST).context["cl"].state_counts]

    @pytest.mark.parametrize(("state", "number"), [("stopped", "NMNM 1"), ("pending", "NMNM 2")])
    def test_the_list_is_narrowed_to_it(self, console: Client, stopped: Lease, state: str, number: str) -> None:
        listed = console.get(f"{LIST}?state__exact={state}").context["cl"]

        assert [lease.lease_number for lease in listed.result_list] == [number]
        assert listed.result_count == 1

    def test_a_file_says_so(self, console: Client, stopped: Lease) -> None:
        answer = console.get(f"{LIST}download/json/?state__exact=stopped")

        assert [each["State"] for each in json.loads(answer.getvalue())] == ["Stopped"]

    def test_its_page_says_so(self, console: Client, stopped: Lease) -> None:
        text = console.get(f"{LIST}{stopped.pk}/change/").text

        assert 'class="state state-stopped"' in text
        assert "Stopped. Nothing is done until somebody starts it again." in text
        assert "The lease is “Stopped”: nothing is under way that could be stopped." in text

    def test_the_start_page_counts_it(self, console: Client, stopped: Lease) -> None:
        counts = {each.label: each for each in console.get("/admin/").context["counts"] if each.count}

        assert {label: each.count for label, each in counts.items()} == {"Pending": 1, "Stopped": 1}
        assert console.get(counts["Stopped"].url).context["cl"].result_count == 1

    def test_who_runs_many_is_told(self, console: Client, stopped: Lease) -> None:
        given = {"action": "run_chosen", "_selected_action": [stopped.pk]}

        assert 'class="state state-stopped"' in console.post(LIST, given, follow=True).text


class TestABatch:
    def test_tells_in_the_history_that_some_did_not_run(self, console: Client, olivia: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1"), ("BLM", "NMNM 2")], user=olivia, title="leases.csv")
        Lease.objects.filter(lease_number="NMNM 1").update(state="done", due_at=None)
        Lease.objects.filter(lease_number="NMNM 2").update(due_at=None, generation=1)

        text = console.get("/admin/leases/batch/").text

        assert "some did not run" in text
        assert ">settled<" not in text
        assert batch.size == 2

    def test_is_settled_when_all_of_it_is(self, console: Client, olivia: User) -> None:
        batch = Batch.objects.create(kind="import", title="leases.csv", created_by=olivia, size=1)
        BatchLease.objects.create(batch=batch, record=settled(olivia, state="done"))

        assert ">settled<" in console.get("/admin/leases/batch/").text

    def test_leads_to_what_did_not_run(self, console: Client, olivia: User) -> None:
        batch = import_leases(leases=[("BLM", "NMNM 1")], user=olivia, title="leases.csv")
        stop(batch_id=batch.pk, user=olivia)

        (count,) = console.get(f"/admin/leases/batch/{batch.pk}/change/").context["page"].counts

        assert (count.label, count.count) == ("Not run", 1)
        assert console.get(count.url).context["cl"].result_count == 1
