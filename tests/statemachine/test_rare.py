"""What hardly ever happens: a message of before, a row that is locked at the commit, a server that ends between two jobs."""

import logging
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connections
from django.utils import timezone

from console.models import FailureNotice
from core.ops import tally
from statemachine import jobs, outages, sets, settling, worker
from statemachine.batches import items_of, stop
from statemachine.batches.membership import batch_of
from statemachine.doorbell import Message
from statemachine.errors import BatchGone, OurOutage, RowLocked
from statemachine.models import Batch
from statemachine.reactions import Endings, Limits, reaction_for
from statemachine.sets import STALE
from tests.toy.models import Kettle, State

pytestmark = pytest.mark.django_db


def caused_by(cause: BaseException) -> OperationalError:
    error = OperationalError("said by Django")
    error.__cause__ = cause
    return error


class TestAMessageOfAStateThatIsCalledOtherwiseNow:
    def test_is_stale(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, logger="statemachine.jobs"):
            said = jobs._run(Message(label="toy.kettle", pk=1, state="simmering", generation=1))

        assert said == STALE


class TestAnErrorAtTheCommit:
    def test_of_a_row_that_somebody_locks_is_tried_again(self) -> None:
        said = sets._as_ending(caused_by(psycopg.errors.LockNotAvailable("busy")))

        assert isinstance(said, RowLocked)
        assert said.retry_after_s == sets.LOCKED_S

    def test_of_an_outage_is_put_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outages, "outage_in", lambda _: OurOutage("away"))
        monkeypatch.setattr(outages, "pause_s", lambda: 7.0)

        said = sets._as_ending(OperationalError("away"))

        assert isinstance(said, OurOutage)
        assert said.retry_after_s == 7.0

    def test_of_a_row_that_has_moved_on_costs_no_try(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kettle = Kettle.objects.create()
        found = reaction_for(Kettle, State.HEATING)
        given_back: list[Any] = []
        monkeypatch.setattr(sets, "_commit", lambda *_: (sets.Done(ended={kettle.pk: STALE}), []))
        monkeypatch.setattr("statemachine.claims.give_back_try", given_back.append)
        message = Message(label="toy.kettle", pk=kettle.pk, state=State.HEATING, generation=1)
        run: Any = SimpleNamespace(record=kettle, message=message)

        done = sets._settle_spoiled(run, ValueError("x"), found)

        assert done.ended == {kettle.pk: STALE}
        assert given_back == [kettle]


class TestNothing:
    def test_is_written_of_nobody(self) -> None:
        done = sets._settle([], Endings(each=[]), reaction_for(Kettle, State.HEATING))

        assert not done.ended


class TestAMachineWithoutBatches:
    def test_has_no_memberships(self) -> None:
        items_of.cache_clear()

        with pytest.raises(LookupError, match="has no BatchItem"):
            items_of(FailureNotice)

    def test_has_none_among_what_else_refers_to_it(self) -> None:
        items_of.cache_clear()
        other = SimpleNamespace(get_accessor_name=lambda: "others")
        machine: Any = SimpleNamespace(_meta=SimpleNamespace(related_objects=[other], label="toy.Other"))

        with pytest.raises(LookupError, match="has no BatchItem"):
            items_of.__wrapped__(machine)

    def test_has_those_of_all(self) -> None:
        batch_of.cache_clear()

        assert batch_of(FailureNotice) is Batch


class TestABatchThatGoesWhileItIsStopped:
    def test_is_told_as_gone(self, monkeypatch: pytest.MonkeyPatch, admin_user: User) -> None:
        monkeypatch.setattr("statemachine.batches.stopping._machine_of", lambda _: Kettle)

        with pytest.raises(BatchGone):
            stop(batch_id=10**9, user=admin_user)


class TestManyThatEndedTogether:
    def test_are_tallied_each_by_the_start_of_its_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        observed: list[float] = []
        now = timezone.now()
        told = {"record_type": "toy.kettle", "transition": "x", "actor_kind": "worker", "at": now, "to_state": "hot"}
        logs: Any = [SimpleNamespace(record_id=pk, **told) for pk in (1, 2)]
        rows = SimpleNamespace(values_list=lambda *_: [(pk, now, None, "cold", None) for pk in (1, 2)])
        started = SimpleNamespace(
            filter=lambda **_: SimpleNamespace(order_by=lambda *_: SimpleNamespace(distinct=lambda _: rows))
        )
        monkeypatch.setattr(settling, "_ends_a_run", lambda _: True)
        monkeypatch.setattr(settling, "_starts", lambda _: started)
        monkeypatch.setattr(settling, "_began", lambda *_: now)
        monkeypatch.setattr(tally, "observe", lambda _, value, **__: observed.append(value))

        settling.note_each(logs)

        assert observed == [0.0, 0.0]


class TestAWorker:
    def test_that_is_told_to_stop_while_limits_begin_anew_ends_soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told = iter([False, True])
        ended: list[bool] = []

        class Told(type):
            told_to_stop = property(lambda _: next(told))

        class Worker(metaclass=Told):
            at_work = True

        monkeypatch.setattr(worker, "RunsheetWorker", Worker)
        monkeypatch.setattr("signal.alarm", lambda _: 0)
        monkeypatch.setattr("faulthandler.dump_traceback_later", lambda *_, **__: None)
        monkeypatch.setattr(worker, "_end_soon", lambda: ended.append(True))

        worker.begin_limits_anew(Limits())

        assert ended == [True]

    def test_drops_a_connection_whose_server_has_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        closed: list[bool] = []
        gone: Any = SimpleNamespace(
            connection=None,
            in_atomic_block=False,
            close=lambda: closed.append(True),
            close_if_unusable_or_obsolete=lambda: None,
            queries_log=[],
        )
        monkeypatch.setattr(connections, "all", lambda **_: [gone])
        monkeypatch.setattr(worker, "_has_ended", lambda _: True)

        worker._fresh_connections()

        assert closed == [True]
