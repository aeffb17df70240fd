"""`python -m tests.chaos.archives --seed N [--leases 120] [--changes 60]`: archives change while they are watched, and everything breaks.

Archives appear, go, are renamed and made anew; reports are added and taken away; a shared folder is out of sight for a while;
Dropbox forgets its cursors, loses answers, and its notifications come late, twice or never. Meanwhile workers are killed and
stopped, whole pools too, and Valkey forgets everything. When all is quiet, each lease must say what lies in the archives.
"""

import argparse
import faulthandler
import logging
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.breakable import House, breakable, send
from core.local.processes import stop_signals
from core.local.servers import LOCAL
from tests.chaos import cups
from tests.chaos.telling import counted, say
from tests.chaos.world import BASES, BLM

BUILDING = replace(cups.BUILDING, settings_module="tests.chaos.archives_settings", queue="discovery")
BASE = BASES[BLM][0]
PERSON = "olivia"
# Whoever moves archives sees all of them all the time.
MOVER = "paul"
LIMIT_S = 240
CHANGE_EVERY_S, BLOW_EVERY_S, TROUBLE_EVERY_S = 0.4, 2.5, 2.0
# Of what has been told to Dropbox's notification; the rest finds out what else is told, or the last one.
TOLD, TWICE, LATE = 0.6, 0.2, 0.3
QUIET_S = 3.0
ROUND_S = 0.05
OUT_OF_SIGHT_S = 4.0
REPORT = "Master Documents.pdf"
TROUBLES = (
    {"status": 500},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "close"},
    {"kind": "truncate"},
    {"delay_s": 1.0},
)
ROUTES = ("files/list_folder/continue", "files/list_folder", "files/get_metadata")


@dataclass
class World:
    """What lies in the archives, as the changes have left it, and which archives no change has touched.

    Attributes:
        names: of the reports that lie directly in each archive, by the archive's name.
        touched: archives that were changed at some time.
    """

    names: dict[str, set[str]]
    touched: set[str] = field(default_factory=set)


class Play:
    """One run."""

    def __init__(self, house: House, *, leases: int, changes: int, blows: int, seed: int) -> None:
        self.house = house
        self.rng = random.Random(seed)
        self.numbers = [f"NMNM {1000 + number}" for number in range(leases)]
        there = [number for at, number in enumerate(self.numbers) if at % 3]
        self.world = World({number: ({REPORT} if at % 2 else set()) for at, number in enumerate(there)})
        self.left = {"change": changes, "blow": blows}
        self.hits: Counter[str] = Counter()
        self.later: list[tuple[float, Callable[[], object]]] = []
        self.asleep: list[tuple[float, int]] = []

    def run(self) -> list[str]:
        """Everything, in its time; what is wrong when all has settled."""
        self._prepare()
        began = quiet_since = time.monotonic()
        last = dict.fromkeys(("change", "blow", "trouble"), began)
        while time.monotonic() - began < LIMIT_S:
            self.house.mend()
            self._do_what_is_due()
            for what, every_s in (("change", CHANGE_EVERY_S), ("blow", BLOW_EVERY_S), ("trouble", TROUBLE_EVERY_S)):
                if self._is_going_on and time.monotonic() - last[what] > every_s:
                    last[what] = time.monotonic()
                    getattr(self, f"_{what}")()
            if self._is_going_on or self.later or self.asleep or not self._is_quiet():
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > QUIET_S:
                break
            time.sleep(ROUND_S)
        say(f"{time.monotonic() - began:.1f} s, struck: {counted(self.hits)}")
        return [*self._judge()]

    @property
    def _is_going_on(self) -> bool:
        return self.left["change"] > 0

    def _prepare(self) -> None:
        from django.contrib.auth.models import User  # Django is ready only now

        from cloud.services.accounts import connect_account
        from leases.models import AgencyStorageConfig
        from leases.services import create_lease

        standin = self.house.standin
        standin.reset(seed={"team": [each for number in self.world.names for each in self._entries(number)]})
        standin.page_size(20)
        AgencyStorageConfig.objects.create(
            agency=BLM, runsheet_archive_base_path=BASE, documents_base_path=BASE, misc_index_base_path=BASE
        )
        person = User.objects.create_superuser(PERSON)
        connect_account(user=person, refresh_token=f"standin-refresh-{PERSON}")
        for number in self.numbers:
            create_lease(agency=BLM, lease_number=number, created_by=person, background=True)

    def _entries(self, number: str) -> list[str]:
        where = f"{BASE}/{number}"
        return [f"{where}/", f"{where}/scan.pdf", *(f"{where}/{name}" for name in sorted(self.world.names[number]))]

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        for each in [each for each in self.later if each[0] <= now]:
            self.later.remove(each)
            each[1]()
        for wakes_at, pid in [each for each in self.asleep if each[0] <= now]:
            send(pid, signal.SIGCONT)
            self.asleep.remove((wakes_at, pid))

    # --- What happens in the archives -------------------------------------------------------------------------------

    def _change(self) -> None:
        self.left["change"] -= 1
        if not self.left["change"]:
            self.house.standin.clear_faults()
            self.hits["the last change"] += 1
            self._add(
                self.rng.choice([number for number in self.numbers if number not in self.world.names] or ["NMNM 1"])
            )
            self.later.append((time.monotonic() + OUT_OF_SIGHT_S, self._tell))
            return
        acts = [self._appears, self._goes, self._report_comes, self._report_goes, self._is_renamed, self._is_made_anew]
        act = self.rng.choice([*acts, *acts, *acts, self._is_out_of_sight, self._cursors_end])
        act()
        self.hits[act.__name__.strip("_")] += 1
        self._notify()

    def _appears(self) -> None:
        absent = [number for number in self.numbers if number not in self.world.names]
        if absent:
            self._add(self.rng.choice(absent))

    def _add(self, number: str) -> None:
        self.world.names[number] = {REPORT} if self.rng.random() < 0.5 else set()
        self.world.touched.add(number)
        self.house.standin.put(*self._entries(number))

    def _any(self) -> str:
        number = self.rng.choice(sorted(self.world.names))
        self.world.touched.add(number)
        return number

    def _goes(self) -> None:
        number = self._any()
        del self.world.names[number]
        self.house.standin.delete(f"{BASE}/{number}")

    def _report_comes(self) -> None:
        number = self._any()
        name = f"{self.rng.randrange(3)} {REPORT}"
        self.world.names[number].add(name)
        self.house.standin.put(f"{BASE}/{number}/{name}")

    def _report_goes(self) -> None:
        number = self._any()
        if self.world.names[number]:
            name = self.rng.choice(sorted(self.world.names[number]))
            self.world.names[number].discard(name)
            self.house.standin.delete(f"{BASE}/{number}/{name}")

    def _is_renamed(self) -> None:
        absent = [number for number in self.numbers if number not in self.world.names]
        if not absent:
            return
        old, new = self._any(), self.rng.choice(absent)
        self.world.touched.add(new)
        self.world.names[new] = self.world.names.pop(old)
        self._dropbox().files_move_v2(f"{BASE}/{old}", f"{BASE}/{new}")

    def _is_made_anew(self) -> None:
        number = self._any()
        self.house.standin.delete(f"{BASE}/{number}")
        self.house.standin.put(*self._entries(number))

    def _is_out_of_sight(self) -> None:
        """Nothing may be concluded from that, and nothing is left of it in the end."""
        number = self._any()
        standin = self.house.standin
        standin.sight(PERSON, f"{BASE}/{number}", "none")

        def back() -> None:
            standin.clear_sights()
            self._notify()

        self.later.append((time.monotonic() + OUT_OF_SIGHT_S, back))

    def _cursors_end(self) -> None:
        self.house.standin.reset_cursors()

    def _dropbox(self) -> Any:
        from dropbox.common import PathRoot

        from tests.dropbox_standin.clients import sdk

        root = self.house.standin.account(MOVER).root_namespace_id
        return sdk(self.house.standin, MOVER, strict=False).with_path_root(PathRoot.root(root))

    def _notify(self) -> None:
        if self.rng.random() > TOLD:
            return
        for _ in range(2 if self.rng.random() < TWICE else 1):
            if self.rng.random() < LATE:
                self.later.append((time.monotonic() + self.rng.uniform(0.5, 3), self._tell))
            else:
                self._tell()

    def _tell(self) -> None:
        """As the webhook does."""
        from cloud.models import DropboxAccount
        from core.base.clock import now

        DropboxAccount.objects.mark_changed(account_ids=[self.house.standin.account(PERSON).account_id], at=now())

    # --- What breaks ------------------------------------------------------------------------------------------------

    def _trouble(self) -> None:
        """An answer of Dropbox is lost, broken or late; it may have been acted upon, so that what is asked again comes again."""
        order = dict(self.rng.choice(TROUBLES))
        self.house.standin.fault(self.rng.choice(ROUTES), **order)  # type: ignore[arg-type]
        self.hits["trouble"] += 1

    def _blow(self) -> None:
        if self.left["blow"]:
            self.left["blow"] -= 1
            self.hits.update([cups.strike(self.house, self.rng, self.asleep)])

    # --- What came of it --------------------------------------------------------------------------------------------

    def _is_quiet(self) -> bool:
        """Whether nothing is owed, everything has been read, and what has failed for want of tries was run again."""
        from django.db.models import Q

        from cloud.models import DropboxAccount
        from discovery.models import ArchiveWatch
        from leases.models import Lease
        from storage.models import ACTIVE, IndexRun

        if self._run_again() or Lease.objects.filter(due_at__isnull=False).exists():
            return False
        if IndexRun.objects.filter(state__in=sorted(ACTIVE)).exists():
            return False
        late = Q(root__read_at__isnull=True) | Q(root__read_at__lt=DropboxAccount.objects.get().changed_at)
        watches = ArchiveWatch.objects.all()
        if not watches.exists() or watches.filter(late | ~Q(unsettled=[])).exists():
            return False
        return all(self._is_told(watch) for watch in watches)

    def _is_told(self, watch: Any) -> bool:
        """Whether the leases were told of all that runs have found."""
        from discovery.services.archive_news import ENDED, UP_TO
        from storage.models import IndexRun

        last = IndexRun.objects.filter(root=watch.root_id, state__in=ENDED, dry_run=False).order_by("-pk").first()
        return UP_TO not in watch.told and (last is None or watch.told.get(str(last.pk)) == last.generation)

    def _run_again(self) -> bool:
        """As an operator would, whose lease has used up its tries in Dropbox's troubles."""
        from django.contrib.auth.models import User

        from leases import runs
        from leases.models import Lease
        from tests.leases.starting import person_takes

        failed = list(Lease.objects.filter(state="failed", due_at__isnull=True).values_list("pk", flat=True))
        for pk in failed:
            self.hits["run again"] += 1
            person_takes(runs.FULL_DISCOVERY, lease_id=pk, user=User.objects.get())
        return bool(failed)

    def _judge(self) -> Iterator[str]:
        from leases.models import Lease
        from statemachine.models import TransitionLog

        tree = self.house.standin.tree()
        for lease in Lease.objects.order_by("pk"):
            where = f"{BASE}/{lease.lease_number}/"
            is_there = where in tree
            reports = {path[len(where) :] for path in tree if path.startswith(where) and REPORT in path}
            told = (lease.state, set(lease.matching_files))
            expected = ("done", reports) if is_there else ("not_found", set())
            if told != expected or lease.due_at:
                yield f"{lease.lease_number} is {told}, owed {lease.due_at}; expected {expected}"
            elif is_there and lease.lease_number not in self.world.touched:
                log = TransitionLog.objects.of(lease).values_list("transition", flat=True)
                if "record_not_found" in log:
                    yield f"{lease.lease_number} was always there, and was said to be not found: {list(log)}"
        names = {path[len(BASE) + 1 :].partition("/")[0] for path in tree if path.startswith(f"{BASE}/")} - {""}
        if names != set(self.world.names):
            yield f"the run has lost track of its own changes: {names ^ set(self.world.names)}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.archives", description="Break the watch over the archives.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leases", type=int, default=120)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--blows", type=int, default=12)
    parser.add_argument("--directory", default="chaos-archives", help="in .local (default: %(default)s)")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(LIMIT_S + 90, exit=True)
    with stop_signals(), breakable(LOCAL / options.directory, BUILDING) as house:
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only; the programs log to files
        play = Play(house, leases=options.leases, changes=options.changes, blows=options.blows, seed=options.seed)
        wrong = play.run()
        house.crash()
    tell(wrong, leases=options.leases, seed=options.seed)
    return 1 if wrong else 0


def tell(wrong: Sequence[str], *, leases: int, seed: int) -> None:
    """What is wrong, and in the last line how many are right."""
    for line in wrong[:20]:
        say(f"WRONG  {line}")
    say(f"{leases - len(wrong)} of {leases} leases are right about the archives (seed {seed})")


if __name__ == "__main__":
    sys.exit(main())
