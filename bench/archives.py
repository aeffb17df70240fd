"""`python -m bench.archives`: many leases of one agency, imported at once; see the README in this folder."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from bench.discovery import Parser, whole
from bench.memory import watched
from bench.processors import Stopwatch, spent
from bench.stage import SECRETS, Stage, program_running, staged
from core.base.errors import RunsheetError
from core.local.processes import stop_signals
from core.local.programs import worker

STORAGE = "storage"


def main() -> int:
    options = _parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals(), _whole_stage(options) as stage:
            figures = _measure(stage, options) | {"load_before": load_before}
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(figures, indent=None if options.json else 2))
    return 0


@contextmanager
def _whole_stage(options: argparse.Namespace) -> Iterator[Stage]:
    """With workers for the runs of the index, too."""
    with ExitStack() as stack:
        SECRETS["ARCHIVE_WATCH_EVERY_S"] = "5"
        stage = stack.enter_context(staged(workers=options.workers, ceiling=options.ceiling))
        readers = stack.enter_context(program_running(worker(count=1, queue=STORAGE), stage.environment, name="index"))
        stage.parts["index"] = readers
        yield stage


def _measure(stage: Stage, options: argparse.Namespace) -> dict[str, Any]:
    from bench import archive_leases  # noqa: PLC0415 - Django is ready only now

    person = archive_leases.prepare(
        stage.standin, leases=options.leases, entries=options.entries, workers=options.workers
    )
    stage.standin.latency(options.latency_ms)
    archive_leases.configure()
    stage.standin.clear_journal()
    if options.planted:
        archive_leases.plant(stage.standin, person)
    first_scan = {"first_scan": _first_scan(stage, person)} if options.entries else {}
    stage.standin.clear_journal()
    creating = Stopwatch()
    with spent(stage.parts) as taken:
        with creating.running():
            leases = archive_leases.imported(person, leases=options.leases)
        archive_leases.wait_until_settled()
    calls = archive_leases.by_kind(stage.standin)
    return {
        "leases": options.leases,
        "latency_ms": options.latency_ms,
        "ceiling": options.ceiling,
        **calls,
        "settled_s": archive_leases.settled_s(leases),
        **_processor_ms({"creator": creating.seconds, **taken.seconds}, options.leases),
        "false_answers": archive_leases.false_answers(stage.standin),
        **first_scan,
    }


def _processor_ms(seconds: Mapping[str, float], leases: int) -> dict[str, Any]:
    by_part = {part: round(taken * 1000 / leases, 3) for part, taken in seconds.items()}
    return {"processor_ms_per_lease": round(sum(by_part.values()), 3), "processor_ms_by_part": by_part}


def _first_scan(stage: Stage, person: Any) -> dict[str, Any]:
    """What it takes to read all of it once."""
    from bench import archive_leases  # noqa: PLC0415 - as above

    began = time.monotonic()
    with watched(stage.parts["index"]) as peak, spent(stage.parts) as taken:
        archive_leases.read_whole(person)
    return {
        "entries": archive_leases.entries(),
        "calls": len(stage.standin.journal()),
        "seconds": round(time.monotonic() - began, 2),
        "processor_s": {part: round(seconds, 2) for part, seconds in taken.seconds.items()},
        "peak_bytes": peak.bytes,
    }


def _parser() -> Parser:
    parser = Parser(prog="bench.archives", description="Measure many leases that are answered from what is known.")
    parser.add_argument("--leases", type=whole(1), default=10_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--latency-ms", type=whole(0), default=300, metavar="N", help="per call (default: %(default)s)")
    parser.add_argument("--ceiling", type=whole(0), default=12, metavar="N", help="calls per second; 0: none")
    parser.add_argument("--workers", type=whole(1), default=4, metavar="N", help="default: %(default)s")
    parser.add_argument("--entries", type=whole(1), metavar="N", help="measure the first scan of so many, too")
    parser.add_argument("--planted", action="store_true", help="leave out the scan: the index is there when they begin")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
