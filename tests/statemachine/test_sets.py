"""Many at once: claimed, worked on and committed together, each with its own outcome."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from rq import Retry

from core.base.errors import Permanent, RunsheetError, SoftTimeLimit, Temporary, WorkerStopping
from core.ops import tally
from statemachine import doorbell, jobs
from statemachine.doorbell import Message
from statemachine.models import StateMachine, TransitionLog
from statemachine.reactions import Ending, Endings, GoOn, Outcome, Run, Together
from statemachine.reconcile import reconcile
from statemachine.transitions import RECONCILER, Step, take
from tests.statemachine.conftest import history, in_s, message, owed
from tests.toy.models import Kettle, State

pytestmark = pytest.mark.django_db

AT_MOST = 10
BOILED = Outcome(transition="boiled")
type React = Callable[[list[Run[Kettle]]], Endings]
type Declare = Callable[..., None]


class Draught(Temporary):
    """There is a draught."""

    code = "draught"


class Pause(Draught):
    costs_try = False


class Cracked(Permanent):
    """It has a crack."""

    code = "cracked"


def run(ringing: Message) -> Any:
    return jobs.run(ringing.label, ringing.pk, ringing.state, ringing.generation)


def all_of(ending: Ending) -> React:
    return lambda runs: Endings(each=[ending] * len(runs))


def by_label(**endings: Any) -> React:
    """Each ends as its label says; others boil."""
    return lambda runs: Endings(each=[endings.get(run.record.label, BOILED) for run in runs])


def states() -> list[str]:
    return list(Kettle.objects.order_by("pk").values_list("state", flat=True))


class Sets:
    """The sets that came to the reaction, by the keys of their rows."""

    def __init__(self, declared: Declare) -> None:
        self.seen: list[list[int]] = []
        self._declared = declared

    def work_as(self, react: React, *, state: str = State.HEATING, key: tuple[str, ...] = ("litres",)) -> None:
        def noting(runs: list[Run[Kettle]]) -> Endings:
            self.seen.append([run.record.pk for run in runs])
            return react(runs)

        self._declared(state, react=noting, together=Together(at_most=AT_MOST, key=key))


@pytest.fixture
def sets(declared: Declare, monkeypatch: pytest.MonkeyPatch) -> Sets:
    """All that heat are worked on together, if they hold as many litres."""
    monkeypatch.setattr(jobs, "top_up", lambda _queue: None)
    made = Sets(declared)
    made.work_as(all_of(BOILED))
    return made


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


class TestItsTries:
    def test_are_worked_on_alone_from_the_second_one_on(self, sets: Sets) -> None:
        """Whoever was in a set that killed its worker might do it again."""
        fresh, again = owed(), owed(tries=1)
        second = owed(tries=1)

        run(message(fresh))
        run(message(again))
        run(message(second))

        assert sets.seen == [[fresh.pk], [again.pk], [second.pk]]

    def test_are_lost_with_their_worker_each_by_itself(self, sets: Sets) -> None:
        kettles = [owed(tries=1, claimed_until=in_s(-1), due_at=in_s(-1)) for _ in range(2)]

        assert reconcile().dispatched == 2
        for kettle in kettles:
            run(message(kettle))

        assert states() == ["ready"] * 2
        assert sets.seen == [[kettle.pk] for kettle in kettles]


class TestABadRow:
    def test_fails_alone(self, sets: Sets) -> None:
        gave_up: list[str] = []
        sets.work_as(by_label(bad=Cracked()))
        sets._declared(State.HEATING, gave_up=lambda kettle, error: gave_up.append(f"{kettle.label} {error.code}"))
        good, bad, other = owed(), owed(label="bad"), owed()

        assert run(message(good)) == "ready"

        assert states() == ["ready", "broken", "ready"]
        assert gave_up == ["bad cracked"]
        assert TransitionLog.objects.of(bad).get().reason == "It has a crack."
        assert history(other) == ["boiled"]

    def test_is_put_back_alone(self, sets: Sets) -> None:
        sets.work_as(by_label(bad=Draught(), paused=Pause()))
        kettles = [owed(), owed(label="bad"), owed(label="paused")]

        run(message(kettles[0]))

        assert states() == ["ready", "heating", "heating"]
        rows = list(Kettle.objects.order_by("pk").values_list("tries", "failure_code", "claimed_until")[1:])
        assert rows == [(1, "draught", None), (0, "draught", None)]
        assert Kettle.objects.get(label="bad").failure_message == "There is a draught. It is tried again by itself."

    def test_is_brought_again_by_the_queue_if_the_message_was_about_it(self, sets: Sets) -> None:
        sets.work_as(by_label(bad=Draught()))
        bad, other = owed(label="bad"), owed(background=True, label="bad")

        assert isinstance(run(message(bad)), Retry)
        assert run(message(other)) == "waiting"

    def test_fails_when_its_budget_is_spent(self, sets: Sets) -> None:
        sets.work_as(by_label(bad=Draught()))
        bad = owed(label="bad", tries=2)

        assert run(message(bad)) == "broken"
        assert TransitionLog.objects.get().reason == "There is a draught. It was tried 3 times."

    def test_that_cannot_be_written_spoils_no_other(self, sets: Sets) -> None:
        def note(kettle: Kettle) -> dict[str, Any]:
            if kettle.label == "bad":
                raise Cracked
            return {}

        sets.work_as(all_of(Outcome(transition="boiled", record=note)))
        good, bad, other = owed(), owed(label="bad"), owed()

        assert run(message(good)) == "ready"

        assert states() == ["ready", "broken", "ready"]
        assert [history(kettle) for kettle in (bad, other)] == [["fail"], ["boiled"]]
        assert len(sets.seen) == 1, "the work is not done again"

    def test_with_a_bug_fails_alone_and_the_bug_is_raised(self, sets: Sets) -> None:
        def note(kettle: Kettle) -> dict[str, Any]:
            return {"litres": 1 // (kettle.label != "bad")}

        sets.work_as(all_of(Outcome(transition="boiled", record=note)))
        good, _, _ = owed(), owed(label="bad"), owed()

        with pytest.raises(ZeroDivisionError):
            run(message(good))

        assert states() == ["ready", "broken", "ready"]
        assert Kettle.objects.get(label="bad").failure_code == "bug"

    def test_whose_giving_up_fails_spoils_no_other(self, sets: Sets) -> None:
        def refuse(_kettle: StateMachine, _error: Exception) -> None:
            raise ZeroDivisionError

        sets.work_as(by_label(bad=Cracked()))
        sets._declared(State.HEATING, gave_up=refuse)
        good, bad, _ = owed(), owed(label="bad"), owed()

        with pytest.raises(ZeroDivisionError):
            run(message(good))

        assert states() == ["ready", "heating", "ready"]
        assert Kettle.objects.get(pk=bad.pk).claimed_until is not None, "until that has run out"


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


class TestASetThatFails:
    def test_is_worked_on_one_by_one(self, sets: Sets) -> None:
        def refusing_many(runs: list[Run[Kettle]]) -> Endings:
            if len(runs) > 1:
                raise Cracked
            return by_label(bad=Draught())(runs)

        sets.work_as(refusing_many)
        kettles = [owed(), owed(label="bad"), owed()]

        assert run(message(kettles[0])) == "ready"

        assert states() == ["ready", "heating", "ready"]
        assert sets.seen == [[each.pk for each in kettles], *([each.pk] for each in kettles)]

    def test_for_a_bad_row_finds_out_which(self, sets: Sets) -> None:
        def stumbling(runs: list[Run[Kettle]]) -> Endings:
            if any(each.record.label == "bad" for each in runs):
                raise ZeroDivisionError
            return all_of(BOILED)(runs)

        sets.work_as(stumbling)
        good, _, _ = owed(), owed(label="bad"), owed()

        with pytest.raises(ZeroDivisionError):
            run(message(good))

        assert states() == ["ready", "broken", "ready"]

    def test_for_want_of_endings_is_a_bug_of_each(self, sets: Sets) -> None:
        sets.work_as(lambda runs: Endings(each=[BOILED] * (len(runs) + 1)))
        kettles = [owed() for _ in range(2)]

        with pytest.raises(AssertionError, match="1 runs were given, but 2 endings"):
            run(message(kettles[0]))

        assert states() == ["broken", "broken"]

    @pytest.mark.parametrize(
        ("error", "tries", "code"),
        [(Pause(), 0, "draught"), (WorkerStopping(), 0, "worker_stopped"), (SoftTimeLimit(), 1, "took_too_long")],
    )
    def test_for_what_no_row_is_to_blame_for_is_put_back(
        self, sets: Sets, error: BaseException, tries: int, code: str
    ) -> None:
        def failing(_runs: list[Run[Kettle]]) -> Endings:
            raise error

        sets.work_as(failing)
        kettles = [owed() for _ in range(3)]

        run(message(kettles[0]))

        assert set(Kettle.objects.values_list("state", "tries", "failure_code")) == {("heating", tries, code)}
        assert len(sets.seen) == 1

    def test_puts_the_rest_back_when_its_worker_is_to_stop(self, sets: Sets) -> None:
        def stopping(runs: list[Run[Kettle]]) -> Endings:
            if len(runs) > 1:
                raise Cracked
            if runs[0].record.label == "then":
                raise WorkerStopping
            return all_of(BOILED)(runs)

        sets.work_as(stopping)
        kettles = [owed(), owed(label="then"), owed()]

        run(message(kettles[0]))

        stopped = ("heating", 0, "worker_stopped")
        assert states()[0] == "ready"
        assert list(Kettle.objects.order_by("pk").values_list("state", "tries", "failure_code")[1:]) == [stopped] * 2


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


class TestUnasked:
    def test_the_others_are_left_when_the_database_cannot_say(
        self, sets: Sets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object) -> list[Kettle]:
            raise OperationalError("the server closed the connection unexpectedly")

        monkeypatch.setattr("statemachine.sets._claim_alike", away)
        first, _ = owed(), owed()

        assert run(message(first)) == "ready"
        assert states() == ["ready", "heating"]

    def test_a_bug_is_one(self, sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
        def wrong(*_: object) -> list[Kettle]:
            raise ProgrammingError("column is missing")

        monkeypatch.setattr("statemachine.sets._claim_alike", wrong)

        with pytest.raises(ProgrammingError):
            run(message(owed()))


def test_rings_nobody(sets: Sets) -> None:
    kettles = [owed() for _ in range(2)]

    run(message(kettles[0]))

    assert doorbell.waiting_count("toy") == 0
