"""`manage.py verify_backup PLACE`: read a backup to its last byte; or tell which there are."""

import json
from typing import Any, override

from django.core.management.base import BaseCommand, CommandParser

from core.backups import age
from core.backups.errors import BackupDamaged, BackupRefused
from core.backups.manifest import Manifest
from core.backups.place import place_of
from core.backups.verifying import Verified, verify
from core.base.folding import printable
from core.management.backups import ALL_WELL, ERRORS, REMARKS, Bar, chosen, lacks, mb, number, plainly, tell_some

HELP = """Reads a backup in PLACE to its last byte, compares it with what was written down of it, lets pg_restore read the dump and counts its
rows; and says which keys it needs and whether they are here. Nothing is changed. Exit code 0: it can be restored here; 1: it is whole, and a
key is not here, or something was wrong in storage when it was made; 2: it is damaged, or could not be read; 3: refused. See docs/backups.md."""


class Command(BaseCommand):
    """In the foreground."""

    help = HELP

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", metavar="PLACE", help="a directory, or s3://BUCKET/PREFIX")
        parser.add_argument("--backup", metavar="ID", help="which one; default: the newest")
        parser.add_argument(
            "--identity", metavar="FILE", help="the private key of age's, to look inside what is encrypted"
        )
        parser.add_argument("--list", action="store_true", help="only tell which backups there are")
        parser.add_argument("--at-once", type=number(32), default=4, help="so many files side by side; default: 4")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    @override
    def handle(self, **options: Any) -> None:
        plainly(self, lambda: self._list(options) if options["list"] else self._verify(options))

    def _list(self, options: dict[str, Any]) -> int:
        place = place_of(options["place"])
        found, odd = [], []
        for each in place.ids():
            try:
                found.append(place.manifest(each))
            except (BackupDamaged, BackupRefused) as error:  # it is one among others
                odd.append(f"{each}: {error}")
        if options["json"]:
            self.stdout.write(json.dumps([each.model_dump(mode="json") for each in found], indent=1))
        else:
            self._tell_all(found)
            if not found and not odd:
                self.stdout.write(f"There is no backup in {place.name}.")
        tell_some(self.stderr, "Backups that cannot be read", odd)
        return ERRORS if odd else ALL_WELL

    def _tell_all(self, found: list[Manifest]) -> None:
        for each in found:
            self.stdout.write(
                f"{each.id}  {each.rows:,} rows, {each.files.count:,} files of {mb(each.files.size)}"
                + (", encrypted" if each.is_sealed else "")
                + "".join(f". {sentence}" for sentence in lacks(each)).removesuffix(".")
            )

    def _verify(self, options: dict[str, Any]) -> int:
        place = place_of(options["place"])
        identities = age.identities(options["identity"]) if options["identity"] else []
        with Bar(self, "The lists") as bar:
            found = verify(
                place,
                chosen(place, options["backup"]),
                identities=identities,
                at_once=options["at_once"],
                told=lambda count, size: bar.show(f"{count:,} contents read, {mb(size)}"),
            )
        if options["json"]:
            self.stdout.write(json.dumps(_document(found), indent=1))
        else:
            self._tell(found)
        if found.problems:
            return ERRORS
        return REMARKS if found.lacking or lacks(found.manifest) else ALL_WELL

    def _tell(self, found: Verified) -> None:
        said = found.manifest
        if found.problems:
            tell_some(self.stderr, f"Backup {said.id} is damaged", found.problems)
            self.stderr.write("Make another one with “backup --reread”, which copies anew what is not what it was.")
        else:
            inside = "" if found.is_opened else " It is encrypted, and was not looked inside: that needs --identity."
            self.stdout.write(
                f"Backup {said.id} is whole: {mb(found.bytes)} read in {found.took_s:,.1f} s, {said.rows:,} rows, "
                f"{said.files.count:,} files.{inside}"
            )
        for sentence in lacks(said):
            self.stderr.write(sentence)
        for name, prints in said.keys.items():
            lacking = found.lacking.get(name, [])
            here = f"not here: {', '.join(lacking)}" if lacking else "here"
            self.stdout.write(printable(f"Needs {name} ({', '.join(prints)}): {here}."))
        for each in said.recipients:
            self.stdout.write(printable(f"Needs the private key of {each}."))


def _document(found: Verified) -> dict[str, Any]:
    return {
        "manifest": found.manifest.model_dump(mode="json"),
        "problems": found.problems,
        "lacking": found.lacking,
        "is_opened": found.is_opened,
        "bytes": found.bytes,
        "took_s": round(found.took_s, 3),
    }
