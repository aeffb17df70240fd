"""A run: make the leases, strike the blows, let everything settle, and ask the oracle; imported once Django is ready."""

import math
import random
import time
from collections.abc import Callable
from functools import partial

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.functions import Now

from bench.breakable import House
from cloud.dropbox import gateway_for
from cloud.services.accounts import connect_account
from leases import runs, services
from leases.models import AgencyStorageConfig, Lease
from statemachine.errors import TransitionRefused
from tests.chaos import calls, oracle, record
from tests.chaos.agenda import AGAIN_S, Agenda
from tests.chaos.answers import BY_SIGHT
from tests.chaos.blows import Blows
from tests.chaos.door import Door
from tests.chaos.oracle import Violation
from tests.chaos.plan import Deed, Plan, PlannedChange, PlannedLease
from tests.chaos.story import Act, Configured, Story
from tests.chaos.world import BASES, IVAN, IVAN_LACKS, OLIVIA, PEOPLE, SPACE_OF
from tests.leases.starting import person_takes

ROUND_S = 0.03
# Everything must stay settled for so long: what has just been woken may still try to write.
QUIET_S = 2.0
# How often the oracle is asked before everything has settled.
ASKED_EVERY_S = 1.0


class Run:
    """One run of a plan, in an empty house."""

    def __init__(self, house: House, plan: Plan, *, seed: int, say: Callable[[str], None]) -> None:
        self._house = house
        self._plan = plan
        self._rng = random.Random(seed)
        self._made: dict[int, PlannedLease] = {}
        self._acts: dict[int, list[Act]] = {}
        self._watched: dict[int, PlannedLease] = {}
        self._people: dict[str, User] = {}
        self._spaces: dict[str, str] = {}
        self._bases = {agency: [Configured(base=bases[0])] for agency, bases in BASES.items()}
        self._marks: dict[PlannedChange, list[int]] = {}
        self._prepare()
        self._agenda = Agenda(say=say)
        self._door = Door(house, self._people.values()) if house.webs else None
        self._blows = Blows(house, self._agenda, start_again=self._start)

    def play(self) -> list[Violation]:
        """Everything, in its time; what is wrong when all has settled."""
        self._enter()
        self._until_settled()
        unseen = Lease.objects.filter(state="failed", failure_code__in=BY_SIGHT)
        self._agenda.say(f"{unseen.count()} leases have failed since whoever ran them cannot see enough")
        exhausted = Lease.objects.filter(state="failed").exclude(pk__in=unseen)
        if failed := list(exhausted.values_list("pk", "failure_code")):
            # Dropbox's faults and the blows may have used up all five tries: an operator would run it again. Whether they
            # had, the oracle tells from the log.
            self._agenda.say(
                f"{len(failed)} leases have failed and are run again: {', '.join(f'{pk} ({code})' for pk, code in failed)}"
            )
            for pk, _ in failed:
                self._agenda.attempt(partial(self._start, pk))
            self._until_settled()
        self._count()
        refused = self._door.wrong if self._door else []
        return [*self._violations(), *(Violation(rule="the web answers", what=each) for each in refused)]

    def play_until_broken(self, rule: str) -> list[Violation]:
        """Everything, in its time, until the oracle finds this rule broken; what is wrong then."""
        self._enter()
        while True:
            self._until_settled(at_most_s=ASKED_EVERY_S)
            found = self._violations()
            if self._agenda.now_s >= self._plan.profile.limit_s or any(each.rule == rule for each in found):
                return found

    def _enter(self) -> None:
        for lease in self._plan.leases:
            self._agenda.at(lease.at_s, partial(self._make, lease))
        for blow in self._plan.blows:
            self._agenda.at(blow.at_s, partial(self._blows.strike, blow))
        for change in self._plan.changes:
            self._agenda.at(change.at_s, partial(self._change_base, change))

    def _prepare(self) -> None:
        standin = self._house.standin
        aims = [aim for lease in self._plan.leases for aim in (lease.aim, lease.new_aim) if aim]
        standin.reset(seed=self._plan.world.seed(aims))
        standin.latency(self._plan.profile.latency_ms)
        record.watch_failures()
        for agency, bases in BASES.items():
            AgencyStorageConfig.objects.create(
                agency=agency,
                runsheet_archive_base_path=bases[0],
                documents_base_path=bases[0],
                misc_index_base_path=bases[0],
            )
        for name in PEOPLE:
            self._people[name] = User.objects.create_superuser(name)
            connect_account(user=self._people[name], refresh_token=f"standin-refresh-{name}")
        for name in (OLIVIA, IVAN):
            gateway = gateway_for(self._people[name])
            for base in (base for bases in BASES.values() for base in bases if (name, base) != (IVAN, IVAN_LACKS)):
                entries = gateway.list_directory(path=base).entries
                self._spaces |= {entry.file_id: SPACE_OF[name] for entry in entries}
        for lease in self._plan.leases:
            for trouble in lease.troubles:
                standin.fault(trouble.route, path=lease.aim.path, **trouble.order)
        standin.clear_journal()

    def _until_settled(self, *, at_most_s: float = math.inf) -> None:
        moved_at_s = self._agenda.now_s
        latest_s = min(self._plan.profile.limit_s, moved_at_s + at_most_s)
        while self._agenda.now_s < min(latest_s, moved_at_s + QUIET_S):
            self._house.mend()
            busy = bool(self._agenda)
            self._agenda.do_what_is_due()
            self._look_at_watched()
            if busy or Lease.objects.filter(due_at__isnull=False).exists():
                moved_at_s = self._agenda.now_s
            time.sleep(ROUND_S)

    # --- Leases and people ------------------------------------------------------------------------------------------

    def _make(self, lease: PlannedLease) -> None:
        agency, number, person = lease.aim.agency, lease.aim.number, self._people[lease.person]
        if not Lease.objects.filter(lease_number=number).exists():  # or it was made, and only its answer was lost
            match lease.made_by:
                case "service":
                    services.create_lease(agency=agency, lease_number=number, created_by=person)
                case "bulk_create":
                    Lease.objects.bulk_create([Lease(agency=agency, lease_number=number, created_by=person)])
                case "web" if self._door:
                    self._door.make_lease(agency, number, by=person)
                case "SQL":
                    with connection.cursor() as cursor:
                        insert = "INSERT INTO leases_lease (agency, lease_number, created_by_id) VALUES (%s, %s, %s)"
                        cursor.execute(insert, [agency, number, person.pk])
        made = Lease.objects.filter(lease_number=number).first()
        if made is None:  # the web was cut off
            self._agenda.after(AGAIN_S, partial(self._make, lease))
            return
        pk = made.pk
        self._made[pk] = lease
        if lease.deed:
            self._watched[pk] = lease

    def _change_base(self, change: PlannedChange) -> None:
        """As the console saves it: the row and what follows from it, in one transaction.

        No row of the log for the old base path is written after the mark, and none for the new one before it: who writes
        one holds the configuration, and who changes it waits for them.
        """
        self._blows.change_asks_again()
        with transaction.atomic():
            configuration = AgencyStorageConfig.objects.get(agency=change.agency)
            configuration.runsheet_archive_base_path = change.base
            configuration.save()
            count = services.configuration_saved(configuration)
            marks = self._marks.setdefault(change, [])
            marks.append(record.last_key())
        self._bases[change.agency].append(Configured(base=change.base, after=min(marks), surely_after=max(marks)))
        self._agenda.say(f"archives of {change.agency} lie in {change.base} now; {count} leases are owed a run")

    def _look_at_watched(self) -> None:
        """Do what people are to do: as soon as a worker is at the lease, or has been; or once it has settled."""
        if not self._watched:
            return
        moving = Lease.objects.filter(pk__in=self._watched).exclude(state="pending")
        settled = set(moving.filter(due_at__isnull=True).values_list("pk", flat=True))
        at_work = set(moving.filter(claimed_until__gt=Now()).values_list("pk", flat=True))
        another = {pk for pk, lease in self._watched.items() if lease.deed is Deed.ANOTHER}
        for pk in sorted(settled | (at_work - another)):
            self._agenda.attempt(partial(self._do, pk, self._watched.pop(pk)))

    def _do(self, pk: int, lease: PlannedLease) -> None:
        match lease.deed:
            case Deed.EDIT if lease.new_aim:
                number, person = lease.new_aim.number, self._people[lease.person]
                services.change_lease(lease_id=pk, agency=lease.aim.agency, lease_number=number, changed_by=person)
                target = self._plan.world.target(lease.new_aim)
                self._note(pk, Act(kind="edit", person=lease.person, target=target), f"becomes {number}")
            case Deed.ANOTHER:
                try:
                    self._start(pk, person=lease.other_person)
                except TransitionRefused:  # it has been started meanwhile, for another base path
                    self._watched[pk] = lease
            case _:
                self._stop(pk, lease)

    def _stop(self, pk: int, lease: PlannedLease) -> None:
        try:
            person_takes(runs.STOP, lease_id=pk, user=self._people[lease.person])
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

    def _start(self, pk: int, *, person: str = OLIVIA) -> None:
        """Run it again.

        Raises:
            TransitionRefused: it is at work; nothing was done.
        """
        person_takes(runs.FULL_DISCOVERY, lease_id=pk, user=self._people[person])
        self._note(pk, Act(kind="start", person=person), f"is started again by {person}")

    def _note(self, pk: int, act: Act, what: str) -> None:
        self._acts.setdefault(pk, []).append(act)
        self._agenda.say(f"lease {pk} {what}")

    # --- After ------------------------------------------------------------------------------------------------------

    def _violations(self) -> list[Violation]:
        return oracle.judge(self._stories(), record.asked(self._house.standin), cost=self._blows.cost)

    def _stories(self) -> list[Story]:
        told = record.witness(spaces=self._spaces, older_until=self._blows.older_until)
        return record.stories(self._made, self._acts, self._bases, world=self._plan.world, told=told)

    def _count(self) -> None:
        stories, asked, cost = self._stories(), record.asked(self._house.standin), self._blows.cost
        ideal, spoiled, allowed = calls.allowance(stories, asked, cost=cost)
        self._agenda.say(
            f"{len(asked)} calls of {allowed}; ideal {ideal}, {spoiled} spoiled by Dropbox, {cost.hits} hits of a worker at work"
        )
        self._agenda.say(
            f"{calls.spent_tries(stories)} tries spent besides the first ones, of {spoiled + cost.kills} at most"
        )
