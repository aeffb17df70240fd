"""`python -m tests.chaos.replica [--leases 200] [--beside 200000 --compare 50]`: a replica is lost in a burst, while people read lists there.

Some hundred leases come through the web within seconds, each by somebody who looks at once whether the lists show it; others read
lists and files all the time. Meanwhile the replica replays nothing, is killed and comes back, hangs and goes on. The oracle judges
each lease's history and answer; nobody may see an error, nor miss what they have just written. The last lines say how long lists took.
"""

import argparse
import faulthandler
import logging
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from statistics import quantiles
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from bench import breakable
from bench.breakable import House
from bench.standby import Standby, standby
from core.local.processes import free_port, stop_signals, supervised
from core.local.programs import web
from core.local.servers import LOCAL
from tests.chaos import plan as plans
from tests.chaos import telling
from tests.chaos.telling import say
from tests.core.local.test_processes import eventually

if TYPE_CHECKING:
    from tests.chaos.readers import Crowd

SEED = 1
BURST = replace(plans.BURST, chaos_s=22, hosts=1, latency_ms=50, made_by=("web",))
LAG_S = 2
METRICS_TOKEN = "chaos-only"
BESIDE = """
INSERT INTO leases_lease (agency, lease_number, state, due_at)
SELECT 'BLM', 'NMNM 8' || lpad(number::text, 8, '0'), 'pending', NULL FROM generate_series(1, %s) AS number
"""


class Web:
    """The console of the house, which knows the replica."""

    def __init__(self, house: House, standby: Standby) -> None:
        self.port = free_port()
        self.environment = {
            **house.environment,
            "ALLOWED_HOSTS": "127.0.0.1",
            "API_PER_MINUTE": "1000000",
            "DATABASE_REPLICA_URL": standby.url,
            "DATABASE_REPLICA_LAG_S": str(LAG_S),
            "DJANGO_SETTINGS_MODULE": BURST.settings_module,
            "METRICS_TOKEN": METRICS_TOKEN,
            "SECURE_SSL_REDIRECT": "no",
        }

    @contextmanager
    def running(self, house: House) -> Iterator[None]:
        from django.core.management import call_command  # Django is ready only now

        call_command("collectstatic", interactive=False, verbosity=0)
        program = web(bind=f"127.0.0.1:{self.port}")
        with supervised([program], environment=self.environment, logs=house.directory / "log"):
            eventually(lambda: self.reads() is not None, within_s=60)
            yield

    def reads(self) -> dict[str, float] | None:
        """How many lists were read, by why they were where they were; None: it does not answer yet."""
        asked = Request(f"http://127.0.0.1:{self.port}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        try:
            with urlopen(asked, timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return None
        found = re.findall(r'runsheet_list_reads_total\{at="\w+",why="(\w+)"\} ([0-9.]+)', text)
        return {why: float(count) for why, count in found}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.chaos.replica", description="Lose a replica in the middle of a burst.")
    parser.add_argument("--leases", type=int, default=BURST.leases)
    parser.add_argument(
        "--beside", type=int, default=0, help="so many more leases lie there, for which nothing is owed"
    )
    parser.add_argument("--compare", type=int, default=0, help="ask for the list so often here and there, at the end")
    parser.add_argument("--directory", default="chaos-replica", help="in .local (default: %(default)s)")
    options = parser.parse_args()
    faulthandler.dump_traceback_later(BURST.limit_s + 180, exit=True)
    plan = plans.make_plan(seed=SEED, profile=replace(BURST, leases=options.leases))
    building = replace(telling.building(plan), on_small_disk=())
    with stop_signals(), breakable.breakable(LOCAL / options.directory, building) as house:
        logging.getLogger().setLevel(logging.CRITICAL)  # of this process only; the programs log to files
        from django.db import connection  # Django is ready only now

        from tests.chaos.readers import Crowd
        from tests.chaos.run import Run

        if options.beside:
            with connection.cursor() as cursor:
                cursor.execute(BESIDE, [options.beside])
                cursor.execute("ANALYZE leases_lease")
        with standby(house.environment["DATABASE_URL"], house.directory / "standby") as replica:
            console = Web(house, replica)
            with console.running(house):
                run = Run(house, plan, seed=SEED, say=say)
                # A file of all that lies beside would take one reader all the time.
                crowd = Crowd(console.port, run._people.values(), readers=0 if options.beside else 1)
                run._door = crowd  # type: ignore[assignment]
                with ThreadPoolExecutor(1) as apart:
                    breaking = apart.submit(_break, replica, crowd, console)
                    violations = run.play()
                    breaking.result()
                crowd.leave()
                is_back = _is_asked_again(console, crowd)
                are_made = len(run._made) == options.leases
                crowd.compare(options.compare)
                _tell(crowd, console.reads() or {})
        house.crash()
    telling.tell(violations, leases=options.leases, seed=SEED)
    if not are_made:
        say("WRONG  not all leases were made")
    return 0 if not violations and is_back and are_made else 1


def _break(replica: Standby, crowd: "Crowd", console: Web) -> None:
    """One after the other, with time between, and each for so long that somebody has met it."""
    for phase, why, begin, end, at_s in (
        ("paused", "behind", replica.pause, replica.resume, 4),
        ("killed", "away", replica.kill, replica.start, 3),
        ("hangs", "away", replica.hang, replica.go_on, 3),
    ):
        time.sleep(at_s)
        say(f"the replica is {phase}" if phase != "hangs" else "the replica hangs")
        crowd.phase = phase
        before = (console.reads() or {}).get(why, 0)
        begin()
        time.sleep(4)
        with suppress(AssertionError):  # the last lines say that nobody has
            eventually(partial(_have_met, console, why, more_than=before), within_s=20)
        end()
        crowd.phase = "after"


def _have_met(console: Web, why: str, *, more_than: float) -> bool:
    return (console.reads() or {}).get(why, 0) > more_than


def _is_asked_again(console: Web, crowd: "Crowd") -> bool:
    """Whether lists are read at the replica once it is back."""
    from tests.chaos.readers import LIST  # Django is ready only now

    before = (console.reads() or {}).get("fresh", 0)

    def is_asked() -> bool:
        crowd.last.ask(LIST)
        return (console.reads() or {}).get("fresh", 0) > before

    try:
        eventually(is_asked, within_s=30)
    except AssertionError:
        say("WRONG  the replica is back, and no list is read there")
        return False
    return True


def _tell(crowd: "Crowd", reads: dict[str, float]) -> None:
    said = ", ".join(f"{why} {count:.0f}" for why, count in sorted(reads.items()))
    say(f"Lists by why they were read where they were: {said}")
    for phase, took_s in crowd.took_s.items():
        if len(took_s) > 1:
            median, most = quantiles(took_s, n=20)[9], quantiles(took_s, n=20)[18]
            say(
                f"The list of leases ({phase}): {len(took_s)} times, median {median * 1000:.0f} ms, p95 {most * 1000:.0f} ms"
            )


if __name__ == "__main__":
    sys.exit(main())
