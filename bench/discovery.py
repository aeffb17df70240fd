"""`python -m bench.discovery`: how fast leases are discovered; see the README in this folder."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import NoReturn

from bench.figures import PREDECESSOR, Figures, latencies, per_lease, shown
from bench.memory import watched
from bench.processors import Stopwatch, spent
from bench.stage import POSTGRES_LOG, Stage, staged
from core.base.errors import RunsheetError
from core.local.processes import stop_signals

# So many for each worker that all of them have done some.
WARMING_UP = 5


class Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"bench.discovery: {message}\n")


def main() -> int:
    options = _parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals(), staged(workers=options.workers) as stage:
            figures = _measure(stage, options, load_before=load_before)
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    document = asdict(figures) | {"predecessor": PREDECESSOR}
    print(json.dumps(document, indent=2) if options.json else shown(figures))
    return 0


def _measure(stage: Stage, options: argparse.Namespace, *, load_before: float) -> Figures:
    from bench import leases  # noqa: PLC0415 - Django is ready only now
    from bench.statements import looking_on, told  # noqa: PLC0415 - the same

    warming_up = WARMING_UP * options.workers
    person = leases.prepare(stage.standin, count=options.leases + warming_up)
    # The first leases wait for the workers to be up; they are not measured.
    leases.burst(person, [leases.number(options.leases + each) for each in range(1, warming_up)])
    with told(POSTGRES_LOG) as sent:
        one = leases.start(person, leases.number(options.leases + warming_up))
        with looking_on():
            leases.wait_until_settled([one])
    stage.standin.latency(options.latency_ms)
    stage.standin.clear_journal()
    discover = leases.serial if options.mode == "serial" else leases.burst
    creating = Stopwatch()
    with watched(stage.pool_pid) as peak, spent(stage.parts) as taken:
        made = discover(person, [leases.number(each) for each in range(1, options.leases + 1)], watch=creating)
    processor_ms = {
        part: seconds * 1000 / options.leases
        for part, seconds in {"creator": creating.seconds, **taken.seconds}.items()
    }
    each_s, elapsed_s = leases.took_s(made)
    calls = stage.standin.journal()
    at_work = 1 if options.mode == "serial" else options.workers
    return Figures(
        mode=options.mode,
        leases=options.leases,
        workers=options.workers,
        latency_ms=options.latency_ms,
        calls_per_lease=per_lease([call.route for call in calls], options.leases),
        **latencies(each_s),
        elapsed_s=elapsed_s,
        leases_per_s=options.leases / elapsed_s,
        latency_share=sum(call.duration_s for call in calls) / ((sum(each_s) if at_work == 1 else elapsed_s) * at_work),
        processor_ms_per_lease=sum(processor_ms.values()),
        processor_ms_by_part=processor_ms,
        statements_to_create=sent.count("creator"),
        statements_to_work=sent.count("workers"),
        frames_to_create=sent.frame_count("creator"),
        frames_to_work=sent.frame_count("workers"),
        peak_bytes=peak.bytes,
        memory_kind=peak.kind,
        load_before=load_before,
        processors=os.cpu_count() or 1,
    )


def _parser() -> Parser:
    parser = Parser(prog="bench.discovery", description="Measure the discovery of leases on real servers.")
    parser.add_argument("--leases", type=whole(1), default=100, metavar="N", help="default: %(default)s")
    parser.add_argument("--latency-ms", type=whole(0), default=50, metavar="N", help="per call (default: %(default)s)")
    parser.add_argument("--workers", type=whole(1), default=4, metavar="N", help="default: %(default)s")
    parser.add_argument("--mode", choices=("serial", "burst"), default="serial", help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


class whole:  # noqa: N801 - argparse shows it as the name of a type
    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text) >= self.least):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {self.least} on")
        return int(text)


if __name__ == "__main__":
    sys.exit(main())
