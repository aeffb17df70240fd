"""What no database takes is a bug like any other: it is told, and the work is not begun again and again."""

from typing import Any

import pytest
from django.db import transaction

from core.base.clock import now
from core.base.errors import Permanent, RunsheetError, Temporary
from leases.models import Lease
from statemachine.errors import Bug
from statemachine.models import NEXT_TURN, TransitionLog
from statemachine.reactions import Endings, GoOn, Run
from statemachine.transitions import locked_all, save_all
from tests.factories import settled
from tests.statemachine.conftest import history, message, owed
from tests.statemachine.sets import BOILED, Draught, Sets, run, states
from tests.toy.models import Kettle
from tests.toy.reactions import Work

NUL = "a\x00b"


class Cracked(Permanent):
    """It has a crack."""

    code = "cracked_with_a_text"


class Draughty(Temporary):
    """There is a draught."""

    code = "draught_with_a_text"


@pytest.mark.django_db(transaction=True)
class TestAFailure:
    @pytest.mark.parametrize(
        "error",
        [
            Cracked(NUL),
            Cracked(evidence={"heard": NUL}),
            Cracked(evidence={"heard": object()}),
            Draughty(NUL),
        ],
        ids=["sentence", "evidence", "no JSON", "of a try"],
    )
    def test_that_cannot_be_kept_fails_the_record(self, work: Work, error: RunsheetError) -> None:
        def heat(_run: Run[Any]) -> Any:
            raise error

        work["heat"] = heat

        with pytest.raises((ValueError, TypeError, Exception)):
            run(message(owed()))

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.failure_code, kettle.claimed_until) == ("broken", Bug.code, None)
        assert history(kettle) == ["fail"]

    def test_has_a_code_that_every_record_can_keep(self) -> None:
        with pytest.raises(TypeError, match="more than 50 characters"):
            type("Endless", (Permanent,), {"code": "x" * 51})


@pytest.mark.django_db
class TestASlice:
    def test_that_cannot_be_kept_fails_the_record(self, work: Work) -> None:
        work["heat"] = lambda _run: GoOn(record=lambda kettle: setattr(kettle, "litres", -1))

        with pytest.raises(Exception, match="litres"):
            run(message(owed()))

        assert states() == ["broken"]


@pytest.mark.django_db
class TestASet:
    def test_is_not_written_together_if_nothing_of_it_can_be(self, sets: Sets) -> None:
        sets.work_as(lambda runs: Endings(each=[Draught()] * len(runs), record=lambda records: records[0].save()))
        kettles = [owed(), owed()]

        run(message(kettles[0]))

        assert set(Kettle.objects.values_list("failure_code", flat=True)) == {Draught.code}

    def test_is_written_without_a_record_that_was_deleted_meanwhile(self, sets: Sets) -> None:
        def boil(runs: list[Run[Kettle]]) -> Endings:
            Kettle.objects.filter(label="gone").delete()
            return Endings(each=[BOILED] * len(runs), record=lambda records: setattr(records[0], "label", "first"))

        sets.work_as(boil)
        first, _, _ = owed(), owed(label="gone"), owed()

        assert run(message(first)) == "ready"
        assert states() == ["ready", "ready"]

    def test_is_one_alone_where_the_start_of_another_spoils_the_transaction(
        self, sets: Sets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def spoil(kettle: Kettle) -> None:
            if kettle.label == "bad":
                Kettle.objects.create(litres=-1)

        monkeypatch.setattr(Kettle, "entering", spoil)
        first, bad = owed(), Kettle.objects.create(label="bad", background=False)

        assert run(message(first)) == "ready"
        assert sets.seen == [[first.pk]]
        assert not TransitionLog.objects.of(bad).exists()

    def test_may_be_of_records_that_have_columns_which_the_database_fills(self) -> None:
        lease = settled(None)
        (locked,) = locked_all(Lease, [lease.pk], wait=True).values()
        locked.failure_message = "written with others"

        save_all(Lease, [locked])

        found = Lease.objects.get()
        assert (found.failure_message, found.created_at) == ("written with others", lease.created_at)

    @pytest.mark.parametrize("turn", [7, NEXT_TURN], ids=["values", "an expression"])
    def test_are_written_each_as_it_is_now_and_in_what_has_changed_only(self, turn: Any) -> None:
        leases = [settled(None), settled(None, lease_number="NMNM 2")]
        with transaction.atomic():
            locked = list(locked_all(Lease, [each.pk for each in leases], wait=True).values())
            Lease.objects.update(failure_message="said since")
            for number, record in enumerate(locked):
                record.turn, record.tries = turn, number
                record.matching_files = [{"name": 'a, {b} "c"'}] if number else []
                record.due_at = now() if number else None
            save_all(Lease, locked)

        found = list(Lease.objects.order_by("pk"))
        assert [each.tries for each in found] == [0, 1]
        assert [each.matching_files for each in found] == [each.matching_files for each in locked]
        assert [each.due_at for each in found] == [each.due_at for each in locked]
        assert all(isinstance(each.turn, int) for each in found)
        # Nobody else writes what is locked; here it shows which columns the statement names.
        assert [each.failure_message for each in found] == ["said since" if turn == 7 else ""] * 2
