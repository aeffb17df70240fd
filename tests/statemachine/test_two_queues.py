"""A machine whose states have queues of their own: each queue has a line of its own."""

from collections.abc import Callable

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import Redis

from statemachine import doorbell, jobs, line
from statemachine.line import count_before, next_in_line, turn_now
from statemachine.reconcile import reconcile
from statemachine.transitions import RECONCILER, Step, take
from tests.statemachine.conftest import owed
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db


class TestTwoQueues:
    """Steeping has a queue of its own, and so a pool of its own."""

    @pytest.fixture(autouse=True)
    def _apart(self, declared: Callable[..., None], redis: Redis) -> None:
        declared("steeping", queue="other")

    def test_have_a_line_each(self) -> None:
        heating, steeping, cold = owed(), owed(state="steeping", litres=1), Kettle.objects.create()

        assert next_in_line("toy", limit=16) == [heating, cold], "a start is owed where it leads to"
        assert next_in_line("other", limit=16) == [steeping]

    def test_are_topped_up_each_by_itself(self) -> None:
        for state in ("heating", "steeping", "cold"):
            owed(state=state)

        reconcile()

        assert [doorbell.waiting_count(queue) for queue in ("toy", "other")] == [2, 1]

    def test_hand_a_row_over_with_its_place(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        kettle = owed(litres=1)
        jobs.run("toy.kettle", kettle.pk, "heating", 1)

        with django_capture_on_commit_callbacks(execute=True):
            take(model=Kettle, pk=kettle.pk, step=Step(transition="steep"), actor=RECONCILER)

        assert [doorbell.waiting_count(queue) for queue in ("toy", "other")] == [0, 1]

    def test_have_a_turn_each(self) -> None:
        heating = [owed(background=True, turn=turn).turn for turn in (7, 8)]
        steeping = owed(state="steeping", background=True, turn=5_000)

        assert (turn_now(Kettle), line.turn_at("other")) == (heating[-1], steeping.turn)

    def test_count_those_before_a_row_in_its_own_line(self) -> None:
        owed()
        first, second = (owed(state="steeping") for _ in range(2))

        assert count_before(Kettle, pk=second.pk, queue="other", background=False, turn=second.turn, at_most=9) == 1
        assert count_before(Kettle, pk=first.pk, queue="other", background=False, turn=first.turn, at_most=9) == 0
