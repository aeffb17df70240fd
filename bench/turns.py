"""`python -m bench.turns`: what finding the next in line costs when hundreds of thousands wait; see the README here."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import django

from bench.discovery import Parser, whole
from bench.figures import latencies
from bench.stage import SECRETS, own_servers
from core.base.errors import RunsheetError
from core.local.processes import child_environment, run, stop_signals
from core.local.programs import MIGRATE
from core.local.servers import LOCAL

DIRECTORY = LOCAL / "bench-turns"
WARM_UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that was done many times, in one kind of line.

    Attributes:
        line: what waits in it.
    """

    line: str
    what: str
    median_s: float
    p95_s: float
    max_s: float


def main() -> int:
    options = _parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals(), _staged():
            found = list(_measure(options))
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    document = {"leases": options.leases, "load_before": load_before, "found": [asdict(each) for each in found]}
    print(json.dumps(document, indent=2) if options.json else shown(found, load_before=load_before))
    return 0


@contextmanager
def _staged() -> Iterator[None]:
    """PostgreSQL and Valkey of its own with the product's tables, Django ready in this process."""
    with own_servers(DIRECTORY) as urls:
        settings = child_environment(urls, DROPBOX_BASE_URL="", settings_module="core.settings.production")
        os.environ.update(SECRETS | settings)
        run(MIGRATE, environment=SECRETS | settings)
        django.setup()
        logging.getLogger().setLevel(logging.WARNING)
        yield


def _measure(options: argparse.Namespace) -> Iterator[Found]:
    from bench import lines  # noqa: PLC0415 - Django is ready only now

    for line, fill in lines.LINES.items():
        fill(options.leases)
        for what, do in lines.WORK.items():
            yield Found(line=line, what=what, **latencies(_timed(do, times=options.times)))


def _timed(do: Callable[[], float], *, times: int) -> list[float]:
    """How long each time took; the first, for which everything has to be loaded, do not count."""
    return [do() for _ in range(times + WARM_UP)][WARM_UP:]


def shown(found: list[Found], *, load_before: float) -> str:
    """The figures for a person."""
    width = max(len(f"{each.line}: {each.what}") for each in found)
    rows = [
        f"{each.line + ': ' + each.what:<{width}}  {each.median_s * 1000:>9.1f}  {each.p95_s * 1000:>6.1f}"
        for each in found
    ]
    load = f"load of the machine before ({os.cpu_count()} processors): {load_before:.1f}"
    return "\n".join([f"{'line':<{width}}  median ms  p95 ms", *rows, load])


def _parser() -> Parser:
    parser = Parser(prog="bench.turns", description="Measure finding the next in line.")
    parser.add_argument("--leases", type=whole(1), default=200_000, metavar="N", help="owed (default: %(default)s)")
    parser.add_argument("--times", type=whole(1), default=50, metavar="N", help="of each (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
