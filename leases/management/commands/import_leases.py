"""`manage.py import_leases`: from a terminal what the pages of an import do."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import Error

from core.base.database import in_words
from core.base.errors import Refused
from core.base.folding import printable
from leases.calls import Calls
from leases.columns import AGENCY
from leases.errors import NothingToImport
from leases.imports import ADD, Look, confirm, keep_upload, look_at
from leases.models import Agency
from leases.row_checks import Checked
from leases.unfound import Unfound, WithoutArchive, calls_of_import, rows_without_archive
from spreadsheets.errors import UnreadableFile
from spreadsheets.tables import MAX_BYTES, read_table, too_large
from statemachine.rights import require

SOME_ARE_NOT, THE_FILE_IS_NOT = 1, 2
NO_LEASE = "No row of “{name}” is a lease: each is left out, with the reason. Choose a file that holds a table."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is told at the end.

    Attributes:
        unfound: which of the leases have no archive, and of how many that is not known; None where nobody reads them.
        calls: how often Dropbox is asked for what can be imported; None where nobody has said who imports.
        error: why the file as a whole was not looked at, or not imported.
        done: what became of it.
        is_undone: it was to be imported, and no row of it was.
        hints: what else can be asked for.
    """

    look: Look | None = None
    unfound: Unfound | None = None
    calls: Calls | None = None
    error: str = ""
    done: str = ""
    is_undone: bool = False
    hints: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        if self.error or self.look is None:
            return THE_FILE_IS_NOT
        return SOME_ARE_NOT if self.look.examined.wrong or self.is_undone else 0


class Command(BaseCommand):
    help = (
        "Show what a CSV or XLSX file of leases would become, or import it: the rows that have neither a problem nor a "
        "doubt. Exit code 0: all rows are usable, which includes doubtful ones; 1: some are not, or nothing was imported, "
        "since all that are usable are doubtful; 2: the file is not usable, or holds no lease."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a CSV or XLSX file with one lease in each row")
        parser.add_argument(
            "--agency",
            type=str.upper,
            choices=Agency.values,
            default="",
            help="whose the leases are whose row does not say so",
        )
        parser.add_argument("--user", metavar="NAME", help="who imports them: whose permissions and Dropbox are used")
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would become of each row, and save nothing"
        )
        parser.add_argument("--with-doubtful", action="store_true", help="import the doubtful rows too")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *, file: Path, user: str | None, dry_run: bool, **options: Any) -> None:
        outcome, name = Outcome(), printable(file.name)
        try:
            person = _person(user, needed=not dry_run)
            content = _content(file)
            look = look_at(read_table(name=name, content=content), agency_of_all=options["agency"])
            hints = _hints(look, agency=options["agency"], with_doubtful=options["with_doubtful"])
            unfound = rows_without_archive(look.examined, user=person)
            taken = [row for row in look.examined.usable if options["with_doubtful"] or not row.doubts]
            calls = calls_of_import(taken, user=person)
            outcome = Outcome(look=look, unfound=unfound, calls=calls, hints=tuple(hints))
            if not look.examined.checked:
                outcome = replace(outcome, error=NO_LEASE.format(name=name))
            elif person is not None and not dry_run:
                done, is_undone = _import(name, content, look, person, with_doubtful=options["with_doubtful"])
                outcome = replace(outcome, done=done, is_undone=is_undone)
        except (Refused, Error) as error:
            outcome = replace(outcome, error=in_words(error) if isinstance(error, Error) else str(error))
        self.stdout.write(json.dumps(_document(outcome), indent=2) if options["json"] else _text(outcome))
        if outcome.exit_code:
            sys.exit(outcome.exit_code)


def _person(name: str | None, *, needed: bool) -> User | None:
    """Who imports.

    Raises:
        Refused: nobody who may was named.
    """
    if name is None:
        if needed:
            raise Refused("Say with --user who imports the leases, or with --dry-run that nothing is to be saved.")
        return None
    name = printable(name)
    person = User.objects.filter(username=name, is_active=True).first()
    if person is None:
        raise Refused(f"There is no active user “{name}”. Give the name that the user logs in with.")
    require(person, ADD)
    return person


def _content(file: Path) -> bytes:
    """What the file holds, of which no more is read than is taken.

    Raises:
        UnreadableFile: says why it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise too_large(f"{max(file.stat().st_size, len(content)) / 1e6:.1f} MB")
            return content
    except (OSError, ValueError) as error:
        raise UnreadableFile(
            f"“{printable(str(file))}” cannot be read: {_reason(error)}. Give the path of a CSV or XLSX file."
        ) from error


def _reason(error: Exception) -> str:
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def _import(name: str, content: bytes, look: Look, person: User, *, with_doubtful: bool) -> tuple[str, bool]:
    """Save what may be saved; what became of it, and whether nothing did."""
    upload = keep_upload(name=name, content=content, user=person)
    try:
        batch = confirm(upload_id=upload.pk, mapping=look.mapping, user=person, with_doubtful=with_doubtful)
    except NothingToImport as refusal:
        upload.delete()
        return str(refusal), True
    return f"Imported: {batch.size:,} as batch {batch.pk}; {batch.left_out:,} left out.", False


def _hints(look: Look, *, agency: str, with_doubtful: bool) -> Iterator[str]:
    """The options that would help, where they would."""
    if not agency and any(not row.agency and AGENCY in row.problems for row in look.examined.wrong):
        known = " or ".join(f"--agency {each}" for each in Agency.values)
        yield f"Say with {known} whose the leases are whose row does not say so."
    if look.examined.doubtful and not with_doubtful:
        yield "Doubtful rows are imported only with --with-doubtful."


def _document(outcome: Outcome) -> dict[str, Any]:
    examined = outcome.look.examined if outcome.look else None
    told = [outcome.unfound.summary if outcome.unfound else "", outcome.done]
    notes = [*(outcome.look.notes if outcome.look else ()), *filter(None, told), *outcome.hints]
    return {
        "leases": [
            {"row": row.row, "agency": row.agency, "number": row.lease_number, "doubts": list(row.doubts)}
            for row in (examined.usable if examined else ())
        ],
        "problems": [
            {"row": row.row, "column": column, "sentence": sentence}
            for row in (examined.wrong if examined else ())
            for column, sentence in row.problems.items()
        ],
        "left_out": [{"row": row.row, "reason": row.reason} for row in (examined.no_leases if examined else ())],
        # Null where it is known of no row; of whose rows it is not known says the next.
        "without_archive": [_without_archive(each) for each in outcome.unfound.by_row.values()]
        if outcome.unfound and outcome.unfound.looked_at
        else None,
        "dropbox_calls": outcome.calls.count if outcome.calls else None,
        "archive_not_known": dict(outcome.unfound.not_known) if outcome.unfound else None,
        "notes": notes,
        "error": outcome.error or None,
    }


def _calls(outcome: Outcome) -> str:
    return f"Dropbox calls: {outcome.calls}." if outcome.calls else ""


def _without_archive(each: WithoutArchive) -> dict[str, Any]:
    near = each.nearest
    return {
        "row": each.row.row,
        "agency": each.row.agency,
        "number": each.row.lease_number,
        "nearest": None if near is None else [{"name": one.name, "has_report": one.has_report} for one in near],
    }


def _usable(row: Checked) -> str:
    doubts = f", doubtful: {' '.join(row.doubts)}" if row.doubts else ""
    return f"Row {row.row}: {row.agency} {row.lease_number}{doubts}"


def _text(outcome: Outcome) -> str:
    """The same for people."""
    if outcome.look is None:
        return printable(outcome.error)
    examined = outcome.look.examined
    lines = [*outcome.look.notes]
    lines += [f"Row {row.row}: {' '.join(row.problems.values())}" for row in examined.wrong]
    lines += [_usable(row) for row in examined.usable]
    lines += [f"Row {row.row}, no lease: {row.reason}" for row in examined.no_leases]
    if unfound := outcome.unfound:
        lines += [f"Row {row}: {each.row.lease_number}: {each.sentence}" for row, each in unfound.by_row.items()]
    lines.append(
        f"Usable: {len(examined.usable):,}, of which {len(examined.doubtful):,} doubtful. "
        f"With a problem: {len(examined.wrong):,}. No lease: {len(examined.no_leases):,}."
    )
    told = [unfound.summary if unfound else "", _calls(outcome), outcome.done, outcome.error]
    lines += [*filter(None, told), *outcome.hints]
    # A file may hold anything; what a terminal takes for an order is none of it.
    return "\n".join(map(printable, lines))
