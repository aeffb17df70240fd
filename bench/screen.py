"""`python -m bench.screen`: how soon a change of state is on the screen; see the README in this folder."""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connections

from bench.discovery import Parser, whole
from bench.figures import latencies
from bench.stage import DIRECTORY, staged
from core.base.errors import RunsheetError
from core.local.processes import child_environment, free_port, stop_signals, supervised
from core.local.programs import web
from core.local.servers import ServerUrls
from dropbox_standin.client import Standin

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
ANSWERS_S = 30.0
LONGEST_S = 2.0
# Longer than the page's pace; another one for each lease, so that the changes come at every instant between two polls.
LATENCY_MS = 1500
STEP_MS = 187
# Notes when the state of a lease on the page becomes another one.
WATCH = """
window.noted = [];
const badges = () => document.querySelectorAll("#record-state .state, #record-rows tr .state");
const known = new Map();
const look = () => badges().forEach((badge) => {
    const box = badge.closest("tr")?.querySelector("input.action-select");
    const lease = box ? box.value : location.pathname.match(/lease\\/(\\d+)/)?.[1];
    const state = badge.className.match(/state-(\\w+)/)[1];
    if (known.has(lease) && known.get(lease) !== state) window.noted.push([Number(lease), state, Date.now() / 1000]);
    known.set(lease, state);
});
document.addEventListener("DOMContentLoaded", () => {
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
});
"""


class NoBrowser(RunsheetError):
    """The page cannot be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How soon the changes of state were on one page, from the transition's instant to the page's change."""

    page: str
    changes: int
    median_s: float
    p95_s: float
    max_s: float


def main() -> int:
    options = _parser().parse_args()
    load_before = os.getloadavg()[0]
    try:
        with stop_signals():
            seen = list(_measure(options))
    except RunsheetError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    document = {"load_before": load_before, "pages": [asdict(each) for each in seen]}
    print(json.dumps(document, indent=2) if options.json else shown(seen, load_before=load_before))
    return 0 if all(each.max_s <= LONGEST_S for each in seen) else 1


def _measure(options: argparse.Namespace) -> Iterator[Seen]:
    """Raises: NoBrowser."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise NoBrowser("There is no Chromium here: install it (Debian: apt-get install chromium).")
    with _served(count=options.leases) as (address, person, standin):
        yield from _watch(address, executable, person, options.leases, standin)


@contextmanager
def _served(*, count: int) -> Iterator[tuple[str, Any, Standin]]:
    """The console at work, its address, somebody whose password is their name, and the Dropbox with so many archives."""
    with staged(workers=2) as stage:
        from bench import leases  # noqa: PLC0415 - Django is ready only now

        person = leases.prepare(stage.standin, count=count)
        person.set_password(person.username)
        person.save()
        address = f"http://127.0.0.1:{(port := free_port())}"
        urls = ServerUrls(database_url=os.environ["DATABASE_URL"], redis_url=os.environ["REDIS_URL"])
        # The settings for production speak TLS only.
        environment = child_environment(urls, DROPBOX_BASE_URL=os.environ["DROPBOX_BASE_URL"])
        with supervised([web(bind=f"127.0.0.1:{port}")], environment=environment, logs=DIRECTORY / "log") as children:
            children.wait_for(f"{address}/health/live", timeout_s=ANSWERS_S)
            yield address, person, stage.standin


def _watch(address: str, executable: str, person: Any, count: int, standin: Standin) -> Iterator[Seen]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - needed here only

    from bench import leases  # noqa: PLC0415 - Django is ready only now

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's event loop runs in this thread
    made: list[int] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS, chromium_sandbox=False)
        page = browser.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{address}/admin/")
        page.get_by_label("Username").fill(person.username)
        page.get_by_label("Password").fill(person.username)
        page.get_by_role("button", name="Log in").click()
        noted = []
        for each in range(count):
            standin.latency(LATENCY_MS + each * STEP_MS % 1000)
            made.append(leases.start(person, leases.number(each)))
            page.goto(f"{address}/admin/leases/lease/{made[-1]}/change/")
            page.locator("#record-state .state-done").wait_for()
            noted += page.evaluate("window.noted")
        yield Seen(page="lease page", changes=len(noted), **latencies(leases.delays_s(noted)))

        page.goto(f"{address}/admin/leases/lease/")
        leases.start_again(person, made)
        page.reload()
        page.wait_for_function("n => document.querySelectorAll('#record-rows .state-done').length === n", arg=count)
        noted = page.evaluate("window.noted")
        yield Seen(page="list", changes=len(noted), **latencies(leases.delays_s(noted)))
        browser.close()
        connections.close_all()  # those that belong to that event loop


def shown(seen: list[Seen], *, load_before: float) -> str:
    """The figures for a person."""
    lines = [f"{'page':<12}  changes  median s  p95 s  max s"]
    for each in seen:
        row = f"{each.page:<12}  {each.changes:>7}  {each.median_s:>8.2f}  {each.p95_s:>5.2f}  {each.max_s:>5.2f}"
        lines.append(row if each.max_s <= LONGEST_S else f"{row}  too late")
    lines.append(f"load of the machine before ({os.cpu_count()} processors): {load_before:.1f}")
    return "\n".join(lines)


def _parser() -> Parser:
    parser = Parser(prog="bench.screen", description="Measure how soon a change of state is on the screen.")
    parser.add_argument("--leases", type=whole(1), default=12, metavar="N", help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
