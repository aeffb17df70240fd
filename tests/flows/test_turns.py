"""Whose turn it is, with a real pool and a real reconciler: a small order does not wait for the end of a large one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.db.models import Max

from core.local.programs import RECONCILER, worker
from leases.batches import import_leases
from leases.models import BatchLease, Lease
from statemachine import models as engine
from statemachine.batches import run_many
from statemachine.models import TransitionLog
from tests.flows.conftest import BLM
from tests.live import await_that
from tests.redis_tls import OwnRedis

if TYPE_CHECKING:
    from dropbox_standin.client import Standin

pytestmark = pytest.mark.django_db(transaction=True)

LARGE, SMALL = 120, 5


def members(batch: engine.Batch) -> list[int]:
    return list(BatchLease.objects.filter(batch=batch).order_by("record").values_list("record", flat=True))


def settled_count(leases: list[int]) -> int:
    return Lease.objects.filter(pk__in=leases, due_at__isnull=True).count()


def order_of_settling(leases: list[int]) -> dict[int, int]:
    """How many of the leases had settled before each."""
    ended = TransitionLog.objects.filter(record_type="leases.lease", record_id__in=leases, to_state="done")
    rows = ended.values_list("record_id").annotate(at=Max("at")).order_by("at")
    return {pk: place for place, (pk, _) in enumerate(rows)}


class TestTurns:
    def test_of_a_large_order_a_small_one_and_what_is_rung_for_again(
        self, operator: User, dropbox: "Standin", valkey: OwnRedis, programs: Callable[..., None]
    ) -> None:
        numbers = [f"NMNM {number}" for number in range(LARGE + SMALL)]
        dropbox.put(*[f"{BLM}/{number}/Master Documents.pdf" for number in numbers])
        few = [Lease.objects.create(agency="BLM", lease_number=each, due_at=None) for each in numbers[LARGE:]]
        large = members(
            import_leases(leases=[("BLM", each) for each in numbers[:LARGE]], user=operator, title="large.csv")
        )
        # What is rung for again waits for a time; quick workers would have done all the others by then.
        dropbox.latency(60)
        programs(RECONCILER, worker(count=2))
        await_that(lambda: settled_count(large) >= 10, within_s=60)

        # What has begun is rung for again, and so is due later than all that has not.
        redis = valkey.client()
        redis.delete("rq:queue:discovery", *redis.scan_iter("rq:job:*"))
        begun = set(Lease.objects.filter(pk__in=large, state="searching").values_list("pk", flat=True))
        small = members(run_many(Lease.objects.filter(pk__in=[lease.pk for lease in few]), operator))
        everything = [*large, *small]
        await_that(lambda: settled_count(everything) == len(everything), within_s=120)

        place = order_of_settling(everything)
        assert len(place) == len(everything)
        assert max(place[pk] for pk in small) < LARGE / 2, "the small order waited for the large one"
        assert begun
        # Without a place of their own they would be the last of all; what is rung for again only waits for its next message.
        assert max(place[pk] for pk in begun) < LARGE - len(begun), "what had begun was overtaken"
