"""Many at once, of which some fail, or all: who is to blame, and what becomes of the others."""

from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError
from rq import Retry

from core.base.errors import RunsheetError, SoftTimeLimit, WorkerStopping
from statemachine.models import StateMachine, TransitionLog
from statemachine.reactions import Endings, Outcome, Run
from statemachine.reconcile import reconcile
from tests.statemachine.conftest import history, in_s, message, owed
from tests.statemachine.sets import BOILED, Cracked, Draught, Pause, Sets, all_of, by_label, run, states
from tests.toy.models import Kettle, State

pytestmark = pytest.mark.django_db


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

        def note(kettle: Kettle, error: RunsheetError) -> None:
            gave_up.append(f"{kettle.label} {error.code} {Kettle.objects.get(pk=kettle.pk).state}")

        sets._declared(State.HEATING, gave_up=note)
        good, bad, other = owed(), owed(label="bad"), owed()

        assert run(message(good)) == "ready"

        assert states() == ["ready", "broken", "ready"]
        assert gave_up == ["bad cracked broken"]
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


class TestUnasked:
    def test_the_others_are_left_when_the_database_cannot_say(
        self, sets: Sets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_: object, **__: object) -> list[Kettle]:
            raise OperationalError("the server closed the connection unexpectedly")

        monkeypatch.setattr("statemachine.sets._claim_alike", away)
        first, _ = owed(), owed()

        assert run(message(first)) == "ready"
        assert states() == ["ready", "heating"]

    def test_a_bug_is_one(self, sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
        def wrong(*_: object, **__: object) -> list[Kettle]:
            raise ProgrammingError("column is missing")

        monkeypatch.setattr("statemachine.sets._claim_alike", wrong)

        with pytest.raises(ProgrammingError):
            run(message(owed()))


class TestWanted:
    """How many a set should have, the reaction says with the first row of it."""

    @pytest.mark.parametrize(("wanted", "together"), [(0, 1), (1, 1), (2, 2), (99, 3)])
    def test_is_how_many_it_has(self, sets: Sets, wanted: int, together: int) -> None:
        sets.work_as(all_of(BOILED), wanted=lambda _kettle: wanted)
        kettles = [owed(litres=3) for _ in range(3)]

        run(message(kettles[0]))

        assert [len(seen) for seen in sets.seen] == [together]

    def test_that_cannot_be_told_is_one(self, sets: Sets, caplog: pytest.LogCaptureFixture) -> None:
        def wrong(_kettle: Kettle) -> int:
            raise ValueError("what a bug")

        sets.work_as(all_of(BOILED), wanted=wrong)
        first, _ = owed(), owed()

        assert run(message(first)) == "ready"
        assert states() == ["ready", "heating"]
        assert "cannot tell how many it wants" in caplog.text

    def test_is_one_where_the_database_cannot_say(self, sets: Sets) -> None:
        def away(_kettle: Kettle) -> int:
            raise OperationalError("the server closed the connection unexpectedly")

        sets.work_as(all_of(BOILED), wanted=away)
        first, _ = owed(), owed()

        assert run(message(first)) == "ready"
        assert states() == ["ready", "heating"]
