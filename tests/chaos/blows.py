"""What is done to the running system; imported once Django is ready."""

import re
import signal
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from rq import Queue
from rq.serializers import JSONSerializer

from bench.breakable import House, send
from discovery.services.base_paths import REMEMBERED_S
from leases.models import Lease
from statemachine.errors import TransitionRefused
from tests.chaos import record
from tests.chaos.agenda import AGAIN_S, Agenda
from tests.chaos.calls import Cost
from tests.chaos.outages import Outages
from tests.chaos.plan import Blow, PlannedBlow
from tests.chaos.world import BASES, PEOPLE

JOB = re.compile(r"-(\d+)-[a-z]+-\d+$")
# How long a blow waits for a worker in the middle of a job before it falls on any.
PATIENCE_S = 3.0
LOOK_AGAIN_S = 0.03
# What the cache keeps: for each person, whether each base folder is there, and what lies in it.
PLACES = 2 * len(PEOPLE) * sum(map(len, BASES.values()))
# A piece of data takes so much longer; an answer is one or more of them.
SLOW_S = 0.05
# How long a zombie sleeps on after its claim at most, while its work is not yet done by another.
OVERSLEEPS_S = 10.0


class Blows:
    """Strikes, and counts what that may cost.

    Attributes:
        hits, kills, other_calls: as in `Cost`.
        older_until: the key of the log's last row that the release before this one may have written.
    """

    def __init__(self, house: House, agenda: Agenda, *, start_again: Callable[[int], None]) -> None:
        self.hits = self.kills = 0
        self.other_calls = len(PEOPLE) + PLACES
        self.older_until = 0
        self._house = house
        self._agenda = agenda
        self._start_again = start_again
        self._outages = Outages(house, agenda)
        self._ways: dict[Blow, Callable[[PlannedBlow], None]] = {
            Blow.KILL_WORKER: self._hit_worker,
            Blow.ZOMBIE: self._hit_worker,
            Blow.KILL_HOST: self._kill_host,
            Blow.KILL_RECONCILER: self._kill_reconciler,
            Blow.FLUSHALL: self._flush,
            Blow.VALKEY_KILLED: self._kill_valkey,
            Blow.POSTGRES_FAST: self._restart_postgres,
            Blow.POSTGRES_IMMEDIATE: self._restart_postgres,
            Blow.TOKENS_EXPIRE: self._expire_tokens,
            Blow.TWICE: self._deliver_twice,
            Blow.REDIS_READ_ONLY: self._refuse,
            Blow.REDIS_FULL: self._refuse,
            Blow.DISK_FULL: self._refuse,
            Blow.CUT: self._trouble_way,
            Blow.SLOW: self._trouble_way,
            Blow.UPGRADE: self._upgrade,
            Blow.RETIRE: self._retire,
        }

    @property
    def cost(self) -> Cost:
        """What all of them may have cost; call it when everything is over."""
        expired = round(self._agenda.now_s // REMEMBERED_S) * PLACES
        other = self.other_calls + expired + self._outages.unremembered
        return Cost(hits=self.hits, kills=self.kills, other_calls=other)

    def strike(self, planned: PlannedBlow) -> None:
        """Do it now, or as soon as there is something to hit.

        Raises:
            RedisError: Redis, which knows who is at work, is down already; nothing was done.
        """
        self._ways[planned.blow](planned)

    def _tell(self, planned: PlannedBlow, whom: str = "") -> None:
        self._agenda.say(f"{planned.blow}{whom and ': '}{whom}")

    def _hit_worker(self, planned: PlannedBlow) -> None:
        self._on_worker(planned, until_s=self._agenda.now_s + PATIENCE_S)

    def _on_worker(self, planned: PlannedBlow, *, until_s: float) -> None:
        """Hit a worker in the middle of a job; when none says that it is (FLUSHALL makes them forget), any."""
        busy = [each for each in self._house.valkey.at_work() if self._house.host_of(each.pid)]
        if not busy and self._agenda.now_s < until_s:
            self._agenda.after(LOOK_AGAIN_S, partial(self._on_worker, planned, until_s=until_s))
            return
        pids = [each.pid for each in busy] or [pid for host in self._house.hosts for pid in host.workers()]
        if not pids:
            self._agenda.after(AGAIN_S, partial(self._on_worker, planned, until_s=until_s))
            return
        pid = pids[planned.choice % len(pids)]
        job = next((each.job_id for each in busy if each.pid == pid), "whatever it is at")
        self.hits += 1
        self.kills += 1
        if planned.blow is Blow.KILL_WORKER:
            send(pid, signal.SIGKILL)
        else:
            self._stop(pid, job)
        self._tell(planned, f"{pid} at {job}")

    def _stop(self, pid: int, job: str) -> None:
        send(pid, signal.SIGSTOP)
        latest_s = self._agenda.now_s + settings.CLAIM_S + OVERSLEEPS_S
        self._agenda.after(settings.CLAIM_S, partial(self._wake, pid, job, until_s=latest_s))

    def _wake(self, pid: int, job: str, *, until_s: float) -> None:
        """Let the zombie go on when another has done its work and the row is searching once more: only the generation tells."""
        if found := JOB.search(job):
            try:
                self._start_again(int(found[1]))
            except TransitionRefused:  # still at work
                if self._agenda.now_s < until_s:
                    self._agenda.after(AGAIN_S, partial(self._wake, pid, job, until_s=until_s))
                    return
        send(pid, signal.SIGCONT)
        self._agenda.say(f"SIGCONT of worker {pid}")

    def _kill_host(self, planned: PlannedBlow) -> None:
        host = self._house.hosts[planned.choice % len(self._house.hosts)]
        hit = min(len(host.workers()), self._at_work_count())
        self.hits += hit
        self.kills += hit
        host.crash()
        self._tell(planned, host.name)

    def _trouble_way(self, planned: PlannedBlow) -> None:
        """Of a host of workers that is at work, if one is, or that of the web; what is asked meanwhile is asked again."""
        at_work = {self._house.host_of(each.pid) for each in self._house.valkey.at_work()}
        hosts = [host for host in self._house.hosts if host in at_work] or [*self._house.hosts, *self._house.webs]
        host = hosts[planned.choice % len(hosts)]
        assert host.place is not None
        if host.place.is_cut:
            self._agenda.after(AGAIN_S, partial(self._trouble_way, planned))
            return
        if planned.blow is Blow.SLOW:
            lasts_s, host.place.delay_s = planned.lasts_s, SLOW_S
            self._agenda.after(lasts_s, partial(setattr, host.place, "delay_s", 0.0))
        else:
            # So long that others take over what it was at.
            lasts_s = settings.CLAIM_S + settings.RETRY_GRACE_S + planned.lasts_s
            host.place.cut()
            self._agenda.after(lasts_s, host.place.heal)
        self.hits += 2 * len(host.workers())
        self.kills += len(host.workers())
        self._tell(planned, f"{host.place.name} for {lasts_s} s")

    def _upgrade(self, planned: PlannedBlow) -> None:
        self._house.upgrade()
        self._tell(planned)

    def _retire(self, planned: PlannedBlow) -> None:
        """What its workers are at they put back, and somebody else asks again."""
        self.hits += self._at_work_count()
        self._house.retire()
        self.older_until = record.last_key()
        self._tell(planned)

    def _kill_reconciler(self, planned: PlannedBlow) -> None:
        reconciler = self._house.reconcilers[planned.choice % len(self._house.reconcilers)]
        reconciler.crash()
        self._tell(planned, reconciler.name)

    def _flush(self, planned: PlannedBlow) -> None:
        self._house.valkey.flush()
        self.other_calls += PLACES
        self._tell(planned)

    def _kill_valkey(self, planned: PlannedBlow) -> None:
        self._house.valkey.check()  # while it is down already, this blow waits for its return
        self._house.valkey.kill()
        self.other_calls += PLACES
        self._tell(planned, f"down for {planned.lasts_s} s")
        self._agenda.after(planned.lasts_s, self._house.valkey.start)

    def _refuse(self, planned: PlannedBlow) -> None:
        """Let a server take nothing for a while; what cannot be recorded has to be asked for again, a listing and a link."""
        if planned.blow is Blow.DISK_FULL and self._house.disk is None:
            self._tell(planned, "is left out, since nothing can be mounted here")
            return
        if not self._outages.begin(planned.blow, lasts_s=planned.lasts_s):
            self._agenda.after(AGAIN_S, partial(self.strike, planned))
            return
        if planned.blow is Blow.DISK_FULL:
            self.hits += 2 * sum(len(host.workers()) for host in self._house.hosts)
        self._tell(planned, f"for {planned.lasts_s} s")

    def _restart_postgres(self, planned: PlannedBlow) -> None:
        if self._outages.disk_is_full:  # it would not start
            self._agenda.after(AGAIN_S, partial(self.strike, planned))
            return
        self.hits += self._at_work_count()
        connection.close()
        self._house.postgres.restart("fast" if planned.blow is Blow.POSTGRES_FAST else "immediate")
        self._tell(planned)

    def _expire_tokens(self, planned: PlannedBlow) -> None:
        self.hits += self._at_work_count()
        self._house.standin.fault("oauth2/token", status=503)
        for name in PEOPLE:
            self._house.standin.expire_tokens(name)
        self.other_calls += len(PEOPLE)
        self._tell(planned)

    def _deliver_twice(self, planned: PlannedBlow) -> None:
        """The message of a row that a worker holds, once more under another name."""
        held = Lease.objects.filter(claimed_until__gt=Now()).order_by("pk").values_list("pk", "state", "generation")
        rows = list(held)
        if not rows:
            self._agenda.after(LOOK_AGAIN_S, partial(self._deliver_twice, planned))
            return
        pk, state, generation = rows[planned.choice % len(rows)]
        with self._house.valkey.client() as redis:
            queue = Queue(settings.DISCOVERY_QUEUE, connection=redis, serializer=JSONSerializer)
            queue.enqueue("statemachine.jobs.run", "leases.lease", pk, state, generation, result_ttl=0)
        self._tell(planned, f"lease {pk}, {state}, generation {generation}")

    def change_asks_again(self) -> None:
        """What is at work asks under the old base path, and must begin anew under the new one: two calls each."""
        self.hits += 2 * self._at_work_count()

    def _at_work_count(self) -> int:
        return Lease.objects.filter(claimed_until__gt=Now()).count()
