"""Sets on PostgreSQL with real transactions; each contender has a connection of its own."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone

from statemachine.models import TransitionLog
from statemachine.reactions import Endings, Outcome, Run, Together
from statemachine.reconcile import reconcile
from statemachine.transitions import RECONCILER, Step, take
from tests.statemachine.conftest import history, owed
from tests.statemachine.test_concurrency import _closing, at_once, locking, run
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worked(declared: Callable[..., None]) -> Counter[int]:
    """How often each kettle was worked on; all that heat are alike, seven at most are done together."""
    counted: Counter[int] = Counter()

    def heat(runs: list[Run[Kettle]]) -> Endings:
        counted.update(run.record.pk for run in runs)
        return Endings(each=[Outcome(transition="boiled")] * len(runs))

    declared("heating", react=heat, together=Together(at_most=7, key=("label",)))
    return counted


class TestAtTheSameTime:
    def test_many_workers_do_each_row_once(self, worked: Counter[int]) -> None:
        kettles = [owed(label=str(number % 2)) for number in range(40)]

        at_once(*[run(kettle) for kettle in kettles[:12]], reconcile)
        for kettle in kettles:
            if not history(kettle):
                run(kettle)()

        assert set(Kettle.objects.values_list("state", flat=True)) == {"ready"}
        assert worked == Counter(dict.fromkeys([kettle.pk for kettle in kettles], 1))
        assert TransitionLog.objects.count() == len(kettles)

    def test_cancels_and_sets_leave_one_of_them_for_each_row(self, worked: Counter[int]) -> None:
        kettles = [owed() for _ in range(14)]

        def cancel(kettle: Kettle) -> Callable[[], object]:
            step = Step(transition="cancel")
            return lambda: take(model=Kettle, pk=kettle.pk, step=step, actor=RECONCILER)

        at_once(run(kettles[0]), run(kettles[7]), *[cancel(kettle) for kettle in kettles[2:6]])

        assert all(history(kettle) in (["boiled"], ["cancel"], []) for kettle in kettles)


class TestARowThatSomebodyHolds:
    def test_is_left_out_of_a_set_and_of_nothing_else(self, worked: Counter[int]) -> None:
        first, held, other = owed(), owed(), owed()

        with locking(held):
            assert run(first)() == "ready"

        assert [history(kettle) for kettle in (first, held, other)] == [["boiled"], [], ["boiled"]]

    def test_when_they_are_committed_is_committed_alone_once_it_is_free(self, declared: Callable[..., None]) -> None:
        free = threading.Event()
        locked = threading.Event()

        def somebody(kettle: Kettle) -> None:
            with locking(kettle):
                locked.set()
                assert free.wait(10)

        def heat(runs: list[Run[Kettle]]) -> Endings:
            pool.submit(somebody, runs[1].record)
            assert locked.wait(10)
            return Endings(each=[Outcome(transition="boiled")] * len(runs), record=lambda _: free.set())

        declared("heating", react=heat, together=Together(at_most=7, key=()))
        kettles = [owed() for _ in range(3)]
        with ThreadPoolExecutor(1) as pool:
            assert run(kettles[0])() == "ready"

        assert [history(kettle) for kettle in kettles] == [["boiled"]] * 3


class TestTheZombie:
    def test_that_wakes_after_one_of_its_rows_was_redispatched_writes_the_others_only(
        self, declared: Callable[..., None]
    ) -> None:
        asleep, wake = threading.Event(), threading.Event()

        def sleeper(runs: list[Run[Kettle]]) -> Endings:
            asleep.set()
            assert wake.wait(10)
            return Endings(each=[Outcome(transition="boiled", record=lambda _: {"litres": 99})] * len(runs))

        def quick(runs: list[Run[Kettle]]) -> Endings:
            return Endings(each=[Outcome(transition="boiled", record=lambda _: {"litres": 1})] * len(runs))

        together = Together(at_most=7, key=())
        declared("heating", react=sleeper, together=together)
        kettles = [owed() for _ in range(3)]
        with ThreadPoolExecutor(1) as pool:
            zombie = pool.submit(_closing, run(kettles[0]))
            assert asleep.wait(10)
            declared("heating", react=quick, together=together)
            Kettle.objects.filter(pk=kettles[1].pk).update(claimed_until=timezone.now(), due_at=timezone.now())
            reconcile()
            assert run(kettles[1])() == "ready"
            wake.set()
            assert zombie.result(10) == "ready"

        assert list(Kettle.objects.order_by("pk").values_list("litres", flat=True)) == [99, 1, 99]
        assert [history(kettle) for kettle in kettles] == [["boiled"]] * 3
