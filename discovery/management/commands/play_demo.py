"""`manage.py play_demo`: what `manage.py demo` runs once its servers, stand-in and workers are there."""

import json
import logging
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping
from typing import Any, override

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from core.base.folding import fold_case
from discovery.services.demo_data import OPERATOR
from discovery.services.demo_examples import EXAMPLES, Example, account_of, run_again, set_up, start_examples
from leases.models import Lease
from leases.states import State

LOOK_AGAIN_S = 0.15
LONGEST_S = 55.0
CONTROL_TIMEOUT_S = 10
# Where there is no terminal, lines are cut by nobody.
WIDTH_WITHOUT_TERMINAL = 200
STYLES = {State.DONE: "green", State.NOT_FOUND: "yellow", State.FAILED: "red", State.PENDING: "dim"}


class Command(BaseCommand):
    help = "Make one lease for every outcome in an empty database, and judge how they end; use `manage.py demo`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document; progress goes to stderr")

    @override
    def execute(self, *args: Any, **options: Any) -> str | None:
        """With nothing of the log but warnings between the lines; the workers have a log file."""
        before = logging.root.manager.disable
        logging.disable(logging.INFO)
        try:
            return super().execute(*args, **options)
        finally:
            logging.disable(before)

    @override
    def handle(self, *, json: bool, **options: Any) -> None:
        if Lease.objects.exists():
            raise CommandError("There are leases in this database already. Run `manage.py demo`, which uses its own.")
        console = _console(stderr=json)
        console.print(
            f"Retries wait for about {settings.DISCOVERY_BACKOFF_BASE_S:g} s, twice as long each time, instead of the "
            "2 s of production (DISCOVERY_BACKOFF_BASE_S)."
        )
        accounts = _play(console)
        ok = all(each["as_it_should"] for each in accounts)
        self._tell(accounts, console, ok=ok, as_json=json)
        if not ok:
            sys.exit(1)

    def _tell(self, accounts: list[dict[str, Any]], console: Console, *, ok: bool, as_json: bool) -> None:
        if as_json:
            document = {"ok": ok, "backoff_base_s": settings.DISCOVERY_BACKOFF_BASE_S, "leases": accounts}
            self.stdout.write(json.dumps(document, indent=2))
            return
        console.print(_summary(accounts))
        wrong = [f"{each['outcome']}: {'; '.join(each['differences'])}" for each in accounts if each["differences"]]
        console.print("\n".join(wrong) or f"All {len(accounts)} leases ended as they should.", highlight=False)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH_WITHOUT_TERMINAL)


def _play(console: Console) -> list[dict[str, Any]]:
    """Order the faults, start the leases, show them until they have settled, and say what became of each."""
    _order_faults()
    set_up()
    until = time.monotonic() + LONGEST_S
    with Live(console=console, auto_refresh=False, transient=True) as live:
        examples = start_examples(begins_last=False)
        _show_until_settled(examples, live, until=until, only=OPERATOR)
        run_again(examples)
        examples |= start_examples(begins_last=True)
        _show_until_settled(examples, live, until=until)
    calls = _calls_by_path()
    leases = Lease.objects.select_related("runsheet_directory").in_bulk(examples)
    return [
        account_of(leases[pk], example, dropbox_calls=calls[fold_case(example.path)])
        for pk, example in examples.items()
    ]


def _order_faults() -> None:
    for example in EXAMPLES:
        if example.fault:
            _control("POST", "faults", {"route": "files/list_folder", "path": example.path, **example.fault})


def _calls_by_path() -> Counter[str]:
    calls = _control("GET", "journal")["calls"]
    return Counter(fold_case(call["path"]) for call in calls if call["path"])


def _control(method: str, where: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Ask the stand-in's control API."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(
            method, f"{settings.DROPBOX_BASE_URL}/standin/{where}", json=body, timeout=CONTROL_TIMEOUT_S
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    return found


def _show_until_settled(examples: Mapping[int, Example], live: Live, *, until: float, only: str | None = None) -> None:
    """Show all; wait for those of one person, or for all."""
    awaited = [pk for pk, example in examples.items() if only in (None, example.created_by)]
    while time.monotonic() < until:
        leases = Lease.objects.in_bulk(examples)
        live.update(_states(examples, leases), refresh=True)
        if not any(leases[pk].is_owed for pk in awaited):
            return
        time.sleep(LOOK_AGAIN_S)


def _states(examples: Mapping[int, Example], leases: Mapping[int, Lease]) -> Table:
    table = Table("Outcome", "Lease", "State", "Try", "Last trouble")
    for pk, example in examples.items():
        lease = leases[pk]
        trouble = lease.failure_message if lease.is_owed else ""
        tries = str(lease.tries) if lease.is_owed and lease.tries else ""
        table.add_row(example.outcome, str(lease), _coloured(lease.state), tries, trouble)
    return table


def _summary(accounts: list[dict[str, Any]]) -> Table:
    # Legible in 100 columns: what is short is not broken, so that the advice gets the rest.
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    table.add_column("Outcome")
    for name in ("State", "Share link", "Report", "Tries", "Calls", "Seconds"):
        table.add_column(name, no_wrap=True)
    table.add_column("What to do")
    for each in accounts:
        table.add_row(
            "[green]ok[/]" if each["as_it_should"] else "[bold red]NO[/]",
            f"{each['outcome']}\n[dim]{each['lease']}[/]",
            _coloured(each["state"]),
            _link(each),
            _report(each),
            str(each["tries"]),
            str(each["dropbox_calls"]),
            f"{each['seconds']:.1f}",
            f"Nearest: {each['nearest']}. {each['advice']}" if each["nearest"] else each["advice"],
        )
    return table


def _report(account: dict[str, Any]) -> str:
    if account["report_found"]:
        return "found" if account["state"] == State.DONE else "found (kept)"
    return "none" if account["state"] == State.DONE else "—"


def _link(account: dict[str, Any]) -> str:
    if account["share_url"]:
        return f"[link={account['share_url']}]yes[/link]"
    return "refused" if account["share_refusal"] else "—"


def _coloured(state: str) -> str:
    return f"[{STYLES.get(State(state), 'cyan')}]{state}[/]"
