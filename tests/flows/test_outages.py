"""What is lost when Redis is: nothing. Real worker pool, reconciler, Valkey and stand-in, all as processes of their own."""

import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import psutil
import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from core.base.redis_client import ANSWERS_PER_REQUEST
from core.local.programs import RECONCILER, worker
from leases import services
from leases.models import Lease
from statemachine.models import TransitionLog
from tests.flows.conftest import BLM, FULL_RUN, history
from tests.live import await_that
from tests.redis_tls import OwnRedis

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

# More than are queued at once.
COUNT = 40


def all_done() -> bool:
    return not Lease.objects.exclude(state="done").exists()


def asked(silent: socket.socket) -> int:
    """How many connections were made to it."""
    silent.setblocking(False)
    made = 0
    while True:
        try:
            silent.accept()[0].close()
        except BlockingIOError:
            return made
        made += 1


def workers_listen(valkey: OwnRedis, count: int) -> Callable[[], bool]:
    return lambda: valkey.client().scard("rq:workers") == count


class TestRedisStopped:
    def test_creating_goes_on_and_the_lease_settles_when_redis_is_back(
        self, operator: User, dropbox: "Standin", valkey: OwnRedis, programs: Callable[..., None]
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/Master Documents.pdf")
        programs(RECONCILER, worker(count=1))
        await_that(workers_listen(valkey, 1), within_s=20)
        valkey.kill()

        lease = services.create_lease(agency="BLM", lease_number="NMNM 1", created_by=operator)
        assert Lease.objects.get().state == "searching"

        valkey.start()
        await_that(all_done, within_s=10)
        assert history(lease) == FULL_RUN


class TestRedisNeverAnswers:
    """It accepts connections and says nothing, as behind a firewall that swallows packets."""

    @pytest.fixture
    def silent(self, operator: User, settings: Settings) -> Iterator[socket.socket]:
        with socket.create_server(("127.0.0.1", 0), backlog=500) as silent:
            settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
            yield silent

    def test_a_save_in_the_console_waits_for_few_answers(
        self, operator: User, client: Client, silent: socket.socket
    ) -> None:
        client.force_login(operator)

        answer = client.post("/admin/leases/lease/add/", {"agency": "BLM", "lease_number": "NMNM 1"})

        assert 1 <= asked(silent) <= ANSWERS_PER_REQUEST
        assert answer.status_code == 302
        assert Lease.objects.get().is_owed

    def test_many_rows_in_one_transaction_do_not_each_wait(self, operator: User, silent: socket.socket) -> None:
        with transaction.atomic():
            for number in range(50):
                services.create_lease(agency="BLM", lease_number=f"NMNM {number}", created_by=operator)

        assert 1 <= asked(silent) <= ANSWERS_PER_REQUEST
        assert Lease.objects.filter(due_at__isnull=False).count() == 50


@pytest.mark.process
class TestPoolKilled:
    def test_leaves_no_worker_and_no_scheduler_behind(self, programs: Callable[..., None], valkey: OwnRedis) -> None:
        programs(worker(count=2))
        await_that(workers_listen(valkey, 2), within_s=20)
        with valkey.client() as redis:
            numbers = [int(redis.hget(key, "pid") or 0) for key in redis.smembers("rq:workers")]
        (pool,) = {psutil.Process(number).parent() for number in numbers}
        assert pool
        # Two workers, and the scheduler that one of them has forked.
        await_that(lambda: len(pool.children(recursive=True)) == 3, within_s=20)
        family = pool.children(recursive=True)

        pool.kill()

        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []


class TestFlushall:
    def test_of_the_queued_leases_all_settle_once(
        self,
        operator: User,
        dropbox: "Standin",
        valkey: OwnRedis,
        programs: Callable[..., None],
        settings: Settings,
    ) -> None:
        numbers = [f"NMNM {number}" for number in range(COUNT)]
        dropbox.put(*[f"{BLM}/{number}/Master Documents.pdf" for number in numbers])
        leases = [services.create_lease(agency="BLM", lease_number=each, created_by=operator) for each in numbers]
        redis = valkey.client()
        assert redis.llen("rq:queue:discovery") == settings.QUEUE_TARGET

        redis.flushall()
        programs(RECONCILER, worker(count=4))

        await_that(all_done, within_s=60)
        assert TransitionLog.objects.count() == COUNT * len(FULL_RUN)
        assert all(history(lease) == FULL_RUN for lease in leases)
        assert dropbox.calls() == {"files/list_folder": COUNT, "sharing/create_shared_link_with_settings": COUNT}


class TestNobodyRang:
    def test_rows_of_bulk_create_and_of_plain_sql_start_by_themselves(
        self, operator: User, dropbox: "Standin", valkey: OwnRedis, programs: Callable[..., None]
    ) -> None:
        dropbox.put(f"{BLM}/NMNM 1/", f"{BLM}/NMNM 2/")
        programs(RECONCILER, worker(count=1))
        await_that(workers_listen(valkey, 1), within_s=20)

        Lease.objects.bulk_create([Lease(agency="BLM", lease_number="NMNM 1", created_by=operator)])
        with connection.cursor() as cursor:
            insert = "INSERT INTO leases_lease (agency, lease_number, created_by_id) VALUES ('BLM', 'NMNM 2', %s)"
            cursor.execute(insert, [operator.pk])

        await_that(lambda: not Lease.objects.filter(state="pending").exists(), within_s=5)
        await_that(all_done, within_s=10)
