"""`manage.py restore PLACE`: put back what a backup holds, into an empty Runsheet."""

import json
from typing import Any, override

from django.core.management.base import BaseCommand, CommandParser

from core.backups import age
from core.backups.place import place_of
from core.backups.restoring import DATABASE, STORAGE, Restored, Wish, restore
from core.base.folding import printable
from core.management.backups import ALL_WELL, REMARKS, Bar, chosen, lacks, mb, number, plainly

HELP = """Puts back the database and all that lay in storage, from a backup in PLACE to where the settings say. Stop web, workers and
reconciler first. Both have to be empty, or “--replace” has to be said. The database is replaced in one transaction. Run it again after it
was stopped, and it goes on. In the end the index of storage is compared with what lies there. Exit code 0: done, and they are the same; 1:
done, and something is to be seen to; 2: not done; 3: refused, nothing was changed. See docs/backups.md."""


class Command(BaseCommand):
    """In the foreground."""

    help = HELP
    # A database that is empty is no reason to refuse.
    requires_migrations_checks = False

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", metavar="PLACE", help="a directory, or s3://BUCKET/PREFIX")
        parser.add_argument("--backup", metavar="ID", help="which one; default: the newest")
        parser.add_argument("--identity", metavar="FILE", help="the private key of age's, if it is encrypted")
        parser.add_argument("--replace", action="store_true", help="what is there may be replaced")
        parser.add_argument("--only", choices=(DATABASE, STORAGE), help="leave the other one as it is")
        parser.add_argument("--at-once", type=number(32), default=4, help="so many files side by side; default: 4")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    @override
    def handle(self, **options: Any) -> None:
        plainly(self, lambda: self._restore(options))

    def _restore(self, options: dict[str, Any]) -> int:
        place = place_of(options["place"])
        wish = Wish(
            identities=age.identities(options["identity"]) if options["identity"] else (),
            parts=frozenset({options["only"]} if options["only"] else {DATABASE, STORAGE}),
            replaces=options["replace"],
            at_once=options["at_once"],
        )
        with Bar(self, "Looking") as bar:
            found = restore(place, chosen(place, options["backup"]), wish, told=bar.show)
        if options["json"]:
            self.stdout.write(json.dumps(_document(found), indent=1))
        else:
            self._tell(found)
        return ALL_WELL if _is_well(found) else REMARKS

    def _tell(self, found: Restored) -> None:
        said = found.manifest
        times = ", ".join(f"{part} {took:,.1f} s" for part, took in found.took_s.items())
        self.stdout.write(
            f"Backup {said.id} is restored: {said.rows:,} rows; {found.put:,} files of {mb(found.put_bytes)} written, "
            f"{found.there:,} lay there already. It took: {times}."
        )
        if found.was_done:
            self.stdout.write(
                "An earlier run, which was broken off, had restored the database; it was left as it is. “--replace” restores it once more."
            )
        assert found.settled is not None, "what follows was done"
        if found.settled.is_in_sync:
            self.stdout.write("The index of storage has 0 differences from what lies there.")
        else:
            why = found.settled.audited.why or found.settled.synced.why
            self.stderr.write(
                f"The index of storage and what lies there are not the same; see index run {found.settled.audited.run_id}. {why}".strip()
            )
        for sentence in lacks(said):
            self.stderr.write(sentence)
        for name, prints in found.lacking.items():
            self.stderr.write(
                printable(
                    f"A key is not here that this backup needs: {name} ({', '.join(prints)}). Put it back into the environment."
                )
            )
        self.stdout.write("Now start web, workers and reconciler. Redis may stay as it is.")


def _is_well(found: Restored) -> bool:
    return found.settled is not None and found.settled.is_in_sync and not found.lacking and not lacks(found.manifest)


def _document(found: Restored) -> dict[str, Any]:
    assert found.settled is not None, "what follows was done"
    return {
        "backup": found.manifest.id,
        "put": {"count": found.put, "size": found.put_bytes},
        "there": found.there,
        "lacking": found.lacking,
        "missing": found.manifest.missing,
        "damaged": found.manifest.damaged,
        "left_out": found.manifest.left_out,
        "synced": found.settled.synced.document,
        "audited": found.settled.audited.document,
        "took_s": {part: round(took, 3) for part, took in found.took_s.items()},
    }
