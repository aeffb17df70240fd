import socket
import zlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import utcformat

from core.ops import tally
from statemachine import doorbell
from statemachine.dispatch import kick
from tests.statemachine.conftest import dispatch_all, due_at, in_s, message, owed
from tests.toy.models import Kettle

# Since the tests were collected; they may run much later.
A_DAY = 86_400
pytestmark = pytest.mark.django_db


class TestDispatch:
    def test_sends_a_message_for_what_is_owed(self, redis: Redis) -> None:
        kettle = owed()

        assert dispatch_all() == 1

        job = Job.fetch(f"toy_kettle-{kettle.pk}-heating-2", connection=redis, serializer=JSONSerializer)
        assert job.func_name == "statemachine.jobs.run"
        assert list(job.args) == ["toy.kettle", kettle.pk, "heating", 2]

    def test_raises_the_generation_so_that_older_messages_are_stale(self) -> None:
        owed()

        dispatch_all()

        kettle = Kettle.objects.get()
        assert (kettle.generation, kettle.tries) == (2, 0)
        assert due_at(kettle) > in_s(25)
        assert kettle.rung_at is not None

    def test_sends_nothing_twice(self) -> None:
        owed()

        assert (dispatch_all(), dispatch_all()) == (1, 0)

    @pytest.mark.parametrize(
        "values",
        [
            {"state": "ready"},
            {"state": "cold"},
            {"due_at": None},
            {"due_at": in_s(A_DAY)},
            {"claimed_until": in_s(A_DAY)},
            {"tries": 3},
        ],
        ids=["nothing owed", "not started", "owed no more", "not due yet", "held by a worker", "budget spent"],
    )
    def test_leaves_alone(self, values: dict[str, Any]) -> None:
        owed(**values)

        assert dispatch_all() == 0

    def test_leaves_a_retry_to_rq_until_it_is_overdue(self) -> None:
        owed(tries=1, due_at=in_s(-1))
        overdue = owed(tries=1, due_at=in_s(-6))

        dispatch_all()

        assert list(Kettle.objects.filter(rung_at__isnull=False)) == [overdue]

    def test_does_not_leave_a_retry_to_rq_that_nobody_waits_for(self) -> None:
        owed(tries=1, due_at=in_s(-1), background=True)

        assert dispatch_all() == 1

    def test_takes_up_a_dead_workers_row_when_its_claim_ends(self, caplog: pytest.LogCaptureFixture) -> None:
        kettle = owed(tries=1, due_at=in_s(-1), claimed_until=in_s(-1))

        assert dispatch_all() == 1
        assert Kettle.objects.get().claimed_until is None
        assert f"the worker of toy_kettle-{kettle.pk}-heating-2 was lost on try 1" in caplog.text
        lost = tally.read().counters["tries_lost"]
        assert lost == {(("machine", "toy.kettle"), ("state", "heating")): 1}

    def test_owes_the_row_again_when_redis_does_not_take_the_message(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        owed()

        assert dispatch_all() == 0

        kettle = Kettle.objects.get()
        assert due_at(kettle) <= timezone.now()
        assert (kettle.state, kettle.rung_at) == ("heating", None)

    def test_does_not_wait_for_a_redis_that_never_answers(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
            owed()
            before = timezone.now()

            dispatch_all()

        assert timezone.now() - before < timedelta(seconds=1)


class TestKick:
    def test_dispatches_that_row_only(self) -> None:
        owed()
        mine = owed()

        kick("toy.kettle", mine.pk, queue="toy")

        assert list(Kettle.objects.filter(rung_at__isnull=False)) == [mine]

    def test_leaves_the_row_owed_while_the_queue_is_long_enough(self, settings: Settings) -> None:
        settings.QUEUE_TARGET = 1
        first, second = owed(), owed()

        kick("toy.kettle", first.pk, queue="toy")
        kick("toy.kettle", second.pk, queue="toy")

        assert list(Kettle.objects.filter(rung_at__isnull=False)) == [first]
        assert due_at(Kettle.objects.get(pk=second.pk)) <= timezone.now()

    def test_of_many_rows_only_the_first_waits_for_a_redis_that_never_answers(self, settings: Settings) -> None:
        settings.DOORBELL_TIMEOUT_S = 0.3
        kettles = [owed() for _ in range(20)]
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
            before = timezone.now()

            for kettle in kettles:
                kick("toy.kettle", kettle.pk, queue="toy")

        assert timezone.now() - before < timedelta(seconds=1)
        assert Kettle.objects.filter(due_at__lte=timezone.now()).count() == 20


class TestRing:
    def test_takes_a_message_once(self, redis: Redis) -> None:
        ringing = message(owed())

        assert doorbell.ring(ringing, queue="toy", soft_s=60)
        assert doorbell.ring(ringing, queue="toy", soft_s=60)

        assert doorbell.waiting_count("toy") == 1

    def test_stores_no_pickle(self, redis: Redis) -> None:
        ringing = message(owed())

        doorbell.ring(ringing, queue="toy", soft_s=60)

        stored: dict[Any, Any] = redis.hgetall(Job.key_for(ringing.job_id))
        assert b"\x80" not in stored[b"data"][:3]
        assert b"toy.kettle" in zlib.decompress(stored[b"data"])


class TestUnanswered:
    def test_names_the_messages_that_redis_has_lost(self) -> None:
        kept, lost = message(owed()), message(owed())
        doorbell.ring(kept, queue="toy", soft_s=60)

        assert doorbell.unanswered([kept, lost]) == [lost]

    @pytest.mark.parametrize(
        ("status", "begun_s_ago", "is_unanswered"),
        [
            ("queued", None, False),
            ("started", 1, False),
            ("started", 11, True),
            ("started", -3, False),  # another host's clock
            ("started", None, True),
            ("failed", 1, True),
        ],
        ids=["waits", "just taken", "taken by a worker that died", "clocks differ", "never begun", "not even claimed"],
    )
    def test_knows_by_the_job_whether_a_worker_will_claim_the_row(
        self, redis: Redis, status: str, begun_s_ago: float | None, is_unanswered: bool
    ) -> None:
        ringing = message(owed())
        doorbell.ring(ringing, queue="toy", soft_s=60)
        redis.hset(Job.key_for(ringing.job_id), "status", status)
        if begun_s_ago is not None:
            redis.hset(Job.key_for(ringing.job_id), "started_at", utcformat(in_s(-begun_s_ago)))

        assert (doorbell.unanswered([ringing]) == [ringing]) == is_unanswered
