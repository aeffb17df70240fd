"""What is killed, and when work goes on: the next claim of the row as the database tells it; imported once Django is ready."""

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from redis.exceptions import RedisError

from bench import leases
from bench.breakable import House, send
from bench.leases import BASE_PATH, WentWrong
from bench.servers import AtWork
from core.base.job_ids import JobId
from leases.models import Lease
from leases.services import create_lease

LOOK_AGAIN_S = 0.02
LONGEST_S = 240.0
# How long the killed worker's call would have taken; the next one is answered at once.
LONG_CALL_S = 25.0
# Those that keep every worker busy while one more row waits in the queue.
SHORT_CALL_S = 1.0
# Redis stays down until the workers have done what they were at.
VALKEY_DOWN_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """Both from the claim of the work that hung."""

    killed_s: float
    resumed_s: float


class Kills:
    """The kills in one house; each leaves it as it found it, with everything settled."""

    def __init__(self, house: House, *, workers: int, repeat: int) -> None:
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only
        self._house = house
        self._workers = workers
        self._used = 0
        # For each time: two kinds that keep every worker busy before one more waits, and four with one lease.
        self._person = leases.prepare(house.standin, count=repeat * (2 * (workers + 1) + 4))
        # Everybody is up once this is done; it is not measured.
        leases.serial(self._person, [self._number()])

    def measure(self, kind: str) -> float:
        """Break one thing; the seconds until the work that it concerned was claimed.

        Raises:
            WentWrong: it never was, or did not end well.
        """
        measured: dict[str, Callable[[], float]] = {
            "worker": self._worker,
            "host": self._host,
            "reconciler": self._reconciler,
            "flushall": self._flushall,
            "valkey": self._valkey,
        }
        took_s = measured[kind]()
        self._until(lambda: not Lease.objects.filter(due_at__isnull=False).exists())
        leases.wait_until_settled(list(Lease.objects.values_list("pk", flat=True)))
        self._calm()
        return took_s

    def hang(self) -> Hang:
        """Let a worker hang with the interpreter's lock in its hand, and do nothing.

        Raises:
            WentWrong: it was never killed, or its work never taken up.
        """
        number = f"HANG {self._number()}"
        self._house.standin.put(f"{BASE_PATH}/{number}/Master Documents.pdf")
        lease = create_lease(agency="BLM", lease_number=number, created_by=self._person)
        pid, begun = self._claimed(lease.pk), time.monotonic()
        resumed_s = self._until(lambda: self._moved_on(lease.pk))
        self._until(lambda: not psutil.pid_exists(pid))
        return Hang(killed_s=time.monotonic() - begun, resumed_s=resumed_s)

    def _worker(self) -> float:
        pk, pid = self._in_flight()
        send(pid, signal.SIGKILL)
        return self._until(lambda: self._moved_on(pk))

    def _host(self) -> float:
        pk, _ = self._in_flight()
        self._house.hosts[0].crash()
        return self._until(lambda: self._moved_on(pk))

    def _reconciler(self) -> float:
        """Only the reconciler starts what nobody has rung for."""
        self._house.reconcilers[0].crash()
        row = Lease(agency="BLM", lease_number=self._number(), created_by=self._person)
        (made,) = Lease.objects.bulk_create([row])
        return self._until(lambda: self._was_claimed(made.pk))

    def _flushall(self) -> float:
        pk = self._queued_one()
        self._house.valkey.flush()
        return self._until(lambda: self._was_claimed(pk))

    def _valkey(self) -> float:
        pk = self._queued_one()
        self._house.valkey.kill()
        time.sleep(VALKEY_DOWN_S)
        self._house.valkey.start()
        return self._until(lambda: self._was_claimed(pk))

    def _in_flight(self) -> tuple[int, int]:
        """A row whose worker waits for Dropbox at this moment, and the worker's process."""
        pk = self._slow_one(LONG_CALL_S)
        pid = self._claimed(pk)
        self._until(lambda: not self._house.standin.faults())  # it has been asked for what it answers so late
        return pk, pid

    def _slow_one(self, delay_s: float) -> int:
        number = self._number()
        self._house.standin.fault("files/list_folder", path=f"{BASE_PATH}/{number}", delay_s=delay_s)
        return create_lease(agency="BLM", lease_number=number, created_by=self._person).pk

    def _queued_one(self) -> int:
        """A row whose message waits, since every worker is busy."""
        busy = [self._slow_one(SHORT_CALL_S) for _ in range(self._workers)]
        self._until(lambda: all(self._was_claimed(pk) for pk in busy))
        pk = create_lease(agency="BLM", lease_number=self._number(), created_by=self._person).pk
        with self._house.valkey.client() as redis:
            self._until(lambda: bool(redis.llen("rq:queue:discovery")))
        return pk

    def _claimed(self, pk: int) -> int:
        """The process that has claimed the row."""
        found: list[int] = []

        def look() -> bool:
            if self._was_claimed(pk):
                found.extend(each.pid for each in self._at_work() if _is_about(each, pk))
            return bool(found)

        self._until(look)
        return found[0]

    def _at_work(self) -> list[AtWork]:
        try:
            return self._house.valkey.at_work()
        except RedisError:
            return []

    def _was_claimed(self, pk: int) -> bool:
        """Tries are counted at the claim, and from anew in the next state."""
        row = Lease.objects.get(pk=pk)
        return row.tries > 0 or row.state not in {"pending", "searching"}

    def _moved_on(self, pk: int) -> bool:
        """Claimed a second time, or even done."""
        row = Lease.objects.get(pk=pk)
        return row.tries > 1 or row.state != "searching"

    def _until(self, condition: Callable[[], bool]) -> float:
        """Let the supervisors work until it is so; the seconds that took.

        Raises:
            WentWrong: it never was.
        """
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > LONGEST_S:
                raise WentWrong(f"Work did not go on within {LONGEST_S:g} s.")
            self._house.mend()
            time.sleep(LOOK_AGAIN_S)
        return time.monotonic() - begun

    def _calm(self) -> None:
        """Everything runs again, and no supervisor holds the last kill against it."""
        for host in (*self._house.hosts, *self._house.reconcilers):
            host.forget_ends()
        self._until(lambda: sum(len(host.workers()) for host in self._house.hosts) >= self._workers)

    def _number(self) -> str:
        self._used += 1
        return leases.number(self._used - 1)


def _is_about(work: AtWork, pk: int) -> bool:
    said = JobId.read(work.job_id)
    return said is not None and said.pk == pk
