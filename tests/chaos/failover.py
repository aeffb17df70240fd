"""`python -m tests.chaos.failover [--leases 200] [--how killed|hangs|stays]`: a Redis with sentinels loses its primary in a burst.

A primary, a replica and three sentinels, over TLS where Debian's Redis is there. Some hundred leases come within seconds; then
the primary is killed, or hangs and keeps every connection, or stays, to compare. It comes back later, empty, and has to become a
replica. The oracle judges each history and answer; the last lines say how long it took.
"""

import argparse
import faulthandler
import logging
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import override

from redis import Redis, RedisError

from bench import breakable
from bench.breakable import House
from bench.servers import Valkey
from core.local.processes import stop_signals
from core.local.servers import LOCAL
from tests.chaos import telling
from tests.chaos.plan import BURST, Blow, PlannedBlow, make_plan
from tests.chaos.telling import say
from tests.core.local.test_processes import eventually
from tests.dropbox_standin.certificates import make_tls
from tests.redis_tls import DEBIANS, SecuredRedis
from tests.sentinels import Watched, watched

SEED = 1
LOST_AT_S, BACK_AFTER_S = 4.0, 8.0


class Guarded(Valkey):
    """What a house has in the place of one Redis; to kill it is to kill its primary.

    Attributes:
        taken_after_s: how long after that the product wrote to Redis again; None: it has not yet.
        settled_after_s: how long after that nothing was owed.
    """

    def __init__(self, _directory: Path, *, how: str) -> None:
        self.taken_after_s: float | None = None
        self.settled_after_s: float | None = None
        self._how = how
        self._stack = ExitStack()
        self._watched: Watched | None = None
        self._lost: SecuredRedis | None = None

    @property
    @override
    def environment(self) -> dict[str, str]:
        assert self._watched
        return dict(self._watched.environment)

    @override
    def start(self) -> None:
        if self._lost:
            if self._how == "stays":
                return
            self._lost.kill()
            self._lost.start()
            return
        folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self._watched = self._stack.enter_context(watched(folder, tls=make_tls(folder) if DEBIANS else None))

    @override
    def end(self) -> None:
        self._stack.close()

    @override
    def client(self) -> Redis:
        assert self._watched
        return self._watched.primary().client()

    @override
    def kill(self) -> None:
        assert self._watched
        self._lost = self._watched.primary()
        if self._how == "hangs":
            self._lost.hang()
        elif self._how == "killed":
            self._lost.kill()
        Thread(target=self._measure, args=(time.monotonic(),), daemon=True).start()

    def refusals(self) -> list[str]:
        """What the server that is the primary now has refused to anybody."""
        assert self._watched
        return self._watched.primary().refusals()

    def await_return(self) -> None:
        """Return once the server that was lost is a replica of the other one."""

        def is_replica() -> bool:
            assert self._lost
            try:
                with self._lost.client() as redis:
                    return bool(redis.info("replication").get("master_link_status") == "up")
            except RedisError:  # a sentinel that makes a replica of it ends all of its connections
                return False

        eventually(is_replica, within_s=30)

    def _measure(self, lost_at: float) -> None:
        from django.conf import settings  # Django is ready only now
        from django.db import connection

        from core.base import redis_servers
        from core.ops.probes import exercise
        from leases.models import Lease

        def takes() -> bool:
            try:
                with redis_servers.client(settings.REDIS_URL, timeout_s=0.3) as redis:
                    exercise(redis)
            except RedisError:
                return False
            return True

        eventually(takes, within_s=60)
        self.taken_after_s = time.monotonic() - lost_at
        eventually(lambda: not Lease.objects.filter(due_at__isnull=False).exists(), within_s=BURST.limit_s)
        self.settled_after_s = time.monotonic() - lost_at
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tests.chaos.failover", description="Lose the primary in the middle of a burst."
    )
    parser.add_argument("--leases", type=int, default=BURST.leases)
    parser.add_argument("--how", choices=("killed", "hangs", "stays"), default="killed", help="default: %(default)s")
    parser.add_argument("--directory", default="chaos-failover", help="in .local (default: %(default)s)")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(BURST.limit_s + 90, exit=True)
    plan = make_plan(seed=SEED, profile=replace(BURST, leases=options.leases))
    lost = PlannedBlow(at_s=LOST_AT_S, blow=Blow.VALKEY_KILLED, choice=0, lasts_s=BACK_AFTER_S)
    plan = replace(plan, blows=(lost,))
    building = replace(
        telling.building(plan), on_small_disk=(), redis=lambda directory: Guarded(directory, how=options.how)
    )
    with stop_signals(), breakable.breakable(LOCAL / options.directory, building) as house:
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only; the programs log to files
        from tests.chaos.run import Run  # Django is ready only now

        violations = Run(house, plan, seed=SEED, say=say).play()
        wrong = _look_at_redis(house, how=options.how)
        house.crash()
    telling.tell(violations, leases=options.leases, seed=SEED)
    return 1 if violations or wrong else 0


def _look_at_redis(house: House, *, how: str) -> bool:
    """Whether something is wrong with it; and how long it took."""
    guarded = house.valkey
    assert isinstance(guarded, Guarded)
    if how != "stays":
        guarded.await_return()
    refused = guarded.refusals()
    for each in refused:
        say(f"WRONG  refused: {each}")
    say(
        f"Redis took messages {guarded.taken_after_s or 0:.1f} s after its primary was lost; nothing was owed after"
        f" {guarded.settled_after_s or 0:.1f} s"
    )
    return bool(refused)


if __name__ == "__main__":
    sys.exit(main())
