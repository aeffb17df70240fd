"""Many at once: claimed, worked on and committed together, each with its own outcome."""

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.ops import tally
from statemachine import doorbell
from statemachine.models import TransitionLog
from statemachine.reactions import Ending, Endings, GoOn, Outcome, Run
from statemachine.transitions import RECONCILER, Step, take
from tests.statemachine.conftest import history, in_s, message, owed
from tests.statemachine.sets import AT_MOST, BOILED, Cracked, Draught, Sets, all_of, by_label, run, states
from tests.toy.models import Kettle, State

if TYPE_CHECKING:
    from core.base.errors import RunsheetError

pytestmark = pytest.mark.django_db


class TestASet:
    def test_is_done_by_one_message_and_each_has_its_row_of_the_log(self, sets: Sets) -> None:
        kettles = [owed() for _ in range(3)]

        assert run(message(kettles[0])) == "ready"

        assert sets.seen == [[kettle.pk for kettle in kettles]]
        assert states() == ["ready"] * 3
        assert [history(kettle) for kettle in kettles] == [["boiled"]] * 3
        assert set(TransitionLog.objects.values_list("job_id", flat=True)) == {f"toy_kettle-{kettles[0].pk}-heating-1"}
        assert not Kettle.objects.filter(claimed_until__isnull=False).exists()

    def test_is_of_those_only_that_are_alike_and_due_and_free(self, sets: Sets) -> None:
        first, other = owed(), owed()
        owed(litres=7)
        owed(background=True)
        owed(claimed_until=in_s(30))
        owed(due_at=in_s(30))
        owed(state="ready", due_at=None)

        run(message(first))

        assert sets.seen == [[first.pk, other.pk]]

    def test_takes_over_what_was_rung_for(self, sets: Sets) -> None:
        first, rung = owed(), owed(rung_at=timezone.now(), due_at=in_s(30))
        stale = message(rung)

        run(message(first))

        assert run(stale) == "stale"
        assert sets.seen == [[first.pk, rung.pk]]

    def test_is_no_larger_than_it_may_be_and_takes_the_first_in_line(self, sets: Sets) -> None:
        kettles = [owed(turn=100 - number) for number in range(AT_MOST + 5)]

        run(message(kettles[0]))

        assert sets.seen == [[kettles[0].pk, *[kettle.pk for kettle in reversed(kettles)][: AT_MOST - 1]]]

    def test_starts_those_whose_start_is_owed(self, sets: Sets) -> None:
        begun = owed(background=True)
        idle = [Kettle.objects.create(), Kettle.objects.create()]
        Kettle.objects.create(due_at=None)
        Kettle.objects.create(due_at=in_s(30))

        run(message(begun))

        assert sets.seen == [[begun.pk, *[kettle.pk for kettle in idle]]]
        assert [history(kettle) for kettle in idle] == [["switch_on", "boiled"]] * 2

    def test_leaves_out_what_cannot_be_started(self, sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, idle = owed(background=True), Kettle.objects.create()
        monkeypatch.setattr(Kettle, "start_transition", "no_such_thing")
        monkeypatch.setattr("statemachine.sets.started_states", lambda _model: {State.HEATING})

        assert run(message(begun)) == "ready"

        assert history(idle) == []

    def test_of_a_state_that_no_start_leads_to_starts_none(self, sets: Sets) -> None:
        sets.work_as(all_of(Outcome(transition="poured")), state=State.STEEPING)
        steeping = owed(state="steeping", background=True)
        Kettle.objects.create()

        run(message(steeping))

        assert sets.seen == [[steeping.pk]]

    def test_writes_what_belongs_to_each_and_to_all(self, sets: Sets) -> None:
        written: list[list[int]] = []

        def react(runs: list[Run[Kettle]]) -> Endings:
            litres = {run.record.pk: number for number, run in enumerate(runs, start=1)}
            ending = Outcome(transition="boiled", record=lambda kettle: {"litres": litres[kettle.pk]})
            each: list[Ending | RunsheetError] = [Cracked(), *[ending] * (len(runs) - 1)]
            return Endings(each=each, record=lambda kettles: written.append([kettle.pk for kettle in kettles]))

        sets.work_as(react)
        kettles = [owed(litres=5) for _ in range(3)]

        run(message(kettles[0]))

        assert list(Kettle.objects.order_by("pk").values_list("litres", flat=True)) == [5, 2, 3]
        assert written == [[kettles[1].pk, kettles[2].pk]]

    def test_may_go_on_in_slices(self, sets: Sets) -> None:
        sets.work_as(all_of(GoOn(record=lambda kettle: setattr(kettle, "label", "warm"))), key=())
        in_background = [owed(background=True) for _ in range(2)]
        by_hand = [owed() for _ in range(2)]

        assert [run(message(each)) for each in (in_background[0], by_hand[0])] == ["heating", "heating"]

        assert list(Kettle.objects.values_list("label", "tries", "claimed_until")) == [("warm", 0, None)] * 4
        turns = list(Kettle.objects.order_by("pk").values_list("turn", flat=True))
        assert turns[1] == turns[0] + 1, "one after the other, as of one order"
        assert turns[3] == turns[2] + 1

    def test_is_counted(self, sets: Sets) -> None:
        kettles = [owed() for _ in range(3)]

        run(message(kettles[0]))

        counters = tally.read().counters
        of = (("machine", "toy.kettle"), ("state", "heating"))
        assert (counters["sets"][of], counters["tries"][of]) == (1, 3)

    def test_costs_as_many_statements_however_many_there_are(
        self, sets: Sets, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        sets.work_as(by_label(bad=Draught(), slice=GoOn()))
        costs = []
        for each in (1, 3):
            kettles = [owed(label=label, background=True) for label in ("", "bad", "slice") for _ in range(each)]
            with CaptureQueriesContext(connection) as asked, django_capture_on_commit_callbacks(execute=True):
                run(message(kettles[0]))
            costs.append(len(asked))
            Kettle.objects.update(due_at=None)

        assert [len(seen) for seen in sets.seen] == [3, 9]
        assert costs[0] == costs[1]


class TestAFence:
    def test_that_is_lost_leaves_its_row_out(self, sets: Sets) -> None:
        def cancelling(runs: list[Run[Kettle]]) -> Endings:
            take(model=Kettle, pk=runs[1].record.pk, step=Step(transition="cancel"), actor=RECONCILER)
            return Endings(each=[BOILED] * len(runs), record=lambda kettles: seen.extend(each.pk for each in kettles))

        seen: list[int] = []
        sets.work_as(cancelling)
        kettles = [owed() for _ in range(3)]

        assert run(message(kettles[0])) == "ready"

        assert states() == ["ready", "cold", "ready"]
        assert history(kettles[1]) == ["cancel"]
        assert seen == [kettles[0].pk, kettles[2].pk]

    def test_of_a_row_that_is_gone(self, sets: Sets) -> None:
        def deleting(runs: list[Run[Kettle]]) -> Endings:
            Kettle.objects.filter(pk=runs[1].record.pk).delete()
            return Endings(each=[BOILED] * len(runs))

        sets.work_as(deleting)
        kettles = [owed() for _ in range(3)]

        assert run(message(kettles[0])) == "ready"
        assert states() == ["ready"] * 2

    def test_of_all_is_lost(self, sets: Sets) -> None:
        def redispatched(runs: list[Run[Kettle]]) -> Endings:
            Kettle.objects.update(generation=9)
            runs[0].hold.renewed_at -= 60
            runs[0].keep_claim()
            return pytest.fail("went on without the claims")

        sets.work_as(redispatched)
        kettles = [owed() for _ in range(2)]

        assert run(message(kettles[0])) == "stale"

    def test_is_renewed_for_all_that_are_left(self, sets: Sets) -> None:
        def slowly(runs: list[Run[Kettle]]) -> Endings:
            Kettle.objects.filter(pk=runs[2].record.pk).update(generation=9)
            Kettle.objects.update(claimed_until=in_s(1))
            runs[0].hold.renewed_at -= 60
            runs[0].keep_claim()
            renewed.extend(Kettle.objects.filter(claimed_until__gt=in_s(5)).values_list("pk", flat=True))
            return Endings(each=[BOILED] * len(runs))

        renewed: list[int] = []
        sets.work_as(slowly)
        kettles = [owed() for _ in range(3)]

        run(message(kettles[0]))

        assert sorted(renewed) == [kettles[0].pk, kettles[1].pk]


class TestWhatFollows:
    STEEP = Outcome(transition="boiled", record=lambda _: {"litres": 3}, then="steep", carry="hot")

    def test_is_worked_on_together_too(self, sets: Sets) -> None:
        carried: list[Any] = []

        def steep(runs: list[Run[Kettle]]) -> Endings:
            carried.extend(run.carry for run in runs)
            return Endings(each=[Outcome(transition="poured")] * len(runs))

        sets.work_as(all_of(self.STEEP))
        sets.work_as(steep, state=State.STEEPING)
        kettles = [owed() for _ in range(3)]

        assert run(message(kettles[0])) == "ready"

        assert carried == ["hot"] * 3
        assert [history(kettle) for kettle in kettles] == [["boiled", "steep", "poured"]] * 3
        assert len(sets.seen) == 2

    def test_is_worked_on_one_by_one_where_that_is_how_it_is_done(self, sets: Sets, work: Any) -> None:
        def steep(run: Run[Kettle]) -> Ending:
            if run.record.label == "cancelled":
                take(model=Kettle, pk=run.record.pk, step=Step(transition="cancel"), actor=RECONCILER)
            return Outcome(transition=str(1 // (run.record.label != "bad") and "poured"))

        work["steep"] = steep
        sets.work_as(all_of(self.STEEP))
        kettles = [owed(), owed(label="bad"), owed(label="cancelled"), owed()]

        with pytest.raises(ZeroDivisionError):
            run(message(kettles[0]))

        assert states() == ["ready", "broken", "cold", "ready"]

    def test_may_lead_on_again(self, sets: Sets, work: Any) -> None:
        """From a state worked on together, over one that is not, and so on."""
        work["steep"] = lambda _run: Outcome(transition="poured", then="switch_on")
        taken: list[int] = []

        def heat(runs: list[Run[Kettle]]) -> Endings:
            taken.append(len(runs))
            return Endings(each=[self.STEEP if len(taken) == 1 else BOILED] * len(runs))

        sets.work_as(heat)
        kettles = [owed() for _ in range(2)]

        assert run(message(kettles[0])) == "ready"
        assert history(kettles[1]) == ["boiled", "steep", "poured", "switch_on", "boiled"]


def test_rings_nobody(sets: Sets) -> None:
    kettles = [owed() for _ in range(2)]

    run(message(kettles[0]))

    assert doorbell.waiting_count("toy") == 0
