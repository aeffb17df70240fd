"""`python -m bench.console`: how fast the console answers when there are many leases and files; see the README in this folder."""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import django
from django.core.management import call_command

from bench.discovery import Parser, whole
from bench.figures import latencies
from bench.stage import SECRETS, own_servers
from core.base.errors import RunsheetError
from core.local.processes import child_environment, stop_signals
from core.local.servers import LOCAL

DIRECTORY = LOCAL / "bench-console"
MOST_QUERIES = 15
LONGEST_P95_S = 0.2
# What nobody asks for but to see how long it takes; far from where a statement is stopped.
WORST, LONGEST_WORST_S = "worst: ", 2.0
WARM_UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What asking for one kind of page comes to.

    Attributes:
        queries: the most that one request asked the database.
    """

    name: str
    queries: int
    median_s: float
    p95_s: float
    max_s: float

    @property
    def is_good(self) -> bool:
        longest_s = LONGEST_WORST_S if self.name.startswith(WORST) else LONGEST_P95_S
        return 0 < self.queries <= MOST_QUERIES and self.p95_s <= longest_s


def main() -> int:
    options = _parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals(), _staged(again=options.again):
            pages = list(_measure(options))
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    document = {
        "leases": options.leases,
        "files": options.files,
        "load_before": load_before,
        "pages": [asdict(page) for page in pages],
    }
    print(json.dumps(document, indent=2) if options.json else shown(pages, load_before=load_before))
    return 0 if all(page.is_good for page in pages) else 1


@contextmanager
def _staged(*, again: bool) -> Iterator[None]:
    """PostgreSQL and Valkey of its own with the product's tables, Django ready in this process."""
    with own_servers(DIRECTORY, again=again) as urls:
        settings = child_environment(urls, DROPBOX_BASE_URL="", settings_module="core.settings.production")
        os.environ.update(SECRETS | settings)
        django.setup()
        for command in ("migrate", "collectstatic"):
            call_command(command, interactive=False, stdout=sys.stderr)
        logging.getLogger().setLevel(logging.WARNING)
        yield


def _measure(options: argparse.Namespace) -> Iterator[Page]:
    from bench import many, stored, visits  # noqa: PLC0415 - Django is ready only now

    if not options.again:
        many.fill(leases=options.leases, log=options.log)
        stored.fill(files=options.files)
    for name, visit in visits.pages().items():
        if options.only and not any(wanted in name for wanted in options.only):
            continue
        yield _timed(name, visit, times=options.requests)


def _timed(name: str, visit: Callable[[], int], *, times: int) -> Page:
    """Ask several times; the first answers, for which everything has to be loaded, do not count."""
    taken_s, queries = [], 0
    for _ in range(min(WARM_UP, times)):
        visit()
    for _ in range(times):
        began = time.perf_counter()
        queries = max(queries, visit())
        taken_s.append(time.perf_counter() - began)
    return Page(name=name, queries=queries, **latencies(taken_s))


def shown(pages: list[Page], *, load_before: float) -> str:
    """The figures for a person."""
    width = max(len(page.name) for page in pages)
    lines = [f"{'page':<{width}}  queries  median ms  p95 ms  max ms"]
    for page in pages:
        times = (page.median_s * 1000, page.p95_s * 1000, page.max_s * 1000)
        row = f"{page.name:<{width}}  {page.queries:>7}  {times[0]:>9.0f}  {times[1]:>6.0f}  {times[2]:>6.0f}"
        lines.append(row if page.is_good else f"{row}  too slow or too many")
    lines.append(f"load of the machine before ({os.cpu_count()} processors): {load_before:.1f}")
    return "\n".join(lines)


def _parser() -> Parser:
    parser = Parser(prog="bench.console", description="Measure the console's pages with many leases.")
    parser.add_argument("--leases", type=whole(1), default=200_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--log", type=whole(1), default=10, metavar="N", help="rows per lease (default: %(default)s)")
    parser.add_argument("--files", type=whole(1), default=1_000_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--requests", type=whole(1), default=100, metavar="N", help="per page (default: %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="pages whose name holds one of the words")
    parser.add_argument("--again", action="store_true", help="measure what the last run has filled")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
