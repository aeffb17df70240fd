"""`manage.py make_archives`: from a terminal what “Make the missing archives” does."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, override

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rich.console import Console

from core.base.folding import printable
from discovery.management.terminal import OfLeases, documents, follow, judge, person
from discovery.services.missing_archives import Missing, NothingMissing, leases_of, look_at_missing
from leases.making import CALLS_PER_ARCHIVE, confirm_may_make, make_archives
from leases.models import Agency, Lease
from statemachine.batches import items_of


class Command(OfLeases):
    help = (
        "Make the archives that are missing, with their subfolders, as one batch: each is searched for once more, and none "
        "is made where an archive of a near name lies beside it that is no other lease's. Exit code 0 only if all settled and "
        "none failed; without --wait, if all were started; with --dry-run, if they could be."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("agency", help=f"one of {', '.join(Agency.values)}")
        parser.add_argument(
            "numbers", nargs="*", metavar="NUMBER", help="a lease number; none: all whose archives were not found"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would be made and what not, and start nothing"
        )
        super().add_arguments(parser)

    @override
    def handle(self, *, agency: str, numbers: list[str], user: str, dry_run: bool, **options: Any) -> None:
        who, console = person(user), Console(stderr=options["json"])
        records = leases_of(agency=agency, numbers=numbers)
        missing = look_at_missing(records, agency=agency, user=who)
        console.print("\n".join(map(printable, _plan(missing))), highlight=False, markup=False)
        if not dry_run:
            if not any(each.is_startable for each in missing):
                raise NothingMissing
            self._make(records, who, console, **options)
            return
        if options["json"]:
            self.stdout.write(json.dumps(_planned(missing), indent=2))
        confirm_may_make(who)

    def _make(self, records: QuerySet[Lease], user: User, console: Console, **options: Any) -> None:
        batch = make_archives(records, user, which="")
        pks = list(items_of(Lease)._default_manager.filter(batch=batch.pk).values_list("record", flat=True))

        def read() -> list[Lease]:
            found = Lease.objects.filter(pk__in=pks).select_related("runsheet_directory")
            return list(found.order_by("lease_number"))

        calls = len(pks) * CALLS_PER_ARCHIVE
        console.print(f"Started: {batch.title}, as batch {batch.pk}. Dropbox calls: about {calls}.", highlight=False)
        settled = options["wait"] and follow(read, console, user=user, timeout_s=options["timeout"])
        leases = read()
        if options["json"]:
            told = {"batch": batch.pk, "dropbox_calls": calls, "leases": documents(leases, user=user)}
            self.stdout.write(json.dumps(told, indent=2))
        if options["wait"]:
            judge(leases, settled=settled, timeout_s=options["timeout"])


def _plan(missing: list[Missing]) -> Iterator[str]:
    yield from (f"{each.lease}: {each.sentence}" for each in missing)
    made = sum(not each.why_not for each in missing)
    yield f"By what is known now {made:,} would be made, and {len(missing) - made:,} not; the run looks again."


def _planned(missing: list[Missing]) -> dict[str, Any]:
    return {
        "leases": [
            {
                "id": each.lease.pk,
                "agency": each.lease.agency,
                "lease_number": each.lease.lease_number,
                "path": each.path,
                "is_made": not each.why_not,
                "why_not": each.why_not or None,
                "beside_is_known": each.is_seen,
            }
            for each in missing
        ]
    }
