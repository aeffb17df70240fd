"""`manage.py discover`: from a terminal what the buttons do."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from typing import Any, override

from rich.console import Console

from core.base.folding import printable
from discovery.management.terminal import OfLeases, documents, follow, judge, person
from discovery.services.several_leases import Started, calls_of, discover_leases
from leases.calls import Calls
from leases.models import Agency, Lease

HOW = {"created": "created", "started": "started again", "at work": "was at work already"}


class Command(OfLeases):
    help = (
        "Find the runsheet archives of leases and look for a previous report in them. Leases that do not exist yet are "
        "created. Exit code 0 only if all settled and none failed; without --wait, if all were started."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agency", help=f"one of {', '.join(Agency.values)}")
        parser.add_argument("numbers", nargs="+", metavar="NUMBER", help="a lease number, such as “NMNM 0501759”")
        parser.add_argument("--only", choices=("search", "detect"), help="one workflow alone; default: both")
        super().add_arguments(parser)

    @override
    def handle(self, *, agency: str, numbers: list[str], user: str, only: Any, **options: Any) -> None:
        started = discover_leases(agency=agency, lease_numbers=numbers, user=(who := person(user)), only=only)
        calls = calls_of(started, user=who)
        console = Console(stderr=options["json"])
        told = [*_beginning(started), *([f"Dropbox calls: {calls}"] if calls.starting else [])]
        console.print("\n".join(map(printable, told)), highlight=False, markup=False)
        settled = options["wait"] and follow(lambda: _leases(started), console, user=who, timeout_s=options["timeout"])
        leases = _leases(started)
        if options["json"]:
            document = _document(started, documents(leases, user=who), leases, calls=calls)
            self.stdout.write(json.dumps(document, indent=2))
        if options["wait"]:
            judge(leases, settled=settled, timeout_s=options["timeout"])


def _leases(started: Iterable[Started]) -> list[Lease]:
    found = Lease.objects.select_related("runsheet_directory").in_bulk([each.lease_id for each in started])
    return [found[each.lease_id] for each in started if each.lease_id in found]


def _beginning(started: list[Started]) -> Iterator[str]:
    how = {each.lease_id: HOW[each.how] for each in started}
    doubts = {each.lease_id: each.doubts for each in started}
    for lease in _leases(started):
        yield f"{lease}: {how[lease.pk]}"
        yield from (f"  See whether this number is meant: {doubt}" for doubt in doubts[lease.pk])


def _document(
    started: list[Started], told: list[dict[str, Any]], leases: list[Lease], *, calls: Calls
) -> dict[str, Any]:
    by_lease = {each.lease_id: each for each in started}
    return {
        "dropbox_calls": calls.count,
        "leases": [_how(by_lease[lease.pk]) | each for lease, each in zip(leases, told, strict=True)],
    }


def _how(started: Started) -> dict[str, Any]:
    return {"how": started.how} | ({"doubts": list(started.doubts)} if started.doubts else {})
