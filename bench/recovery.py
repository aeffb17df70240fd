"""`python -m bench.recovery`: how soon work goes on after something was killed; see the README in this folder."""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

from bench.breakable import Plan, breakable
from core.base.errors import RunsheetError
from core.local.processes import stop_signals
from core.local.servers import LOCAL

DIRECTORY = LOCAL / "bench-recovery"
HANGING = "bench.hanging.settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is broken, and how soon work must go on: the median and every single time, in seconds."""

    what: str
    max_s: float
    median_s: float | None = None
    min_s: float = 0.0


KINDS: Mapping[str, Demand] = {
    "worker": Demand(what="SIGKILL of a worker in the middle of a job", median_s=30, max_s=60),
    "host": Demand(what="SIGKILL of a whole pool with its scheduler", median_s=30, max_s=60),
    "reconciler": Demand(what="SIGKILL of the only reconciler", median_s=30, max_s=60),
    "flushall": Demand(what="FLUSHALL while work is queued", max_s=10),
    "valkey": Demand(what="Valkey killed without persistence, from its being back", max_s=10),
}
# A hang in C code that keeps the interpreter's lock. Both from the claim that hangs: its process is killed by the hard
# limit, and another worker has taken up the work by then, since what hangs so does not renew its claim.
HANG_KINDS: Mapping[str, Demand] = {
    "hang_killed": Demand(what="a hang in C: until its process is killed", min_s=115, max_s=125),
    "hang_resumed": Demand(what="a hang in C: until its work is claimed again", max_s=125),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The times of one kind."""

    what: str
    seconds: tuple[float, ...]
    median_s: float
    max_s: float
    demanded: str
    good: bool


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"bench.recovery: {message}\n")


def main() -> int:
    options = parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals():
            found = _measure(options)
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    document = {kind: asdict(recovery) for kind, recovery in found.items()} | {"load_before": load_before}
    print(json.dumps(document, indent=2, ensure_ascii=False) if options.json else shown(found, load_before=load_before))
    return 0 if all(recovery.good for recovery in found.values()) else 1


def summary(demand: Demand, seconds: Sequence[float]) -> Recovery:
    """Median and maximum, and whether they are what is demanded."""
    median_s = statistics.median(seconds)
    in_time = min(seconds) >= demand.min_s and max(seconds) <= demand.max_s
    return Recovery(
        what=demand.what,
        seconds=tuple(round(each, 2) for each in seconds),
        median_s=round(median_s, 2),
        max_s=round(max(seconds), 2),
        demanded=demanded(demand),
        good=in_time and (demand.median_s is None or median_s <= demand.median_s),
    )


def demanded(demand: Demand) -> str:
    """The demand in words."""
    if demand.min_s:
        return f"{demand.min_s:g} to {demand.max_s:g} s"
    median = f"median ≤ {demand.median_s:g} s, " if demand.median_s is not None else ""
    return f"{median}max ≤ {demand.max_s:g} s"


def shown(found: Mapping[str, Recovery], *, load_before: float) -> str:
    """The table for a person."""
    title = "from the kill to the next claim"
    width = max(len(title), *(len(recovery.what) for recovery in found.values()))
    lines = [f"{title:<{width}}  {'n':>2}  {'median':>8}  {'max':>8}  demanded"]
    for each in found.values():
        late = "" if each.good else "  TOO LATE OR TOO SOON"
        times = f"{len(each.seconds):>2}  {each.median_s:>6.1f} s  {each.max_s:>6.1f} s"
        lines.append(f"{each.what:<{width}}  {times}  {each.demanded}{late}")
    return "\n".join([*lines, f"load of the machine before: {load_before:.1f}"])


def parser() -> Parser:
    made = Parser(prog="bench.recovery", description="Measure how soon work goes on after a kill, on real processes.")
    made.add_argument("--repeat", type=_count, default=3, metavar="N", help="times each (default: %(default)s)")
    made.add_argument("--workers", type=_count, default=4, metavar="N", help="default: %(default)s")
    made.add_argument("--only", choices=KINDS, action="append", metavar="KIND", help=f"of {', '.join(KINDS)}")
    made.add_argument("--hang", action="store_true", help="a hang in C code as well, two minutes each")
    made.add_argument("--json", action="store_true", help="print one JSON document")
    return made


def _measure(options: argparse.Namespace) -> dict[str, Recovery]:
    plan = Plan(workers=options.workers, settings_module=HANGING if options.hang else "core.settings.production")
    with breakable(DIRECTORY, plan) as house:
        from bench.kills import Kills  # noqa: PLC0415 - Django is ready only now

        kills = Kills(house, workers=options.workers, repeat=options.repeat)
        found = {
            kind: summary(KINDS[kind], [kills.measure(kind) for _ in range(options.repeat)])
            for kind in KINDS
            if not options.only or kind in options.only
        }
        if options.hang:
            hangs = [kills.hang() for _ in range(options.repeat)]
            found["hang_killed"] = summary(HANG_KINDS["hang_killed"], [hang.killed_s for hang in hangs])
            found["hang_resumed"] = summary(HANG_KINDS["hang_resumed"], [hang.resumed_s for hang in hangs])
    return found


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
