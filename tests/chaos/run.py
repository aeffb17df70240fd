"""A run: make the leases, strike the blows, let everything settle, and ask the oracle; imported once Django is ready."""

import heapq
import itertools
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from bench.breakable import House, send
from discovery.services.dropbox_accounts import connect_account
from leases import services
from leases.models import AgencyStorageConfig, Lease
from statemachine.errors import TransitionRefused
from tests.chaos import oracle, record
from tests.chaos.oracle import Act, Violation
from tests.chaos.plan import BASE_PATH, PEOPLE, Aim, Archive, Blow, Deed, Plan, PlannedBlow, PlannedLease

ROUND_S = 0.03
# How long a blow waits for a worker in the middle of a job before it falls on any.
PATIENCE_S = 3.0
AGAIN_S = 0.2
# A zombie sleeps past its claim, and the work's next worker has time to begin.
OVERSLEEPS_S = 5.0
# Everything must stay settled for so long: what has just been woken may still try to write.
QUIET_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    leases: int
    violations: list[Violation]

    @property
    def right(self) -> int:
        """How many leases no rule complains about."""
        return self.leases - len({each.lease for each in self.violations if each.lease is not None})


class Run:
    """One run of a plan.

    Attributes:
        hits: how often a worker in the middle of a job was hit; each may cost a call.
        other_calls: asked for besides the leases' own, one for each person each time: tokens, and the base path when the
            cache has forgotten that it is there.
    """

    def __init__(self, house: House, plan: Plan, *, seed: int, say: Callable[[str], None]) -> None:
        self.house = house
        self.plan = plan
        self.hits = 0
        self.other_calls = len(PEOPLE)
        self._say = say
        self._rng = random.Random(seed)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._aims: dict[int, Aim] = {}
        self._acts: dict[int, list[Act]] = {}
        self._watched: dict[int, PlannedLease] = {}
        self._people: dict[str, User] = {}

    def play(self) -> Verdict:
        """Everything, in its time."""
        self._prepare()
        self._begun = time.monotonic()
        for lease in self.plan.leases:
            self._at(lease.at_s, partial(self._make, lease))
        for blow in self.plan.blows:
            self._at(blow.at_s, partial(self._strike, blow))
        self._until_settled()
        if failed := list(Lease.objects.filter(state="failed").values_list("pk", "failure_code")):
            # Dropbox's faults and the blows may have used up all five tries: an operator would run it again. Whether they
            # had, the oracle tells from the log.
            self.say(f"{len(failed)} leases have failed and are run again: {failed}")
            for pk, _ in failed:
                self._start(pk)
            self._until_settled()
        return self._verdict()

    def say(self, line: str) -> None:
        self._say(f"{self._now_s():6.1f} s  {line}")

    # --- Before -----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path=BASE_PATH, documents_base_path="/d", misc_index_base_path="/m"
        )
        for name in PEOPLE:
            self._people[name] = User.objects.create_superuser(name)
            connect_account(user=self._people[name], refresh_token=f"standin-refresh-{name}")
        standin = self.house.standin
        aims = [aim for lease in self.plan.leases for aim in (lease.aim, lease.new_aim) if aim]
        standin.put(f"{BASE_PATH}/", *(entry for aim in aims for entry in aim.entries))
        for aim in aims:
            if aim.archive is Archive.NO_LINK:
                standin.policy("access_denied", path=aim.path)
        for lease in self.plan.leases:
            for trouble in lease.troubles:
                standin.fault(trouble.route, path=lease.aim.path, **trouble.order)
        standin.clear_journal()

    # --- Rounds -----------------------------------------------------------------------------------------------------

    def _until_settled(self) -> None:
        moved_at_s = self._now_s()
        while self._now_s() < self.plan.profile.limit_s:
            self.house.mend()
            while self._agenda and self._agenda[0][0] <= self._now_s():
                self._attempt(heapq.heappop(self._agenda)[2])
                moved_at_s = self._now_s()
            self._look_at_watched()
            if self._agenda or self._is_owed():
                moved_at_s = self._now_s()
            elif self._now_s() > moved_at_s + QUIET_S:
                return
            time.sleep(ROUND_S)

    def _now_s(self) -> float:
        return time.monotonic() - self._begun

    def _at(self, at_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (at_s, next(self._order), action))

    def _in(self, delay_s: float, action: Callable[[], None]) -> None:
        self._at(self._now_s() + delay_s, action)

    def _attempt(self, action: Callable[[], None]) -> None:
        """What the servers are not there for, or what somebody has locked, is done a moment later."""
        try:
            action()
        except RedisError:  # it is down at present
            self._in(AGAIN_S, action)
        except (OperationalError, InterfaceError) as error:
            self.say(f"(a moment later, because of {type(error).__name__})")
            connection.close()
            self._in(AGAIN_S, action)

    def _is_owed(self) -> bool:
        return Lease.objects.filter(due_at__isnull=False).exists()

    # --- Leases and people ------------------------------------------------------------------------------------------

    def _make(self, lease: PlannedLease) -> None:
        person = self._people[lease.person]
        match lease.made_by:
            case "service":
                services.create_lease(agency="BLM", lease_number=lease.aim.number, created_by=person)
            case "bulk_create":
                Lease.objects.bulk_create([Lease(agency="BLM", lease_number=lease.aim.number, created_by=person)])
            case "SQL":
                with connection.cursor() as cursor:
                    insert = "INSERT INTO leases_lease (agency, lease_number, created_by_id) VALUES ('BLM', %s, %s)"
                    cursor.execute(insert, [lease.aim.number, person.pk])
        pk = Lease.objects.get(lease_number=lease.aim.number).pk
        self._aims[pk] = lease.aim
        if lease.deed:
            self._watched[pk] = lease

    def _look_at_watched(self) -> None:
        """Do what people are to do, as soon as a worker is at the lease, or has been."""
        if not self._watched:
            return
        moving = Lease.objects.filter(pk__in=self._watched).exclude(state="pending")
        ready = moving.filter(claimed_until__gt=Now()) | moving.filter(due_at__isnull=True)
        for pk in list(ready.values_list("pk", flat=True)):
            lease = self._watched.pop(pk)
            self._attempt(partial(self._do, pk, lease))

    def _do(self, pk: int, lease: PlannedLease) -> None:
        if lease.deed is Deed.EDIT and lease.new_aim:
            number, person = lease.new_aim.number, self._people[lease.person]
            services.change_lease(lease_id=pk, agency="BLM", lease_number=number, changed_by=person)
            self._note(pk, Act(kind="edit", target=record.target_of(lease.new_aim)), f"becomes {number}")
            return
        try:
            services.cancel(lease_id=pk, user=self._people[lease.person])
        except TransitionRefused:
            self.say(f"lease {pk} had settled before it could be stopped")
            return
        self._note(pk, Act(kind="cancel"), "is stopped")
        if lease.deed is Deed.CANCEL_AND_AGAIN:
            self._in(self._rng.uniform(0.2, 2), partial(self._start, pk))

    def _start(self, pk: int) -> None:
        services.start_full_discovery(lease_id=pk, user=self._people[PEOPLE[0]])
        self._note(pk, Act(kind="start"), "is started again")

    def _note(self, pk: int, act: Act, what: str) -> None:
        self._acts.setdefault(pk, []).append(act)
        self.say(f"lease {pk} {what}")

    # --- Blows ------------------------------------------------------------------------------------------------------

    def _strike(self, planned: PlannedBlow) -> None:
        match planned.blow:
            case Blow.KILL_WORKER | Blow.ZOMBIE:
                self._on_worker(planned, until_s=self._now_s() + PATIENCE_S)
            case Blow.KILL_HOST:
                host = self.house.hosts[planned.choice % len(self.house.hosts)]
                self.hits += min(len(host.workers()), self._at_work_count())
                host.crash()
                self._tell(planned, host.name)
            case Blow.KILL_RECONCILER:
                reconciler = self.house.reconcilers[planned.choice % len(self.house.reconcilers)]
                reconciler.crash()
                self._tell(planned, reconciler.name)
            case Blow.FLUSHALL:
                self.house.valkey.flush()
                self.other_calls += len(PEOPLE)
                self._tell(planned)
            case Blow.VALKEY_KILLED:
                self._kill_valkey(planned)
            case Blow.POSTGRES_FAST | Blow.POSTGRES_IMMEDIATE:
                self._restart_postgres(planned)
            case Blow.TOKENS_EXPIRE:
                self._expire_tokens(planned)
            case Blow.TWICE:
                self._deliver_twice(planned)

    def _tell(self, planned: PlannedBlow, whom: str = "") -> None:
        self.say(f"{planned.blow}{whom and ': '}{whom}")

    def _on_worker(self, planned: PlannedBlow, *, until_s: float) -> None:
        """Hit a worker in the middle of a job; when none says that it is (FLUSHALL makes them forget), any."""
        busy = [each for each in self.house.valkey.at_work() if self.house.host_of(each.pid)]
        if not busy and self._now_s() < until_s:
            self._in(ROUND_S, partial(self._on_worker, planned, until_s=until_s))
            return
        pids = [each.pid for each in busy] or [pid for host in self.house.hosts for pid in host.workers()]
        if not pids:
            self._in(AGAIN_S, partial(self._on_worker, planned, until_s=until_s))
            return
        pid = pids[planned.choice % len(pids)]
        job = next((each.job_id for each in busy if each.pid == pid), "whatever it is at")
        self.hits += 1
        if planned.blow is Blow.KILL_WORKER:
            send(pid, signal.SIGKILL)
        else:
            send(pid, signal.SIGSTOP)
            self._in(settings.CLAIM_S + OVERSLEEPS_S, partial(self._wake, pid))
        self._tell(planned, f"{pid} at {job}")

    def _wake(self, pid: int) -> None:
        send(pid, signal.SIGCONT)
        self.say(f"SIGCONT of worker {pid}")

    def _kill_valkey(self, planned: PlannedBlow) -> None:
        self.house.valkey.kill()
        self.other_calls += len(PEOPLE)
        self._tell(planned, f"down for {planned.lasts_s} s")
        self._in(planned.lasts_s, self.house.valkey.start)

    def _restart_postgres(self, planned: PlannedBlow) -> None:
        self.hits += self._at_work_count()
        connection.close()
        self.house.postgres.restart("fast" if planned.blow is Blow.POSTGRES_FAST else "immediate")
        self._tell(planned)

    def _expire_tokens(self, planned: PlannedBlow) -> None:
        self.hits += self._at_work_count()
        self.house.standin.fault("oauth2/token", status=503)
        for name in PEOPLE:
            self.house.standin.expire_tokens(name)
        self.other_calls += len(PEOPLE)
        self._tell(planned)

    def _deliver_twice(self, planned: PlannedBlow) -> None:
        """The message of a row that a worker holds, once more under another name."""
        held = Lease.objects.filter(claimed_until__gt=Now()).order_by("pk").values_list("pk", "state", "generation")
        rows = list(held)
        if not rows:
            self._in(ROUND_S, partial(self._deliver_twice, planned))
            return
        pk, state, generation = rows[planned.choice % len(rows)]
        with Redis.from_url(self.house.valkey.url) as redis:
            queue = Queue(settings.DISCOVERY_QUEUE, connection=redis, serializer=JSONSerializer)
            queue.enqueue("statemachine.jobs.run", "leases.lease", pk, state, generation, result_ttl=0)
        self._tell(planned, f"lease {pk}, {state}, generation {generation}")

    def _at_work_count(self) -> int:
        return Lease.objects.filter(claimed_until__gt=Now()).count()

    # --- After ------------------------------------------------------------------------------------------------------

    def _verdict(self) -> Verdict:
        stories = record.stories(self._aims, self._acts)
        calls = record.asked(self.house.standin)
        ideal = oracle.ideal_calls(stories, other=self.other_calls)
        spoiled = sum(call.fault is not None for call in calls)
        self.say(
            f"{len(calls)} calls; ideal {ideal}, {spoiled} spoiled by Dropbox, {self.hits} hits of a worker at work"
        )
        found = oracle.judge(stories, calls, blows=self.hits, other=self.other_calls)
        return Verdict(leases=len(self.plan.leases), violations=found)
