"""`manage.py discover`: from a terminal what the buttons do."""

import json
import logging
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from core.base.database import in_words
from core.base.errors import Refused
from core.base.folding import printable
from discovery.advice import advice_for
from discovery.services.several_leases import Started, discover_leases
from leases.models import Agency, Lease
from leases.neighbours import Near
from leases.queries import nearest_archives, passed_over_counts
from leases.states import State
from leases.words import passed_over_in_words

LOOK_AGAIN_S = 0.2
INTERRUPTED = 130
HOW = {"created": "created", "started": "started again", "at work": "was at work already"}
STYLES = {State.DONE: "green", State.FOUND: "green", State.NOT_FOUND: "yellow", State.FAILED: "red"}


class Command(BaseCommand):
    help = (
        "Find the runsheet archives of leases and look for a previous report in them. Leases that do not exist yet are "
        "created. Exit code 0 only if all settled and none failed; without --wait, if all were started."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agency", help=f"one of {', '.join(Agency.values)}")
        parser.add_argument("numbers", nargs="+", metavar="NUMBER", help="a lease number, such as “NMNM 0501759”")
        parser.add_argument("--user", required=True, metavar="NAME", help="whose permissions and Dropbox are used")
        parser.add_argument("--only", choices=("search", "detect"), help="one workflow alone; default: both")
        parser.add_argument("--wait", action="store_true", help="show the progress until all have settled")
        parser.add_argument(
            "--timeout",
            type=_seconds,
            default=600.0,
            metavar="S",
            help="wait no longer than this (default: %(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document; progress goes to stderr")

    def execute(self, *args: Any, **options: Any) -> Any:
        """With no lines of the log between those of the table, unless more words are asked for."""
        before = logging.root.manager.disable
        if options["verbosity"] <= 1:
            logging.disable(logging.INFO)
        try:
            return super().execute(*args, **options)
        finally:
            logging.disable(before)

    def handle(self, *, agency: str, numbers: list[str], user: str, only: Any, **options: Any) -> None:
        try:
            started = discover_leases(agency=agency, lease_numbers=numbers, user=_person(user), only=only)
            console = Console(stderr=options["json"])
            console.print("\n".join(map(printable, _beginning(started))), highlight=False, markup=False)
            settled = options["wait"] and _follow(started, console, timeout_s=options["timeout"])
            leases = _leases(started)
        except Refused as error:
            raise CommandError(printable(str(error))) from error
        except Error as error:
            raise CommandError(in_words(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("Interrupted; the leases stay at work and settle by themselves.")
            sys.exit(INTERRUPTED)
        if options["json"]:
            self.stdout.write(json.dumps(_document(started, leases), indent=2))
        if options["wait"]:
            _judge(leases, settled=settled, timeout_s=options["timeout"])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"must be a number of seconds above 0, not {text!r}")
    return seconds


def _person(name: str) -> User:
    name = printable(name)
    person = User.objects.filter(username=name, is_active=True).first()
    if person is None:
        raise CommandError(f"There is no active user “{name}”. Give the name that the user logs in with.")
    return person


def _leases(started: Iterable[Started]) -> list[Lease]:
    found = Lease.objects.select_related("runsheet_directory").in_bulk([each.lease_id for each in started])
    return [found[each.lease_id] for each in started if each.lease_id in found]


def _beginning(started: list[Started]) -> Iterator[str]:
    how = {each.lease_id: HOW[each.how] for each in started}
    doubts = {each.lease_id: each.doubts for each in started}
    for lease in _leases(started):
        yield f"{lease}: {how[lease.pk]}"
        yield from (f"  See whether this number is meant: {doubt}" for doubt in doubts[lease.pk])


def _follow(started: list[Started], console: Console, *, timeout_s: float) -> bool:
    """Show the leases until none is owed any work; false if that takes too long."""
    until = time.monotonic() + timeout_s
    with Live(console=console, auto_refresh=False) as live:
        while True:
            leases = _leases(started)
            live.update(_table(leases), refresh=True)
            if not any(lease.is_owed for lease in leases):
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_AGAIN_S)


def _table(leases: list[Lease]) -> Table:
    table = Table("Lease", "State", "Tries", "Report", "What to do")
    nearest, passed_over = nearest_archives(leases), passed_over_counts(leases)
    for lease in leases:
        table.add_row(
            escape(printable(str(lease))),
            f"[{STYLES.get(State(lease.state), 'cyan')}]{lease.get_state_display()}[/]",
            str(lease.tries) if lease.is_owed else "",
            _report(lease, passed_over.get(lease.pk, 0)),
            _what_to_do(lease, nearest.get(lease.pk, [])),
        )
    return table


def _what_to_do(lease: Lease, nearest: list[Near]) -> str:
    advice = lease.failure_message or advice_for(lease)
    if nearest:
        advice = f"{advice}. Nearest archives: {', '.join(map(str, nearest))}"
    return escape(printable(advice))


def _report(lease: Lease, passed_over: int) -> str:
    found, is_old = lease.known_report
    if found is None:
        return ""
    none = f"none; {passed_over_in_words(passed_over)}" if passed_over else "none"
    names = "\n".join(map(printable, lease.matching_names)) or none
    return escape(f"last known: {names}" if is_old else names)


def _document(started: list[Started], leases: list[Lease]) -> dict[str, Any]:
    by_lease = {each.lease_id: each for each in started}
    nearest, passed_over = nearest_archives(leases), passed_over_counts(leases)
    return {
        "leases": [
            {
                "how": by_lease[lease.pk].how,
                **_told(by_lease[lease.pk], nearest.get(lease.pk), passed_over.get(lease.pk, 0)),
                **_described(lease),
            }
            for lease in leases
        ]
    }


def _told(started: Started, nearest: list[Near] | None, passed_over: int) -> dict[str, Any]:
    """What there is not of every lease."""
    doubts = {"doubts": list(started.doubts)} if started.doubts else {}
    remains = {"passed_over_count": passed_over} if passed_over else {}
    return doubts | remains | ({} if nearest is None else _told_of(nearest))


def _told_of(nearest: list[Near]) -> dict[str, Any]:
    """The names, and of each whether it has a report; null where nobody has looked."""
    reports = {near.name: near.has_report for near in nearest}
    return {"nearest": list(reports), "nearest_reports": reports}


def _described(lease: Lease) -> dict[str, Any]:
    place = lease.runsheet_directory
    return {
        "id": lease.pk,
        "agency": lease.agency,
        "lease_number": lease.lease_number,
        "state": lease.state,
        "settled": not lease.is_owed,
        "path": place.path if place else None,
        "share_url": lease.runsheet_link or None,
        "share_refusal": (place.share_refusal if place else "") or None,
        "report_found": lease.runsheet_report_found if lease.state == State.DONE else None,
        "matching_files": lease.matching_files,
        "matching_count": lease.matching_count,
        "failure_code": lease.failure_code or None,
        "failure_message": lease.failure_message or None,
        "advice": advice_for(lease),
    }


def _judge(leases: list[Lease], *, settled: bool, timeout_s: float) -> None:
    if not settled:
        working = ", ".join(str(lease) for lease in leases if lease.is_owed)
        raise CommandError(printable(f"Still at work after {timeout_s:g} s: {working}. They settle by themselves."))
    if failed := [str(lease) for lease in leases if lease.state == State.FAILED]:
        raise CommandError(printable(f"Failed: {', '.join(failed)}. It says above why, and what to do."))
