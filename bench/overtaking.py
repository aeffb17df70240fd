"""`python -m bench.overtaking`: how long one lease takes that is started by hand while an import keeps all workers busy."""

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass

from bench.discovery import Parser, whole
from bench.stage import Stage, staged
from core.base.errors import RunsheetError
from core.local.processes import stop_signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaking:
    """One measurement.

    Attributes:
        seconds: of each lease by hand, from its commit to its being settled.
        imported_settled: how many of the imported leases had settled by then: the import goes on meanwhile.
    """

    imported: int
    workers: int
    latency_ms: int
    ceiling: int
    seconds: list[float]
    imported_settled: int

    def shown(self) -> str:
        ceiling = f"at most {self.ceiling} calls per second" if self.ceiling else "no ceiling"
        return (
            f"{self.imported} leases imported, {self.workers} workers, {self.latency_ms} ms per call, {ceiling}\n"
            f"{len(self.seconds)} by hand: median {statistics.median(self.seconds):.1f} s, longest "
            f"{max(self.seconds):.1f} s; {self.imported_settled} of the import settled meanwhile"
        )


def main() -> int:
    options = _parser().parse_args()
    try:
        with stop_signals(), staged(workers=options.workers, ceiling=options.ceiling) as stage:
            found = _measure(stage, options)
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(asdict(found), indent=2) if options.json else found.shown())
    return 0


def _measure(stage: Stage, options: argparse.Namespace) -> Overtaking:
    from bench import leases  # noqa: PLC0415 - Django is ready only now

    person = leases.prepare(stage.standin, count=options.leases + options.by_hand)
    # The first lease waits for the workers to be up; it is not measured.
    leases.serial(person, [leases.number(0)])
    stage.standin.latency(options.latency_ms)
    imported = leases.imported(person, [leases.number(each) for each in range(1, options.leases + 1)])
    seconds = []
    for each in range(options.by_hand):
        time.sleep(options.pause_s)  # the import goes on; the queue is as full as it gets
        made = leases.serial(person, [leases.number(options.leases + 1 + each)])
        seconds.append(leases.took_s(made)[1])
    return Overtaking(
        imported=options.leases,
        workers=options.workers,
        latency_ms=options.latency_ms,
        ceiling=options.ceiling,
        seconds=seconds,
        imported_settled=leases.settled_count(imported),
    )


def _parser() -> Parser:
    parser = Parser(prog="bench.overtaking", description="Measure a lease by hand while an import is under way.")
    parser.add_argument("--leases", type=whole(1), default=5000, metavar="N", help="imported (default: %(default)s)")
    parser.add_argument("--by-hand", type=whole(1), default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--pause-s", type=whole(0), default=4, metavar="N", help="before each (default: %(default)s)")
    parser.add_argument("--latency-ms", type=whole(0), default=300, metavar="N", help="per call (default: %(default)s)")
    parser.add_argument("--workers", type=whole(1), default=4, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--ceiling", type=whole(0), default=0, metavar="N", help="calls per second (default: %(default)s, none)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
