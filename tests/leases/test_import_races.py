"""Several people who confirm imports at the same time, each with a connection to PostgreSQL."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from leases import imports
from leases.batches import import_leases
from leases.columns import Mapping
from leases.imports import confirm, keep_upload
from leases.models import Batch, Lease, Upload

pytestmark = pytest.mark.django_db(transaction=True)

MAPPING = Mapping(agency=0, number=1)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def upload(user: User, text: str) -> Upload:
    return keep_upload(name="leases.csv", content=text.encode(), user=user)


def once_somebody_waits() -> None:
    """Return as soon as another connection waits for a lock of ours."""
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(WAITING)
            if cursor.fetchone() != (0,):
                return
    raise TimeoutError


def beside[T](pool: ThreadPoolExecutor, work: Callable[[], T]) -> "Future[T]":
    """Run it with a connection of its own."""

    def run() -> T:
        try:
            return work()
        finally:
            connection.close()

    return pool.submit(run)


def test_one_file_confirmed_twice_at_the_same_time_is_one_batch(olivia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = upload(olivia, "BLM,1\nBLM,2\n")

    def slowly(**given: object) -> Batch:
        batch = import_leases(**given)  # type: ignore[arg-type]
        once_somebody_waits()
        return batch

    monkeypatch.setattr(imports, "import_leases", slowly)

    with ThreadPoolExecutor() as pool:
        both = [beside(pool, lambda: confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)) for _ in range(2)]

    assert {each.result() for each in both} == {Batch.objects.get()}
    assert Lease.objects.count() == 2


def test_leases_are_made_in_one_order_whatever_that_of_the_file(olivia: User) -> None:
    kept = upload(olivia, "NMSLO,1\nBLM,3\nBLM,1\nBLM,2\n")

    confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia)

    assert [str(lease) for lease in Lease.objects.order_by("pk")] == ["BLM 1", "BLM 2", "BLM 3", "NMSLO 1"]


def test_an_import_that_deadlocks_begins_again(olivia: User) -> None:
    """Somebody makes lease 2 and then lease 1; the import makes 1 meanwhile, and waits for 2."""
    kept = upload(olivia, "BLM,1\nBLM,2\nBLM,3\n")

    with ThreadPoolExecutor() as pool, transaction.atomic():
        # Of the two, the import is the one that is stopped.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL deadlock_timeout = '1min'")
        Lease.objects.create(agency="BLM", lease_number="2", created_by=olivia)
        importing = beside(pool, lambda: confirm(upload_id=kept.pk, mapping=MAPPING, user=olivia))
        once_somebody_waits()
        Lease.objects.create(agency="BLM", lease_number="1", created_by=olivia)

    batch = importing.result()
    assert (batch.size, batch.left_out) == (1, 2)
    assert [str(lease) for lease in Lease.objects.filter(batch_items__batch=batch)] == ["BLM 3"]
