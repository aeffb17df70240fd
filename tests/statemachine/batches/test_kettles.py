"""Many kettles at once: run, stopped, run again, with what a worker does in between."""

import pytest
from django.contrib.auth.models import User

from console.models import FailureNotice
from statemachine.batches import (
    Progress,
    Stopped,
    batch_of,
    batches_of,
    failures_of,
    items_of,
    made_with,
    make_many,
    passed_over_by,
    progress_of,
    run_again,
    run_many,
    stop,
    which_of,
)
from statemachine.errors import BatchGone, ChoiceChanged, NothingToStart, TransitionForbidden
from statemachine.models import Batch as AnyBatch
from statemachine.transitions import RECONCILER, Step, take
from tests.toy.models import Batch, BatchKettle, Kettle

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(db: None) -> list[Kettle]:
    return [Kettle.objects.create(label=str(number), due_at=None) for number in range(3)]


@pytest.fixture
def batch(row: list[Kettle], cook: User) -> AnyBatch:
    return run_many(Kettle.objects.all(), cook)


def begin(kettle: Kettle) -> None:
    take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=RECONCILER)


def boil(kettle: Kettle) -> None:
    begin(kettle)
    take(model=Kettle, pk=kettle.pk, step=Step(transition="boiled"), actor=RECONCILER)


def let_break(kettle: Kettle) -> None:
    begin(kettle)
    arguments = {"code": "no_water", "message": "Empty."}
    take(model=Kettle, pk=kettle.pk, step=Step(transition="fail", arguments=arguments), actor=RECONCILER)


class TestMembership:
    def test_is_found_from_the_machine(self) -> None:
        assert (items_of(Kettle), batch_of(Kettle)) == (BatchKettle, Batch)

    def test_of_a_machine_without_batches_is_said_to_be_missing(self) -> None:
        assert batch_of(FailureNotice) is AnyBatch
        with pytest.raises(LookupError, match=r"console\.FailureNotice has no BatchItem"):
            items_of(FailureNotice)

    def test_tells_what_made_and_what_ran_a_record(self, cook: User) -> None:
        made = make_many(machine=Kettle, records=[Kettle(label="new")], user=cook, title="kettles.csv")
        kettle = Kettle.objects.get()
        boil(kettle)
        later = run_many(Kettle.objects.all(), cook)

        assert list(batches_of(kettle)) == [later, made]
        assert made_with(kettle) == made
        assert str(made) == "Import: kettles.csv"
        assert str(BatchKettle.objects.earliest("pk")) == f"{kettle.pk} of {made.pk}"

    def test_of_what_somebody_made_by_hand_is_none(self, row: list[Kettle]) -> None:
        assert (made_with(row[0]), passed_over_by(row[0])) == (None, None)


class TestRunMany:
    def test_owes_each_its_run_and_remembers_whose_it_was(self, row: list[Kettle], batch: AnyBatch, cook: User) -> None:
        assert (batch.title, batch.size, batch.record_type) == ("Run of 3 kettles", 3, "toy.kettle")
        kettles = Kettle.objects.order_by("pk")
        assert {kettle.owed_by_id for kettle in kettles} == {batch.pk}
        assert {kettle.initiated_by for kettle in kettles} == {cook}
        assert [kettle.turn for kettle in kettles] == sorted({kettle.turn for kettle in kettles})

    def test_is_for_who_may_boil(self, row: list[Kettle], guest: User) -> None:
        with pytest.raises(TransitionForbidden, match="permission to boil water"):
            run_many(Kettle.objects.all(), guest)

    def test_takes_nothing_if_they_are_others_by_now(self, row: list[Kettle], cook: User) -> None:
        which = which_of(Kettle.objects.exclude(pk=row[0].pk))

        with pytest.raises(ChoiceChanged, match="the kettles have changed"):
            run_many(Kettle.objects.all(), cook, which=which)

        assert not Batch.objects.exists()

    def test_leaves_what_is_owed_a_run_already(self, batch: AnyBatch, cook: User) -> None:
        with pytest.raises(NothingToStart, match="each of these kettles is under way"):
            run_many(Kettle.objects.all(), cook)

    def test_finds_nothing_in_nothing(self, cook: User) -> None:
        with pytest.raises(NothingToStart):
            run_many(Kettle.objects.none(), cook)


class TestProgress:
    def test_counts_each_kettle_once(self, row: list[Kettle], batch: AnyBatch) -> None:
        boil(row[0])
        begin(row[1])

        assert progress_of(batch) == Progress(settled={"ready": 1}, under_way=1, waiting=1, stoppable=2)

    def test_tells_what_they_broke_for(self, row: list[Kettle], batch: AnyBatch) -> None:
        let_break(row[0])

        assert progress_of(batch).settled == {"broken": 1}
        assert failures_of(batch) == [("no_water", 1)]


class TestStop:
    def test_calls_off_what_waits_and_cancels_what_is_under_way(
        self, row: list[Kettle], batch: AnyBatch, cook: User
    ) -> None:
        boil(row[0])
        begin(row[1])

        assert stop(batch_id=batch.pk, user=cook) == Stopped(count=2, left=0)
        assert progress_of(batch) == Progress(settled={"ready": 1}, not_run=2)
        assert not Kettle.objects.filter(due_at__isnull=False).exists()
        assert passed_over_by(Kettle.objects.get(pk=row[2].pk)) == batch
        assert passed_over_by(Kettle.objects.get(pk=row[0].pk)) is None

    def test_of_none_says_so(self, cook: User) -> None:
        with pytest.raises(BatchGone):
            stop(batch_id=0, user=cook)
        with pytest.raises(BatchGone):
            run_again(batch_id=0, state="broken", user=cook)

    def test_is_for_who_may_boil(self, batch: AnyBatch, guest: User) -> None:
        with pytest.raises(TransitionForbidden):
            stop(batch_id=batch.pk, user=guest)


class TestStopWithoutTheRightToCancel:
    def test_changes_nothing(
        self, row: list[Kettle], batch: AnyBatch, cook: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who may start kettles need not be who may stop them."""
        begin(row[0])
        for way in Kettle._transitions("cancel"):
            monkeypatch.setattr(way, "permission", "toy.delete_kettle")

        with pytest.raises(TransitionForbidden):
            stop(batch_id=batch.pk, user=cook)

        batch.refresh_from_db()
        assert batch.stopped_at is None
        assert Kettle.objects.filter(due_at__isnull=False).count() == 3


class TestRunAgain:
    def test_takes_what_did_not_run(self, row: list[Kettle], batch: AnyBatch, cook: User) -> None:
        boil(row[0])
        stop(batch_id=batch.pk, user=cook)

        assert run_again(batch_id=batch.pk, state="cold", user=cook) == 2
        assert progress_of(batch) == Progress(settled={"ready": 1}, waiting=2, stoppable=2)

    def test_takes_no_more_than_the_person_was_told_of(self, row: list[Kettle], batch: AnyBatch, cook: User) -> None:
        for kettle in row:
            let_break(kettle)

        assert run_again(batch_id=batch.pk, state="broken", user=cook, at_most=2) == 2
