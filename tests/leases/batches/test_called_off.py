"""A lease whose turn never came, because its batch was stopped, did not run, whatever is known of it from before."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from leases import runs, services
from leases.models import Batch, Lease
from leases.states import State
from statemachine import models as engine
from statemachine.batches import Progress, Stopped, failures_of, progress_of, run_again, run_many, stop
from statemachine.errors import NothingToStart
from statemachine.transitions import Actor, Step, take
from tests.factories import settled
from tests.leases.batches.asking import buttons, page_url
from tests.leases.starting import person_takes, start_by_itself

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("redis"),
    # Static files are collected for production only.
    pytest.mark.filterwarnings("ignore:No directory at"),
]

# As an office has them that runs everything again once a year.
BEFORE = (State.DONE, State.DONE, State.NOT_FOUND, State.FOUND, State.FAILED, State.FAILED, State.PENDING)
HISTORY = reverse("admin:leases_batch_changelist")


@pytest.fixture
def leases(operator: User) -> list[Lease]:
    """Each has been run before; the last one was stopped then."""
    return [
        settled(
            operator,
            lease_number=f"NMNM {number}",
            state=state,
            generation=3,
            failure_code="no_folder" if state == State.FAILED else "",
            initiated_by=operator,
        )
        for number, state in enumerate(BEFORE, 1)
    ]


@pytest.fixture
def batch(operator: User, leases: list[Lease]) -> engine.Batch:
    return run_many(Lease.objects.all(), operator, title="All of them")


def run(lease: Lease) -> None:
    """To its end, which is that there is no directory."""
    begin(lease)
    take(model=Lease, pk=lease.pk, step=Step(transition="record_not_found"), actor=Actor.worker("job-1"))


def begin(lease: Lease) -> None:
    start_by_itself(Lease.objects.get(pk=lease.pk), background=True)


def owed() -> int:
    return Lease.objects.filter(due_at__isnull=False).count()


@pytest.fixture
def stopped(operator: User, batch: Batch, leases: list[Lease]) -> Batch:
    """One has run, one was under way, and the turn of five never came."""
    run(leases[0])
    begin(leases[1])
    assert stop(batch_id=batch.pk, user=operator) == Stopped(count=6, left=0)
    batch.refresh_from_db()
    return batch


class TestProgress:
    def test_counts_as_settled_only_what_ran(self, stopped: Batch) -> None:
        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, not_run=6)

    def test_is_counted_in_one_query(self, stopped: Batch, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(1):
            progress_of(stopped)

    def test_gives_no_reasons_for_what_did_not_fail_in_it(self, stopped: Batch) -> None:
        assert failures_of(stopped) == []

    def test_is_of_what_somebody_has_run_by_hand_since(
        self, operator: User, stopped: Batch, leases: list[Lease]
    ) -> None:
        person_takes(runs.SEARCH, lease_id=leases[4].pk, user=operator)
        take(model=Lease, pk=leases[4].pk, step=Step(transition="record_not_found"), actor=Actor.worker("job-2"))

        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 2}, not_run=5)

    def test_is_of_what_goes_on_by_itself_since(self, stopped: Batch, leases: list[Lease]) -> None:
        """What it had failed for is mended; it is still the batch's, and the batch may stop it."""
        services.resume_failed(Lease.objects.filter(pk=leases[4].pk))
        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, not_run=5, waiting=1, stoppable=1)

        run(leases[4])

        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 2}, not_run=5)

    def test_forgets_a_lease_that_is_deleted(self, stopped: Batch, leases: list[Lease]) -> None:
        leases[4].delete()

        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, not_run=5)


class TestStoppingTwice:
    def test_changes_nothing(self, operator: User, stopped: Batch) -> None:
        assert stop(batch_id=stopped.pk, user=operator) == Stopped(count=0, left=0)

        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, not_run=6)

    def test_counts_again_what_was_run_again_between(self, operator: User, stopped: Batch) -> None:
        run_again(batch_id=stopped.pk, state=State.PENDING, user=operator)
        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, waiting=6, stoppable=6)

        stop(batch_id=stopped.pk, user=operator)

        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, not_run=6)


class TestRunningAgain:
    def test_takes_all_that_did_not_run(self, operator: User, stopped: Batch) -> None:
        assert run_again(batch_id=stopped.pk, state=State.PENDING, user=operator) == 6

    def test_takes_no_more_than_the_person_was_told(self, operator: User, stopped: Batch) -> None:
        assert run_again(batch_id=stopped.pk, state=State.PENDING, user=operator, at_most=4) == 4

        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, not_run=2, waiting=4, stoppable=4)

    def test_leaves_what_ran_by_hand_since(self, operator: User, stopped: Batch, leases: list[Lease]) -> None:
        person_takes(runs.SEARCH, lease_id=leases[4].pk, user=operator)
        take(model=Lease, pk=leases[4].pk, step=Step(transition="record_not_found"), actor=Actor.worker("job-2"))

        assert run_again(batch_id=stopped.pk, state=State.PENDING, user=operator) == 5

    def test_of_what_failed_is_not_of_what_had_failed_before(
        self, operator: User, stopped: Batch, leases: list[Lease]
    ) -> None:
        with pytest.raises(NothingToStart):
            run_again(batch_id=stopped.pk, state=State.FAILED, user=operator)

        assert owed() == 0

    def test_counts_what_came_to_its_turn_then(self, operator: User, stopped: Batch, leases: list[Lease]) -> None:
        run_again(batch_id=stopped.pk, state=State.PENDING, user=operator)
        for lease in leases[1:]:
            run(lease)

        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 7})


class TestTwoBatches:
    """Of one lease: the later one owns it."""

    def test_both_did_not_run_what_both_were_stopped_before(self, operator: User, stopped: Batch) -> None:
        later = run_many(Lease.objects.all(), operator, title="Once more")
        assert progress_of(stopped) == Progress(waiting=7)

        stop(batch_id=later.pk, user=operator)

        assert progress_of(later) == Progress(not_run=7)
        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 1}, not_run=6)

    def test_what_the_later_one_ran_is_settled_in_both(
        self, operator: User, stopped: Batch, leases: list[Lease]
    ) -> None:
        later = run_many(Lease.objects.filter(pk=leases[5].pk), operator, title="Once more")
        run(leases[5])

        assert progress_of(later) == Progress(settled={State.NOT_FOUND: 1})
        assert progress_of(stopped) == Progress(settled={State.NOT_FOUND: 2}, not_run=5)

    def test_stopping_the_later_one_takes_back_nothing_that_the_earlier_one_ran(
        self, operator: User, batch: Batch, leases: list[Lease]
    ) -> None:
        for lease in leases:
            run(lease)
        later = run_many(Lease.objects.all(), operator, title="Once more")

        stop(batch_id=later.pk, user=operator)

        assert progress_of(batch) == Progress(settled={State.NOT_FOUND: 7})
        assert progress_of(later) == Progress(not_run=7)


class TestPage:
    def test_says_how_many_did_not_run(self, console: Client, stopped: Batch) -> None:
        text = console.get(page_url(stopped)).text

        assert "<p>Stopped: 1 of 7 leases settled, 6 did not run.</p>" in text
        assert '<progress class="progress" max="7" value="1"' in text
        assert "Why they failed" not in text

    def test_offers_to_run_exactly_those(self, console: Client, stopped: Batch) -> None:
        assert buttons(console, stopped) == ["Run the 6 that were not run"]

        answer = console.post(f"{page_url(stopped).removesuffix('change/')}again/", {"state": "pending"}, follow=True)

        assert "Started: 6 leases." in answer.text
        assert owed() == 6

    def test_leads_to_lists_of_exactly_those(self, console: Client, stopped: Batch, leases: list[Lease]) -> None:
        services.resume_failed(Lease.objects.filter(pk=leases[4].pk))
        page = console.get(page_url(stopped)).context["page"]

        assert [(count.label, count.count) for count in page.counts] == [
            ("Waiting", 1),
            ("Not run", 5),
            ("Directory not found", 1),
        ]
        for count in page.counts:
            listed = console.get(count.url).context["cl"]
            assert listed.result_count == len(listed.result_list) == count.count, count

    def test_leads_to_lists_of_exactly_those_while_it_is_under_way(
        self, console: Client, operator: User, batch: Batch, leases: list[Lease]
    ) -> None:
        """What waits is not among what is settled, though it has a result from before."""
        run(leases[2])
        begin(leases[3])
        begin(leases[5])
        failed = Step(transition="fail", arguments={"code": "no_folder", "message": "No folder."})
        take(model=Lease, pk=leases[5].pk, step=failed, actor=Actor.worker("job-3"))
        page = console.get(page_url(batch)).context["page"]

        assert [(count.label, count.count) for count in page.counts] == [
            ("Waiting", 4),
            ("Under way", 1),
            ("Directory not found", 1),
            ("Failed", 1),
        ]
        for count in [*page.counts, *page.failures]:
            assert console.get(count.url).context["cl"].result_count == count.count, count

    @pytest.mark.parametrize(
        ("which", "words"), [("waiting", "waiting"), ("settled", "settled"), ("not_run", "did not run")]
    )
    def test_leads_to_a_list_that_says_so(self, console: Client, stopped: Batch, which: str, words: str) -> None:
        url = f"/admin/leases/lease/?batches={stopped.pk}.{which}"

        (chosen,) = console.get(url).context["cl"].chosen

        assert (chosen.title, chosen.choice) == ("import or run", f"All of them (no. {stopped.pk}): {words}")

    def test_of_which_a_file_has_the_same(self, console: Client, stopped: Batch) -> None:
        answer = console.get(f"/admin/leases/lease/download/csv/?batches={stopped.pk}.not_run")

        rows = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
        assert len(rows) == 1 + 6

    @pytest.mark.parametrize("junk", [".settled", "1.", "1.x", "x.settled", "1.settled.settled"])
    def test_leads_to_the_whole_list_with_what_means_nothing(self, console: Client, junk: str) -> None:
        assert console.get(f"/admin/leases/lease/?batches={junk}")["Location"] == "/admin/leases/lease/?e=1"

    def test_shows_a_change_to_who_follows_it(self, console: Client, operator: User, stopped: Batch) -> None:
        run_again(batch_id=stopped.pk, state=State.PENDING, user=operator, at_most=1)
        url = console.get(page_url(stopped)).context["page"].poll_url

        stop(batch_id=stopped.pk, user=operator)

        assert "Stopped: 1 of 7 leases settled, 6 did not run." in console.get(url).text


class TestHistory:
    def test_says_that_some_did_not_run(
        self, console: Client, operator: User, stopped: Batch, leases: list[Lease]
    ) -> None:
        """Also where nothing is pending, and it is not stopped any more."""
        run_again(batch_id=stopped.pk, state=State.PENDING, user=operator, at_most=1)
        (again,) = Lease.objects.filter(due_at__isnull=False)
        run(again)
        for lease in Lease.objects.filter(state=State.PENDING):
            run(lease)

        assert "some did not run" in console.get(HISTORY).text

    def test_says_it_no_more_once_all_have_run(
        self, console: Client, operator: User, stopped: Batch, leases: list[Lease]
    ) -> None:
        run_again(batch_id=stopped.pk, state=State.PENDING, user=operator)
        for lease in leases[1:]:
            run(lease)

        text = console.get(HISTORY).text

        assert ">settled<" in text
        assert "some did not run" not in text
