"""What commands about many leases do at a terminal: whose they are, how they go, and how they end."""

import logging
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any, override

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from core.base.database import in_words
from core.base.errors import RunsheetError
from core.base.folding import printable
from discovery.advice import advice_for
from discovery.services.near_index import with_reports
from leases.models import Lease
from leases.neighbours import Near
from leases.queries import nearest_archives, passed_over_counts, reasons_not_made
from leases.states import State
from leases.words import passed_over_in_words

LOOK_AGAIN_S = 0.2
INTERRUPTED = 130
STYLES = {State.DONE: "green", State.FOUND: "green", State.NOT_FOUND: "yellow", State.FAILED: "red"}


class OfLeases(BaseCommand):
    """A command that shows how leases go.

    There are no lines of the log between those of the table, unless more words are asked for. What cannot be done is said in a
    sentence.
    """

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME", help="whose permissions and Dropbox are used")
        parser.add_argument("--wait", action="store_true", help="show the progress until all have settled")
        parser.add_argument(
            "--timeout",
            type=_seconds,
            default=600.0,
            metavar="S",
            help="wait no longer than this (default: %(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document; progress goes to stderr")

    @override
    def execute(self, *args: Any, **options: Any) -> Any:
        before = logging.root.manager.disable
        if options["verbosity"] <= 1:
            logging.disable(logging.INFO)
        try:
            return super().execute(*args, **options)
        except RunsheetError as error:
            raise CommandError(printable(str(error))) from error
        except Error as error:
            raise CommandError(in_words(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("Interrupted; the leases stay at work and settle by themselves.")
            sys.exit(INTERRUPTED)
        finally:
            logging.disable(before)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ArgumentTypeError(f"must be a number of seconds above 0, not {text!r}")
    return seconds


def person(name: str) -> User:
    """Whose permissions and Dropbox are used.

    Raises:
        CommandError: there is no such person.
    """
    name = printable(name)
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError(f"There is no active user “{name}”. Give the name that the user logs in with.")
    return found


def follow(read: Callable[[], list[Lease]], console: Console, *, user: User, timeout_s: float) -> bool:
    """Show the leases until none is owed any work; false if that takes too long.

    Args:
        read: the leases as they are by now.
        user: by whose index it is told what lies in near archives.
    """
    until = time.monotonic() + timeout_s
    with Live(console=console, auto_refresh=False) as live:
        while True:
            leases = read()
            live.update(_table(leases, user), refresh=True)
            if not any(lease.is_owed for lease in leases):
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_AGAIN_S)


def _table(leases: list[Lease], user: User) -> Table:
    table = Table("Lease", "State", "Tries", "Report", "What to do")
    nearest, passed_over, not_made = _nearest(leases, user), passed_over_counts(leases), reasons_not_made(leases)
    for lease in leases:
        table.add_row(
            escape(printable(str(lease))),
            f"[{STYLES.get(State(lease.state), 'cyan')}]{lease.get_state_display()}[/]",
            str(lease.tries) if lease.is_owed else "",
            _report(lease, passed_over.get(lease.pk, 0)),
            _what_to_do(lease, nearest.get(lease.pk, []), not_made.get(lease.pk, "")),
        )
    return table


def _nearest(leases: list[Lease], user: User) -> dict[int, list[Near]]:
    agencies, found = {lease.pk: lease.agency for lease in leases}, nearest_archives(leases)
    return {pk: with_reports(near, agency=agencies[pk], user=user) for pk, near in found.items()}


def _what_to_do(lease: Lease, nearest: list[Near], not_made: str) -> str:
    advice = lease.failure_message or advice_for(lease)
    if not_made:
        advice = f"Not made: {not_made} {advice}"
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


def documents(leases: list[Lease], *, user: User) -> list[dict[str, Any]]:
    """The leases for programs.

    Args:
        user: by whose index it is told what lies in near archives.
    """
    nearest, passed_over, not_made = _nearest(leases, user), passed_over_counts(leases), reasons_not_made(leases)
    return [
        _told(nearest.get(lease.pk), passed_over.get(lease.pk, 0))
        | ({"not_made": not_made[lease.pk]} if lease.pk in not_made else {})
        | _described(lease)
        for lease in leases
    ]


def _told(nearest: list[Near] | None, passed_over: int) -> dict[str, Any]:
    """What there is not of every lease."""
    remains = {"passed_over_count": passed_over} if passed_over else {}
    return remains | ({} if nearest is None else _told_of(nearest))


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


def judge(leases: list[Lease], *, settled: bool, timeout_s: float) -> None:
    """End well only where all have settled and none has failed.

    Raises:
        CommandError: says which have not.
    """
    if not settled:
        working = ", ".join(str(lease) for lease in leases if lease.is_owed)
        raise CommandError(printable(f"Still at work after {timeout_s:g} s: {working}. They settle by themselves."))
    if failed := [str(lease) for lease in leases if lease.state == State.FAILED]:
        raise CommandError(printable(f"Failed: {', '.join(failed)}. It says above why, and what to do."))
