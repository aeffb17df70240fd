"""What ran in a batch stays settled there, whoever starts and stops its leases later."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cloud.services.locations import record_location
from leases import runs, services
from leases.models import Batch, Lease
from leases.states import State
from statemachine import models as engine
from statemachine.batches import Progress, progress_of, run_again, run_many, stop
from statemachine.errors import NothingToStart
from statemachine.transitions import Actor, Step, take
from tests.leases.batches.asking import buttons, imported, page_url
from tests.leases.starting import person_takes, start_by_itself

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

HISTORY = "/admin/leases/batch/"
ALL_SETTLED = Progress(settled={State.NOT_FOUND: 3})


def begin(*leases: Lease) -> None:
    for lease in leases:
        start_by_itself(Lease.objects.get(pk=lease.pk), background=True)


def end(*leases: Lease) -> None:
    for lease in leases:
        take(model=Lease, pk=lease.pk, step=Step(transition="record_not_found"), actor=Actor.worker("job-1"))


def run(*leases: Lease) -> None:
    begin(*leases)
    end(*leases)


def ordered(user: User, *leases: Lease) -> engine.Batch:
    return run_many(Lease.objects.filter(pk__in=[lease.pk for lease in leases]), user)


@pytest.fixture
def batch(operator: User) -> Batch:
    return imported(operator)


@pytest.fixture
def leases(batch: Batch) -> list[Lease]:
    return list(Lease.objects.order_by("pk"))


@pytest.fixture
def finished(batch: Batch, leases: list[Lease]) -> Batch:
    run(*leases)
    return batch


class TestAFinishedBatch:
    @pytest.fixture
    def later(self, operator: User, finished: Batch, leases: list[Lease]) -> engine.Batch:
        """Stopped: one has run, one was under way, and the turn of one never came."""
        later = ordered(operator, *leases)
        run(leases[0])
        begin(leases[1])
        stop(batch_id=later.pk, user=operator)
        return later

    def test_stays_settled_when_a_later_run_is_stopped(self, finished: Batch, later: Batch) -> None:
        assert progress_of(finished) == Progress(settled={State.PENDING: 1, State.NOT_FOUND: 2})
        assert progress_of(later) == Progress(settled={State.NOT_FOUND: 1}, not_run=2)

    def test_is_counted_in_one_query(
        self, finished: Batch, later: Batch, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            progress_of(finished)

    def test_says_so_and_offers_nothing(self, console: Client, finished: Batch, later: Batch) -> None:
        text = console.get(page_url(finished)).text

        assert "3 of 3 leases settled." in text
        assert "did not run" not in text
        assert buttons(console, finished) == []
        assert buttons(console, later) == ["Run the 2 that were not run"]

    def test_leads_to_lists_of_exactly_those(self, console: Client, finished: Batch, later: Batch) -> None:
        counts = console.get(page_url(finished)).context["page"].counts

        assert [(count.label, count.count) for count in counts] == [("Stopped since", 1), ("Directory not found", 2)]
        for count in counts:
            assert console.get(count.url).context["cl"].result_count == count.count, count
        not_run = console.get(f"/admin/leases/lease/?batches={finished.pk}.not_run")
        assert not_run.context["cl"].result_count == 0

    def test_is_settled_in_the_history(self, console: Client, finished: Batch, later: Batch) -> None:
        rows = {batch.pk: batch for batch in console.get(HISTORY).context["cl"].result_list}

        assert {pk: row.has_stopped for pk, row in rows.items()} == {finished.pk: False, later.pk: True}

    def test_has_nothing_that_was_not_run(self, operator: User, finished: Batch, later: Batch) -> None:
        with pytest.raises(NothingToStart):
            run_again(batch_id=finished.pk, state=State.PENDING, user=operator)

        assert not Lease.objects.filter(due_at__isnull=False).exists()

    def test_stays_settled_when_two_later_runs_are_stopped(
        self, operator: User, finished: Batch, later: Batch, leases: list[Lease]
    ) -> None:
        last = ordered(operator, *leases)
        begin(leases[0], leases[2])
        stop(batch_id=last.pk, user=operator)

        assert progress_of(finished) == Progress(settled={State.PENDING: 3})
        assert progress_of(later) == Progress(settled={State.PENDING: 1}, not_run=2)
        assert progress_of(last) == Progress(not_run=3)

    def test_stays_settled_when_a_lease_is_started_and_stopped_by_hand(
        self, console: Client, operator: User, finished: Batch, leases: list[Lease]
    ) -> None:
        person_takes(runs.SEARCH, lease_id=leases[0].pk, user=operator)
        person_takes(runs.STOP, lease_id=leases[0].pk, user=operator)

        assert progress_of(finished) == Progress(settled={State.PENDING: 1, State.NOT_FOUND: 2})
        settled = console.get(f"/admin/leases/lease/?batches={finished.pk}.settled")
        assert settled.context["cl"].result_count == 3

    def test_stays_settled_when_what_no_batch_has_started_is_stopped(
        self, console: Client, operator: User, finished: Batch, leases: list[Lease]
    ) -> None:
        """As when the folder of its agency was changed."""
        Lease.objects.filter(pk=leases[0].pk).update(owed_by=None)
        begin(leases[0])
        person_takes(runs.STOP, lease_id=leases[0].pk, user=operator)

        assert progress_of(finished) == Progress(settled={State.PENDING: 1, State.NOT_FOUND: 2})
        settled = console.get(f"/admin/leases/lease/?batches={finished.pk}.settled")
        assert settled.context["cl"].result_count == 3

    def test_stays_settled_when_a_lease_gets_another_number_and_is_stopped(
        self, operator: User, finished: Batch, leases: list[Lease]
    ) -> None:
        services.change_lease(lease_id=leases[0].pk, agency="BLM", lease_number="NMNM 99", changed_by=operator)
        person_takes(runs.STOP, lease_id=leases[0].pk, user=operator)

        assert progress_of(finished) == Progress(settled={State.PENDING: 1, State.NOT_FOUND: 2})


class TestWhatDidNotRun:
    def test_stays_so_when_a_later_run_is_stopped_too(self, operator: User, batch: Batch, leases: list[Lease]) -> None:
        run(leases[0])
        begin(leases[1])
        stop(batch_id=batch.pk, user=operator)
        later = ordered(operator, *leases)
        begin(*leases)
        stop(batch_id=later.pk, user=operator)

        assert progress_of(batch) == Progress(settled={State.PENDING: 1}, not_run=2)
        assert progress_of(later) == Progress(not_run=3)
        assert run_again(batch_id=batch.pk, state=State.PENDING, user=operator) == 2

    def test_stays_so_whatever_ran_before_its_batch(self, operator: User, finished: Batch, leases: list[Lease]) -> None:
        """What has a result from before was called off, and then begun by a run that was stopped too."""
        second = ordered(operator, *leases)
        stop(batch_id=second.pk, user=operator)
        third = ordered(operator, *leases)
        begin(leases[0])
        stop(batch_id=third.pk, user=operator)

        assert progress_of(finished) == Progress(settled={State.PENDING: 1, State.NOT_FOUND: 2})
        assert progress_of(second) == progress_of(third) == Progress(not_run=3)

    def test_is_settled_once_a_later_run_has_ended_though_another_is_stopped(
        self, operator: User, batch: Batch, leases: list[Lease]
    ) -> None:
        stop(batch_id=batch.pk, user=operator)
        ordered(operator, *leases)
        run(*leases)
        assert progress_of(batch) == ALL_SETTLED
        last = ordered(operator, *leases)
        begin(leases[0])
        stop(batch_id=last.pk, user=operator)

        assert progress_of(batch) == Progress(settled={State.PENDING: 1, State.NOT_FOUND: 2})

    def test_stays_so_when_what_was_called_off_is_started_and_stopped_by_hand(
        self, operator: User, batch: Batch, leases: list[Lease]
    ) -> None:
        stop(batch_id=batch.pk, user=operator)
        person_takes(runs.SEARCH, lease_id=leases[0].pk, user=operator)
        person_takes(runs.STOP, lease_id=leases[0].pk, user=operator)

        assert progress_of(batch) == Progress(not_run=3)

    def test_is_what_was_stopped_by_hand_in_its_run(self, operator: User, batch: Batch, leases: list[Lease]) -> None:
        begin(leases[0])
        person_takes(runs.STOP, lease_id=leases[0].pk, user=operator)
        run(*leases[1:])

        assert progress_of(batch) == Progress(settled={State.NOT_FOUND: 2}, not_run=1)

    def test_is_what_was_found_and_not_read_yet(self, operator: User, batch: Batch, leases: list[Lease]) -> None:
        begin(leases[0])
        location = record_location(path="/a/NMNM 1", link=None)
        found = Step(transition="record_found", arguments={"location_id": location.pk})
        take(model=Lease, pk=leases[0].pk, step=found, actor=Actor.worker("job-1"))
        take(model=Lease, pk=leases[0].pk, step=Step(transition="start_detection"), actor=Actor.worker("job-1"))
        stop(batch_id=batch.pk, user=operator)
        later = ordered(operator, leases[0])
        begin(leases[0])
        stop(batch_id=later.pk, user=operator)

        assert progress_of(batch) == Progress(not_run=3)

    def test_of_a_second_try_is_not_what_failed_in_the_first(
        self, operator: User, batch: Batch, leases: list[Lease]
    ) -> None:
        """It was called off in the batch, after it had failed there."""
        begin(leases[0])
        failed = Step(transition="fail", arguments={"code": "no_folder", "message": "No folder."})
        take(model=Lease, pk=leases[0].pk, step=failed, actor=Actor.worker("job-1"))
        run(*leases[1:])
        run_again(batch_id=batch.pk, state=State.FAILED, user=operator)
        stop(batch_id=batch.pk, user=operator)
        later = ordered(operator, leases[0])
        begin(leases[0])
        stop(batch_id=later.pk, user=operator)

        assert progress_of(batch) == Progress(settled={State.NOT_FOUND: 2}, not_run=1)
