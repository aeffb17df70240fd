"""A run: make the leases, strike the blows, let everything settle, and ask the oracle; imported once Django is ready."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.contrib.auth.models import User
from django.db import connection
from django.db.models.functions import Now

from bench.breakable import House
from discovery.services.dropbox_accounts import connect_account
from leases import services
from leases.models import AgencyStorageConfig, Lease
from statemachine.errors import TransitionRefused
from tests.chaos import oracle, record
from tests.chaos.agenda import Agenda
from tests.chaos.blows import Blows
from tests.chaos.oracle import Act, Violation
from tests.chaos.plan import BASE_PATH, PEOPLE, Aim, Archive, Deed, Plan, PlannedLease

ROUND_S = 0.03
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
    """One run of a plan, in an empty house."""

    def __init__(self, house: House, plan: Plan, *, seed: int, say: Callable[[str], None]) -> None:
        self._house = house
        self._plan = plan
        self._rng = random.Random(seed)
        self._aims: dict[int, Aim] = {}
        self._acts: dict[int, list[Act]] = {}
        self._watched: dict[int, PlannedLease] = {}
        self._people: dict[str, User] = {}
        self._prepare()
        self._agenda = Agenda(say=say)
        self._blows = Blows(house, self._agenda, start_again=self._start)

    def play(self) -> Verdict:
        """Everything, in its time."""
        for lease in self._plan.leases:
            self._agenda.at(lease.at_s, partial(self._make, lease))
        for blow in self._plan.blows:
            self._agenda.at(blow.at_s, partial(self._blows.strike, blow))
        self._until_settled()
        if failed := list(Lease.objects.filter(state="failed").values_list("pk", "failure_code")):
            # Dropbox's faults and the blows may have used up all five tries: an operator would run it again. Whether they
            # had, the oracle tells from the log.
            self._agenda.say(f"{len(failed)} leases have failed and are run again: {failed}")
            for pk, _ in failed:
                self._agenda.attempt(partial(self._start, pk))
            self._until_settled()
        return self._verdict()

    def _prepare(self) -> None:
        AgencyStorageConfig.objects.create(
            agency="BLM", runsheet_archive_base_path=BASE_PATH, documents_base_path="/d", misc_index_base_path="/m"
        )
        for name in PEOPLE:
            self._people[name] = User.objects.create_superuser(name)
            connect_account(user=self._people[name], refresh_token=f"standin-refresh-{name}")
        standin = self._house.standin
        aims = [aim for lease in self._plan.leases for aim in (lease.aim, lease.new_aim) if aim]
        standin.put(f"{BASE_PATH}/", *(entry for aim in aims for entry in aim.entries))
        for aim in aims:
            if aim.archive is Archive.NO_LINK:
                standin.policy("access_denied", path=aim.path)
        for lease in self._plan.leases:
            for trouble in lease.troubles:
                standin.fault(trouble.route, path=lease.aim.path, **trouble.order)
        standin.clear_journal()

    def _until_settled(self) -> None:
        moved_at_s = self._agenda.now_s
        while self._agenda.now_s < min(self._plan.profile.limit_s, moved_at_s + QUIET_S):
            self._house.mend()
            busy = bool(self._agenda)
            self._agenda.do_what_is_due()
            self._look_at_watched()
            if busy or Lease.objects.filter(due_at__isnull=False).exists():
                moved_at_s = self._agenda.now_s
            time.sleep(ROUND_S)

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
            self._agenda.attempt(partial(self._do, pk, self._watched.pop(pk)))

    def _do(self, pk: int, lease: PlannedLease) -> None:
        if lease.deed is Deed.EDIT and lease.new_aim:
            number, person = lease.new_aim.number, self._people[lease.person]
            services.change_lease(lease_id=pk, agency="BLM", lease_number=number, changed_by=person)
            self._note(pk, Act(kind="edit", target=record.target_of(lease.new_aim)), f"becomes {number}")
            return
        try:
            services.cancel(lease_id=pk, user=self._people[lease.person])
        except TransitionRefused:
            self._agenda.say(f"lease {pk} had settled before it could be stopped")
            return
        self._note(pk, Act(kind="cancel"), "is stopped")
        if lease.deed is Deed.CANCEL_AND_AGAIN:
            self._agenda.after(self._rng.uniform(0.2, 2), partial(self._start_if_stopped, pk))

    def _start_if_stopped(self, pk: int) -> None:
        """Unless it was started for another reason meanwhile."""
        if Lease.objects.filter(pk=pk, state="pending").exists():
            self._start(pk)

    def _start(self, pk: int) -> None:
        """Run it again.

        Raises:
            TransitionRefused: it is at work; nothing was done.
        """
        services.start_full_discovery(lease_id=pk, user=self._people[PEOPLE[0]])
        self._note(pk, Act(kind="start"), "is started again")

    def _note(self, pk: int, act: Act, what: str) -> None:
        self._acts.setdefault(pk, []).append(act)
        self._agenda.say(f"lease {pk} {what}")

    # --- After ------------------------------------------------------------------------------------------------------

    def _verdict(self) -> Verdict:
        stories = record.stories(self._aims, self._acts)
        calls = record.asked(self._house.standin)
        hits, other = self._blows.hits, self._blows.other_calls
        ideal, spoiled = oracle.ideal_calls(stories, other=other), sum(call.fault is not None for call in calls)
        self._agenda.say(
            f"{len(calls)} calls; ideal {ideal}, {spoiled} spoiled by Dropbox, {hits} hits of a worker at work"
        )
        return Verdict(leases=len(self._plan.leases), violations=oracle.judge(stories, calls, blows=hits, other=other))
