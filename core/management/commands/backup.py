"""`manage.py backup PLACE`: the database and what lies in storage, of one moment, to a directory or a bucket."""

import json
from typing import Any, override

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from core.backups.copying import Copied
from core.backups.errors import BackupRefused
from core.backups.making import Made, back_up
from core.backups.place import place_of
from core.management.backups import ALL_WELL, REMARKS, Bar, mb, number, plainly, tell_some

HELP = """Backs up the database and all that lies in storage to PLACE, a directory or s3://BUCKET/PREFIX, while people go on with their work.
What an earlier backup has is not copied again. All that is written is read once more and compared. Run it again after it was stopped, and
it goes on. Exit code 0: done; 1: done, and something in storage was wrong before; 2: not done; 3: refused. See docs/backups.md."""


class Command(BaseCommand):
    """In the foreground."""

    help = HELP

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", metavar="PLACE", help="a directory, or s3://BUCKET/PREFIX")
        parser.add_argument(
            "--recipient",
            action="append",
            metavar="age1…",
            help="encrypt it for this public key of age's; may be repeated",
        )
        parser.add_argument(
            "--unencrypted",
            action="store_true",
            help="do not encrypt it, whatever BACKUP_RECIPIENTS says and the last one was",
        )
        parser.add_argument(
            "--keep-days",
            type=number(36_500, least=0),
            default=settings.BACKUP_KEEP_DAYS,
            help="older backups go, once this one is there; 0: none do; default: %(default)s",
        )
        parser.add_argument("--at-once", type=number(32), default=4, help="so many files side by side; default: 4")
        parser.add_argument(
            "--reread",
            action="store_true",
            help="read what earlier backups have once more, and copy anew what is not what it was",
        )
        parser.add_argument("--json", action="store_true", help="one JSON document")

    @override
    def handle(self, **options: Any) -> None:
        plainly(self, lambda: self._back_up(options))

    def _back_up(self, options: dict[str, Any]) -> int:
        place = place_of(options["place"])
        if options["unencrypted"] and options["recipient"]:
            raise BackupRefused("“--recipient” and “--unencrypted” are both given; only one of them can be meant.")
        recipients = None if options["unencrypted"] else options["recipient"] or settings.BACKUP_RECIPIENTS
        with Bar(self, "The database") as bar:

            def told(copied: Copied) -> None:
                bar.show(f"{copied.files:,} files of {mb(copied.bytes)}")

            made = back_up(
                place,
                recipients=recipients,
                keep_days=options["keep_days"],
                at_once=options["at_once"],
                told=told,
                rereads=options["reread"],
            )
        if options["json"]:
            self.stdout.write(json.dumps(_document(made), indent=1))
        else:
            self._tell(made, place.name)
        return REMARKS if made.copied.has_remarks else ALL_WELL

    def _tell(self, made: Made, place: str) -> None:
        said = made.manifest
        how = "encrypted" if said.is_sealed else "not encrypted"
        self.stdout.write(
            f"Backup {said.id} lies in {place}, {how}: {said.rows:,} rows in {mb(said.parts.database.size)}, "
            f"{said.files.count:,} files of {mb(said.files.size)}, of which {made.added:,} contents of {mb(made.added_bytes)} are new. "
            f"It was read once and took {made.took_s:,.1f} s."
        )
        self.stdout.write(
            "Needed beside it, and not in it: "
            + "; ".join(f"{name} ({', '.join(prints)})" for name, prints in said.keys.items())
            + ("; the private key of " + ", ".join(said.recipients) if said.is_sealed else "")
            + "."
        )
        self._tell_removed(made)
        for what, keys in (
            ("Versions of documents whose file is nowhere", made.copied.missing),
            ("Files that are not what was uploaded, in the backup as they are", made.copied.damaged),
            ("Not in the backup", [f"{key}: {why}" for key, why in made.copied.left_out]),
        ):
            tell_some(self.stderr, what, keys)

    def _tell_removed(self, made: Made) -> None:
        removed = made.removed
        if removed is None:
            self.stderr.write("Something is wrong in storage, so older backups stay, whatever their age.")
            return
        if removed.backups:
            self.stdout.write(
                f"Older backups that went: {', '.join(removed.backups)}; {removed.blobs:,} contents of {mb(removed.bytes)}."
            )
        if removed.why_not:
            self.stderr.write(f"{removed.why_not} So no content was taken away.")


def _document(made: Made) -> dict[str, Any]:
    copied, removed = made.copied, made.removed
    return {
        "manifest": made.manifest.model_dump(mode="json"),
        "added": {"count": made.added, "size": made.added_bytes},
        "missing": copied.missing,
        "damaged": copied.damaged,
        "left_out": [{"key": key, "why": why} for key, why in copied.left_out],
        "removed": list(removed.backups) if removed else [],
        "took_s": round(made.took_s, 3),
    }
