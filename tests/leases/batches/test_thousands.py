"""Batches of thousands, right after they were made: PostgreSQL knows nothing of their rows yet, and must not guess."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from core.base.errors import DatabaseTooBusy
from leases.batches import import_leases
from leases.models import Batch, BatchLease, Lease
from leases.states import State
from statemachine.batches import AT_ONCE, Progress, Stopped, failures_of, progress_of, run_again, run_many, stop

pytestmark = pytest.mark.django_db

FEW, MANY = 8, 8_000
# A plan that compares each lease of the batch with each other one took minutes for 20,000: for these it takes many times as long,
# while a busy machine needs a second or two.
AT_MOST_S = 4.0


@pytest.fixture
def batch(operator: User, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """The statistics are those of a few small batches that were made before."""
    for each in range(FEW):
        import_leases(leases=[("BLM", f"{each} {number}") for number in range(FEW)], user=operator, title="few.csv")
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Lease._meta.db_table}, {BatchLease._meta.db_table}")
    leases = [("BLM", f"NMNM {number}") for number in range(MANY)]
    made = import_leases(leases=leases, user=operator, title="day30.csv")
    monkeypatch.setattr("core.base.statement_limits.WITHIN_S", AT_MOST_S)
    return made


def bound() -> None:
    """From here on each statement has so long; what a test itself prepares is not what is bounded."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{AT_MOST_S}s"])


def test_are_counted_and_stopped_at_once(operator: User, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    bound()
    assert progress_of(batch) == Progress(waiting=MANY, stoppable=MANY)

    with monkeypatch.context() as busy, pytest.raises(DatabaseTooBusy, match="Nothing was changed"):
        busy.setattr("core.base.statement_limits.WITHIN_S", 0.001)
        stop(batch_id=batch.pk, user=operator)
    assert progress_of(batch) == Progress(waiting=MANY, stoppable=MANY)
    assert Batch.objects.get(pk=batch.pk).stopped_at is None

    assert stop(batch_id=batch.pk, user=operator) == Stopped(count=MANY, left=0)
    assert progress_of(batch) == Progress(not_run=MANY)


def test_are_run_again_at_once(operator: User, batch: Batch) -> None:
    Lease.objects.update(state=State.FAILED, failure_code="x", due_at=None)
    bound()

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
    bound()

    later = run_many(Lease.objects.filter(batch_items__batch=batch), operator)

    assert progress_of(batch) == Progress(waiting=MANY)
    assert stop(batch_id=later.pk, user=operator) == Stopped(count=MANY, left=0)
