"""Batches of thousands, right after they were made: PostgreSQL knows nothing of their rows yet, and must not guess."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from core.base.errors import DatabaseTooBusy
from leases.batches import import_leases
from leases.models import Batch, BatchLease, Lease
from leases.states import State
from statemachine.batches import AT_ONCE, Progress, Stopped, failures_of, progress_of, run_again, run_many, stop

pytestmark = [pytest.mark.django_db, pytest.mark.long]

FEW, MANY = 8, 2 * AT_ONCE
LEFT_OUT = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


@pytest.fixture
def batch(operator: User) -> Batch:
    """The statistics are those of a few small batches that were made before."""
    for each in range(FEW):
        import_leases(leases=[("BLM", f"{each} {number}") for number in range(FEW)], user=operator, title="few.csv")
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Lease._meta.db_table}, {BatchLease._meta.db_table}")
    leases = [("BLM", f"NMNM {number}") for number in range(MANY)]
    return import_leases(leases=leases, user=operator, title="day30.csv")


@contextmanager
def looked_at() -> Iterator[None]:
    """No statement compares each lease of the batch with each other one: for 20,000, that took minutes."""
    with connection.execute_wrapper(_look_at):
        yield


def _look_at(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    if sql.startswith(("SELECT", "UPDATE", "INSERT", "DELETE", "WITH")):
        with transaction.atomic(), connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
            (((plan,),),) = cursor.fetchall()
            transaction.set_rollback(True)
        assert sum(map(_rows, _steps(plan["Plan"]))) < 30 * MANY, sql
    return execute(sql, params, many, context)


def _rows(step: dict[str, Any]) -> int:
    """How many it has looked at."""
    rows: int = sum(step.get(each, 0) for each in ("Actual Rows", *LEFT_OUT)) * step["Actual Loops"]
    return rows


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _steps(each)


def test_are_counted_and_stopped_at_once(operator: User, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as busy, pytest.raises(DatabaseTooBusy, match="Nothing was changed"):
        busy.setattr("core.base.statement_limits.WITHIN_S", 0.001)
        stop(batch_id=batch.pk, user=operator)
    assert Batch.objects.get(pk=batch.pk).stopped_at is None

    with looked_at():
        assert progress_of(batch) == Progress(waiting=MANY, stoppable=MANY)
        assert stop(batch_id=batch.pk, user=operator) == Stopped(count=MANY, left=0)
        assert progress_of(batch) == Progress(not_run=MANY)


def test_are_run_again_at_once(operator: User, batch: Batch) -> None:
    Lease.objects.update(state=State.FAILED, failure_code="x", due_at=None)

    with looked_at():
        assert failures_of(batch) == [("x", MANY)]
        assert run_again(batch_id=batch.pk, state=State.FAILED, user=operator) == MANY
        assert stop(batch_id=batch.pk, user=operator) == Stopped(count=MANY, left=0)


@pytest.mark.django_db(transaction=True)
def test_are_known_to_the_planner_once_they_are_saved(operator: User) -> None:
    import_leases(leases=[("BLM", f"NMNM {number}") for number in range(AT_ONCE)], user=operator, title="a.csv")

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [BatchLease._meta.db_table])
        assert cursor.fetchone() == (AT_ONCE,)


def test_are_run_by_another_batch_at_once(operator: User, batch: Batch) -> None:
    Lease.objects.update(state=State.DONE, due_at=None)

    with looked_at():
        later = run_many(Lease.objects.filter(batch_items__batch=batch), operator)

        assert progress_of(batch) == Progress(waiting=MANY)
        assert stop(batch_id=later.pk, user=operator) == Stopped(count=MANY, left=0)
