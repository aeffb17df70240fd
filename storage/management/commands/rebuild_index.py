"""`manage.py rebuild_index`: look through storage, and bring its index up to date, here and now."""

import json
import logging
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import timedelta
from typing import IO, Any, Self, cast, override

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.base.database import in_words
from core.base.errors import Refused
from core.base.folding import printable
from statemachine.transitions import TERMINAL
from storage.models import IndexRun, Mode, RunState, StorageRoot
from storage.services import GRACE_DAYS_AT_MOST, MISSING_AT_MOST, IndexSyncService, RunReport

IN_SYNC, DIFFERENCES, ERRORS, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
HELP = """Compares what lies in storage with its index, and brings the index up to date. It works in this process, so it
needs no worker. Exit code 0: in sync; 1: there were differences; 2: errors, or something could not be read; 3: refused."""
SHOWN = (
    ("files_on_disk", "files there"),
    ("dirs_scanned", "directories there"),
    ("files_in_db", "rows"),
    ("unchanged", "unchanged"),
    ("missing_in_db", "without a row"),
    ("orphaned_in_db", "rows of nothing"),
    ("records_created", "created"),
    ("records_updated", "updated"),
    ("renamed", "renamed"),
    ("records_revived", "found again"),
    ("records_restored", "records brought back"),
    ("records_missed", "marked as missing"),
    ("records_deleted", "deleted"),
    ("records_skipped", "skipped"),
    ("protected_shared", "of them protected"),
    ("masked", "left alone"),
    ("anomalies", "anomalies"),
    ("errors", "errors"),
    ("left", "changed meanwhile"),
    ("users_scanned", "users"),
)
TOLD = 20  # so many anomalies are shown; the others are counted


class Command(BaseCommand):
    """In the foreground. A worker that has the same queue may take a slice of it; that makes no difference."""

    help = HELP

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--mode", default=Mode.AUDIT, help="audit (default), sync, clean or full")
        parser.add_argument("--root", default="documents", help="the root's name; default: documents")
        parser.add_argument("--user-id", type=int, help="only what belongs to this user")
        parser.add_argument("--dry-run", action="store_true", help="plan, show, and change nothing")
        parser.add_argument("--force", action="store_true", help="rows may be deleted; needed for clean and full")
        parser.add_argument("--incremental", action="store_true", help="read only directories that have changed")
        parser.add_argument("--checksums", action="store_true", help="read what every file holds; takes long")
        parser.add_argument(
            "--allow-missing",
            type=_up_to(MISSING_AT_MOST),
            metavar="N",
            help="so many may be missing without the brake",
        )
        parser.add_argument(
            "--include-protected",
            action="store_true",
            help="delete rows, too, on which something stands, as a share link",
        )
        parser.add_argument(
            "--grace-days",
            type=_up_to(GRACE_DAYS_AT_MOST),
            metavar="N",
            help="how long something is missing before its row is deleted",
        )
        earlier = parser.add_mutually_exclusive_group()
        earlier.add_argument("--apply", type=_number, metavar="RUN", help="carry out the plan of an audit or a dry run")
        earlier.add_argument(
            "--undo", type=_number, metavar="RUN", help="bring back the rows as they were before a run"
        )
        parser.add_argument("--format", choices=("human", "json", "ndjson"), default="human")

    @override
    def execute(self, *args: Any, **options: Any) -> str | None:
        """What the engine does in this process is shown, or with -v 2 logged."""
        before = logging.root.manager.disable
        if options["verbosity"] <= 1:
            logging.disable(logging.WARNING)
        try:
            return super().execute(*args, **options)
        finally:
            logging.disable(before)

    @override
    def handle(self, **options: Any) -> None:
        try:
            report = self._run(options)
        except Refused as error:
            self.stderr.write(printable(str(error)))
            sys.exit(REFUSED)
        except Error as error:
            raise CommandError(in_words(error), returncode=ERRORS) from error
        self._tell(report, options)
        sys.exit(_code(report))

    def _run(self, options: dict[str, Any]) -> RunReport:
        """Work on the run to its end; whoever breaks it off stops it.

        A run that is refused here, before it begins, is not one.
        """
        service = IndexSyncService(instead=TERMINAL)
        run = _begun(service, options)
        try:
            with _Bar(run, self, options) as bar:
                run = service.work(run_id=run.pk, told=bar.show)
        except KeyboardInterrupt:
            service.abort(run_id=run.pk)
            self.stderr.write(f"Stopped. What run {run.pk} has changed stays; the next run goes on from there.")
            sys.exit(INTERRUPTED)
        return RunReport.of(run)

    def _tell(self, report: RunReport, options: dict[str, Any]) -> None:
        changes = IndexRun(pk=report.run_id).changes.order_by("number")
        if options["format"] == "ndjson":
            for change in changes.values("number", "action", "key", "size", "detail").iterator():
                self.stdout.write(json.dumps(change))
            self.stdout.write(json.dumps(report.document))
        elif options["format"] == "json":
            self.stdout.write(json.dumps(report.document, indent=2))
        else:
            self._tell_people(report, verbose=options["verbosity"] > 1)

    def _tell_people(self, report: RunReport, *, verbose: bool) -> None:
        console = Console(file=cast("IO[str]", self.stdout), highlight=False, markup=False, soft_wrap=True)
        table = Table(title=f"Run {report.run_id}: {report.mode} of {report.root}", show_header=False)
        for name, words in SHOWN:
            if count := getattr(report.stats, name):
                table.add_row(words, f"{count:,}")
        console.print(table)
        changes = IndexRun(pk=report.run_id).changes.order_by("number")
        told = changes.filter(action="anomaly")
        for change in told if verbose else told[:TOLD]:
            console.print(printable(f"{change.key}: {change.detail}"))
        if not verbose and (more := told.count() - TOLD) > 0:
            console.print(f"… and {more:,} more; -v 2 shows all.")
        if verbose:
            for change in changes.exclude(action="anomaly").iterator():
                console.print(printable(f"{change.action} {change.key}{_why(change.detail)}"))
        console.print(printable(_sentence(report)))


class _Bar:
    """Where it is, for who sits in front of a terminal; on standard error, so that figures can be piped."""

    def __init__(self, run: IndexRun, command: BaseCommand, options: dict[str, Any]) -> None:
        shown = options["format"] == "human" and command.stderr.isatty()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[so_far]}"))
        self._progress = Progress(
            *columns, TimeElapsedColumn(), console=Console(file=cast("IO[str]", command.stderr)), disable=not shown
        )
        # How many there were when it was last looked at, which tells about how many there are now.
        self._about = StorageRoot.objects.get(pk=run.root_id).files.count() if shown else 0
        self._task: TaskID = self._progress.add_task("Looking", total=self._about or None, so_far="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, run: IndexRun) -> None:
        """The run as it is now."""
        if run.state in {RunState.APPLYING, RunState.DONE}:
            done, total, what = run.applied_up_to, run.planned_up_to, "Applying"
        else:
            seen = run.counts.get("files_on_disk", 0) + run.counts.get("dirs_scanned", 0)
            done, total, what = seen, max(self._about, seen), "Looking"
        self._progress.update(self._task, description=what, completed=done, total=total or None, so_far=f"{done:,}")


def _begun(service: IndexSyncService, options: dict[str, Any]) -> IndexRun:
    """The run that is to be worked on: a new one, or an earlier one that is to be applied or undone."""
    if options["undo"] is not None:
        return service.undo(run_id=options["undo"])
    if options["apply"] is not None:
        return service.apply(run_id=options["apply"], force=options["force"])
    days = options["grace_days"]
    return service.start(
        mode=options["mode"],
        root=options["root"],
        user_id=options["user_id"],
        dry_run=options["dry_run"],
        force=options["force"],
        incremental=options["incremental"],
        checksums=options["checksums"],
        include_protected=options["include_protected"],
        allow_missing=options["allow_missing"],
        grace=None if days is None else timedelta(days=days),
        rings=False,
    )


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if (found := _number(text)) > most:
            raise ArgumentTypeError(f"must be at most {most:,}")
        return found

    return number


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError(f"must be a whole number, not {text!r}")
    return int(text)


def _why(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _sentence(report: RunReport) -> str:
    ends = {
        RunState.REFUSED: f"Refused: {report.why}",
        RunState.FAILED: f"Failed: {report.why}",
        RunState.ABORTED: "Stopped by somebody else.",
        RunState.UNDONE: f"Run {report.run_id} is undone: the rows are as they were before it.",
    }
    if said := ends.get(RunState(report.state)):
        return said
    if report.stats.is_in_sync:
        return "In sync."
    if report.stats.masked and not report.stats.differences:
        rows = "1 row" if report.stats.masked == 1 else f"{report.stats.masked:,} rows"
        return f"Nothing to do. About {rows} nothing can be said: see what stands above."
    if report.state == RunState.PLANNED:
        return f"Nothing was changed: this is what would be done. To do it: --apply {report.run_id}"
    return f"Done. Until a later run changes rows, it can be undone: --undo {report.run_id}"


def _code(report: RunReport) -> int:
    if report.state == RunState.REFUSED:
        return REFUSED
    if report.state in {RunState.FAILED, RunState.ABORTED} or report.stats.errors:
        return ERRORS
    return IN_SYNC if report.stats.is_in_sync else DIFFERENCES
