"""`manage.py preflight`: what the migrations that are still to be made lock, and for how long."""

import json
from dataclasses import asdict
from typing import Any, override

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from core.management.backups import ALL_WELL, REMARKS, mb, plainly
from core.preflight import FELT_S, REHEARSE, Hold, Rehearsed, as_json, holds, is_migrated, rehearse, rehearsed_in_copy
from core.settings import addresses

HELP = """Makes the migrations that are still to be made in an empty copy of the database, and tells what each of them locks there and for how
long that will be here, by the sizes of the tables. Nothing of the database itself is changed. Exit code 0: nobody waits for longer than a
second; 1: somebody does, or it is not known; 2: it could not be found out; 3: refused. See docs/how-to/change-the-database.md."""

# The process list shows what stands in a command line.
BESIDE = "PREFLIGHT_PASSWORD"


class Command(BaseCommand):
    """In the foreground."""

    help = HELP
    requires_system_checks = ()  # the database is not as the code wants it yet

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--server",
            metavar="URL",
            help=f"where the copy is made, with a user who may create databases (CREATEDB), whose password is in {BESIDE} "
            f"or in the file that {BESIDE}_FILE names; default: DATABASE_URL",
        )
        parser.add_argument("--json", action="store_true", help="one JSON document")
        parser.add_argument(REHEARSE, action="store_true", help="for itself: make them in this very database")

    @override
    def handle(self, **options: Any) -> None:
        if options["rehearse"]:
            plainly(self, self._rehearse)
        plainly(self, lambda: self._look(options))

    def _rehearse(self) -> int:
        self.stdout.write(as_json(rehearse()))
        return ALL_WELL

    def _look(self, options: dict[str, Any]) -> int:
        if not is_migrated():
            return self._say_that_nothing_is_there(as_json=options["json"])
        server = options["server"] and addresses.with_password("--server", options["server"], beside=BESIDE)
        found = rehearsed_in_copy(server or settings.DATABASE_URL)
        held = holds(found)
        unknown = [each.name for each in found if each.runs_python]
        if options["json"]:
            said = {"migrations": [each.name for each in found], "unknown": unknown, "locks": list(map(asdict, held))}
            self.stdout.write(json.dumps(said, indent=1))
        else:
            self._say(found, held, unknown)
        return REMARKS if unknown or any(each.is_felt for each in held) else ALL_WELL

    def _say_that_nothing_is_there(self, *, as_json: bool) -> int:
        said = "The database has no tables of Runsheet yet, so nobody waits. Run: python manage.py migrate"
        empty = {"migrations": [], "unknown": [], "locks": [], "remark": said}
        self.stdout.write(json.dumps(empty, indent=1) if as_json else said)
        return ALL_WELL

    def _say(self, found: list[Rehearsed], held: list[Hold], unknown: list[str]) -> None:
        for each in found:
            self.stdout.write(each.name)
            for hold in (hold for hold in held if hold.migration == each.name):
                mark = "!" if hold.is_felt else "✓"
                size = f"{hold.rows:,} rows, {mb(hold.size_bytes)}"
                self.stdout.write(f"  {mark} {hold.table} ({size}): {hold.effect} for about {hold.seconds:.1f} s")
                self.stdout.write(f"      {hold.statement[:150]}")
            if each.name in unknown:
                self.stdout.write("  ! Python changes rows here; how long that takes is not known.")
        if not found:
            self.stdout.write("No migration is still to be made.")
        elif not unknown and not any(each.is_felt for each in held):
            self.stdout.write(f"Nobody waits for longer than {FELT_S:g} s.")
