import contextlib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from statemachine.errors import RecordGone, Stale, TransitionForbidden, TransitionRefused, UnknownTransition
from statemachine.models import TransitionLog
from statemachine.transitions import RECONCILER, Actor, Step, advance, fenced, locked, log_edit, take
from tests.statemachine.conftest import history, message, owed
from tests.toy.models import Kettle

pytestmark = pytest.mark.django_db


def switch_on(kettle: Kettle, user: User, **values: Any) -> Kettle:
    step = Step(transition="switch_on", arguments={"litres": 2}, reason="thirsty", evidence={"cups": 4})
    return take(model=Kettle, pk=kettle.pk, step=step, actor=Actor.person(user), **values)


class TestTake:
    def test_moves_the_record_and_owes_its_work(self, cook: User) -> None:
        kettle = Kettle.objects.create()

        switch_on(kettle, cook)

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.generation, kettle.litres) == ("heating", 1, 2)
        assert kettle.due_at is not None
        assert kettle.initiated_by == cook

    def test_is_found_in_the_log_by_its_record(self, cook: User, caplog: pytest.LogCaptureFixture) -> None:
        kettle = Kettle.objects.create()

        with caplog.at_level("INFO"):
            switch_on(kettle, cook)

        line = vars(caplog.records[-1])
        assert (line["kettle_id"], line["user_id"], line["generation"]) == (kettle.pk, cook.pk, 1)

    def test_writes_one_row_of_the_log(self, cook: User) -> None:
        kettle = Kettle.objects.create()

        switch_on(kettle, cook)

        row = TransitionLog.objects.get()
        assert (row.record_type, row.record_id, row.generation) == ("toy.kettle", kettle.pk, 1)
        assert (row.from_state, row.to_state, row.transition) == ("cold", "heating", "switch_on")
        assert (row.actor_kind, row.actor, row.reason, row.evidence) == ("user", cook, "thirsty", {"cups": 4})
        assert row.lasted.total_seconds() >= 0

    def test_owes_nothing_where_nothing_is_to_be_done(self, cook: User) -> None:
        kettle = owed()

        take(model=Kettle, pk=kettle.pk, step=Step(transition="cancel"), actor=Actor.person(cook))

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.due_at, kettle.claimed_until, kettle.rung_at) == ("cold", None, None, None)

    def test_clears_what_the_last_failure_said(self, cook: User) -> None:
        kettle = Kettle.objects.create(state="broken", failure_code="dry", failure_message="No water.")

        switch_on(kettle, cook)

        kettle = Kettle.objects.get()
        assert (kettle.failure_code, kettle.failure_message) == ("", "")

    def test_keeps_whose_authorisation_is_used_when_nobody_pressed_a_button(self, cook: User) -> None:
        kettle = Kettle.objects.create(initiated_by=cook)

        take(model=Kettle, pk=kettle.pk, step=Step(transition="switch_on"), actor=RECONCILER)

        assert Kettle.objects.get().initiated_by == cook

    def test_rings_only_once_the_transaction_is_committed(
        self, cook: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        kettle = Kettle.objects.create()

        with django_capture_on_commit_callbacks(execute=True):
            switch_on(kettle, cook)

            assert Kettle.objects.get().rung_at is None
        assert Kettle.objects.get().rung_at is not None

    def test_says_that_the_record_is_gone(self, cook: User) -> None:
        with pytest.raises(RecordGone, match="no longer exists"):
            take(model=Kettle, pk=0, step=Step(transition="switch_on"), actor=Actor.person(cook))

    @pytest.mark.parametrize("name", ["explode", "save", "state", "_meta", "pk"])
    def test_refuses_what_is_no_transition(self, cook: User, name: str) -> None:
        kettle = Kettle.objects.create()

        with pytest.raises(UnknownTransition, match="is not a transition"):
            take(model=Kettle, pk=kettle.pk, step=Step(transition=name), actor=Actor.person(cook))

        assert Kettle.objects.get().generation == 0

    def test_refuses_what_the_state_does_not_allow(self, cook: User) -> None:
        kettle = owed()

        with pytest.raises(TransitionRefused, match="not possible while the kettle is “heating”"):
            switch_on(kettle, cook)

        assert history(kettle) == []

    def test_refuses_what_a_condition_does_not_allow(self) -> None:
        kettle = Kettle.objects.create(state="ready", litres=0)

        with pytest.raises(TransitionRefused):
            take(model=Kettle, pk=kettle.pk, step=Step(transition="steep"), actor=RECONCILER)

    def test_refuses_a_person_without_the_permission(self, guest: User) -> None:
        kettle = Kettle.objects.create()

        with pytest.raises(TransitionForbidden, match="Switch on"):
            switch_on(kettle, guest)

        assert Kettle.objects.get().state == "cold"

    def test_refuses_who_looked_at_an_older_record(self, cook: User) -> None:
        kettle = Kettle.objects.create(generation=7)

        with pytest.raises(Stale, match="moved on"):
            switch_on(kettle, cook, generation=6)

        assert Kettle.objects.get().generation == 7

    def test_leaves_nothing_behind_when_the_transaction_is_rolled_back(self, cook: User) -> None:
        kettle = Kettle.objects.create()

        with contextlib.suppress(ZeroDivisionError), transaction.atomic():
            switch_on(kettle, cook)
            raise ZeroDivisionError

        assert Kettle.objects.get().state == "cold"
        assert history(kettle) == []


class TestAdvance:
    def test_writes_a_state_that_is_left_and_entered_again_in_one_transaction(self, cook: User) -> None:
        pk = take(
            model=Kettle, pk=Kettle.objects.create().pk, step=Step(transition="switch_on"), actor=Actor.person(cook)
        ).pk

        with locked(Kettle, pk) as kettle:
            advance(kettle, Step(transition="cancel"), Actor.person(cook))
            advance(kettle, Step(transition="switch_on"), Actor.person(cook))

        assert Kettle.objects.get().state == "heating"
        assert list(TransitionLog.objects.of(kettle).values_list("from_state", "to_state")) == [
            ("cold", "heating"),
            ("heating", "cold"),
            ("cold", "heating"),
        ]

    def test_writes_what_was_changed_in_place(self) -> None:
        pk = Kettle.objects.create().pk

        with locked(Kettle, pk) as kettle:
            kettle.label = "blue"
            advance(kettle, Step(transition="switch_on"), RECONCILER)

        assert Kettle.objects.get().label == "blue"


class TestFenced:
    def test_holds_the_record_that_is_still_there(self) -> None:
        kettle = owed()

        with fenced(Kettle, message(kettle)) as record:
            assert record.pk == kettle.pk

    def test_refuses_one_that_has_moved_on(self) -> None:
        kettle = owed()
        seen = message(kettle)
        Kettle.objects.update(generation=2)

        with pytest.raises(Stale), fenced(Kettle, seen):
            pass

    def test_refuses_one_that_is_gone(self) -> None:
        kettle = owed()
        seen = message(kettle)
        kettle.delete()

        with pytest.raises(Stale), fenced(Kettle, seen):
            pass


class TestTransitionLog:
    def test_cannot_be_changed(self, cook: User) -> None:
        switch_on(Kettle.objects.create(), cook)

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            TransitionLog.objects.update(reason="never happened")

    def test_cannot_be_deleted(self, cook: User) -> None:
        switch_on(Kettle.objects.create(), cook)

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            TransitionLog.objects.all().delete()

    def test_outlives_the_user_it_names(self, cook: User) -> None:
        switch_on(Kettle.objects.create(), cook)

        cook.delete()

        assert TransitionLog.objects.get().actor is None

    def test_refuses_one_generation_twice(self, cook: User) -> None:
        switch_on(Kettle.objects.create(), cook)
        row = TransitionLog.objects.get()
        row.pk = None

        with pytest.raises(DatabaseError, match="record_id_generation"), transaction.atomic():
            row.save(force_insert=True)

    def test_says_what_happened_in_a_line(self, cook: User) -> None:
        kettle = switch_on(Kettle.objects.create(), cook)

        assert str(TransitionLog.objects.get()) == f"toy.kettle {kettle.pk}: cold → heating"


class TestLogEdit:
    def test_tells_who_changed_what_without_a_move(self, cook: User) -> None:
        kettle = switch_on(Kettle.objects.create(), cook)

        with locked(Kettle, kettle.pk) as record:
            Kettle.objects.filter(pk=record.pk).update(generation=2)
            record.generation = 2
            log_edit(record, "label", Actor.person(cook), reason="“Big”, now “Small”")

        row = TransitionLog.objects.of(kettle).last()
        assert row is not None
        assert (row.transition, row.actor, row.reason) == ("label", cook, "“Big”, now “Small”")
        assert (row.is_move, row.generation, row.lasted.total_seconds()) == (False, 2, 0)
        assert [each.transition for each in TransitionLog.objects.of(kettle).of_moves()] == ["switch_on"]


class TestStateMachine:
    def test_refuses_a_state_that_the_code_does_not_know(self) -> None:
        kettle = Kettle.objects.create()

        with pytest.raises(DatabaseError, match="known_state"), transaction.atomic():
            Kettle.objects.filter(pk=kettle.pk).update(state="melted")

    def test_refuses_a_direct_change_of_state(self) -> None:
        kettle = Kettle.objects.create()

        with pytest.raises(AttributeError, match="not allowed"):
            kettle.state = "ready"

    def test_owes_a_row_of_plain_sql_its_start(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO toy_kettle DEFAULT VALUES")

        kettle = Kettle.objects.get()
        assert (kettle.state, kettle.is_owed, kettle.is_working) == ("cold", True, False)
