"""`manage.py move_storage FROM TO`: move all that lies in storage to another place, while people go on with their work."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import IO, Any, Self, cast, override

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.utils.module_loading import import_string
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core.base.database import in_words
from core.base.errors import Refused, RunsheetError
from core.base.folding import printable
from core.base.sizes import size_text
from core.settings import documents as places
from documents.errors import MoveRefused
from documents.models import Move
from documents.services import switching
from documents.services.moving import Copier, Trouble
from documents.services.moving import Progress as Copied
from documents.services.switching import Alone, Switched
from storage.backends import Storage
from storage.backends.keys import check_key

ALL_WELL, REMARKS, ERRORS, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
HELP = """Moves all that lies in storage to another place: local, s3, azure or gcs, each as the environment says (where both are of one kind,
the variables of TO begin with NEW_). People go on meanwhile; for the last files nobody can write for a moment. Run it again after it was
stopped, and it goes on. Exit code 0: done; 1: done, and something was wrong before; 2: not done, nothing is lost; 3: refused. See
docs/storage.md."""
TOLD = 20
# What is copied again and again, until so little is new that nobody waits long for the last of it.
FEW, PASSES_AT_MOST = 50, 10
GOES_ON = "Run the same command again, and it goes on where it has stopped."


class Command(BaseCommand):
    """In the foreground."""

    help = HELP

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FROM", choices=places.KINDS, help="where the documents lie")
        parser.add_argument("target", metavar="TO", choices=places.KINDS, help="where they are to lie")
        parser.add_argument("--dry-run", action="store_true", help="see whether it can be done and how much it is")
        parser.add_argument(
            "--copy-only", action="store_true", help="copy as much as is there, and leave FROM in charge"
        )
        parser.add_argument(
            "--onto", action="store_true", help="TO holds an earlier copy; replace what lies in the way"
        )
        parser.add_argument("--leave-behind", action="store_true", help="switch although some files cannot be moved")
        parser.add_argument("--wait-s", type=_up_to(3600), default=60, help="how long uploads may end; default: 60")
        parser.add_argument("--at-once", type=_up_to(32), default=4, help="so many files side by side; default: 4")
        parser.add_argument("--give-up", action="store_true", help="forget a move that was begun; copies stay")
        parser.add_argument("--force", action="store_true", help="with --give-up: also one that has come to its end")

    @override
    def handle(self, **options: Any) -> None:
        try:
            code = self._run(options)
        except (Refused, ImproperlyConfigured) as error:
            self.stderr.write(printable(str(error)))
            code = REFUSED
        except RunsheetError as error:
            self.stderr.write(printable(f"{error} {'' if GOES_ON[:20] in str(error) else GOES_ON}".strip()))
            code = ERRORS
        except Error as error:
            raise CommandError(in_words(error), returncode=ERRORS) from error
        except KeyboardInterrupt:
            self.stderr.write(f"Stopped. {GOES_ON}")
            code = INTERRUPTED
        sys.exit(code)

    def _run(self, options: dict[str, Any]) -> int:
        source = _place(options["source"])
        target = _place(options["target"], is_second=options["source"] == options["target"])
        if options["give_up"]:
            return self._give_up(source, target, force=options["force"])
        with switching.alone() as here:
            move = switching.require_sense(source, target, onto=options["onto"])
            if options["dry_run"]:
                return self._look(source, move, at_end=move is not None and move.moved_at is not None)
            move = move or switching.begin(source, target)
            if move.moved_at is not None:
                switching.finish(move, source, target)
                self._say(f"All has moved to {target.place} already. {_what_next(options)}")
                return ALL_WELL
            return self._move(move, source, target, here, options)

    def _move(self, move: Move, source: Storage, target: Storage, here: Alone, options: dict[str, Any]) -> int:
        with _Bar(self, here) as bar:
            copier = Copier(move=move, source=source, target=target, told=bar.show, at_once=options["at_once"])
            for _ in range(PASSES_AT_MOST):
                if copier.run() <= FEW:
                    break
            troubles = copier.progress.troubles
            if troubles and not options["leave_behind"]:
                self._tell_troubles(troubles, "Mend them, or say “--leave-behind”; then run it again.")
                return ERRORS
            if options["copy_only"]:
                self._say(
                    f"In {target.place} there are {_files(copier.progress.held)}, too; copied just now: {copier.progress.copied:,}. "
                    f"{source.place} is in charge still."
                )
                return ALL_WELL
            switched = switching.switch(copier, here, wait_s=options["wait_s"], leaves_behind=options["leave_behind"])
        if switched.troubles:
            self._tell_troubles(switched.troubles, "Run it again.")
            return ERRORS
        switching.finish(move, source, target)
        return self._tell_end(copier, switched, options)

    def _look(self, source: Storage, move: Move | None, *, at_end: bool) -> int:
        if at_end:
            self._say("All has moved already.")
            return ALL_WELL
        count = size = 0
        troubles = []
        for each in source.listing():
            count, size = count + 1, size + each.size
            try:
                check_key(each.key)
            except Refused as error:
                troubles.append(Trouble(key=each.key, why=str(error)))
        done = f"; there already: {move.files.count():,}" if move else ""
        self._say(f"To be moved: {_files(count)} of {size_text(size)}{done}. Nothing was done.")
        if troubles:
            self._tell_troubles(troubles, "Rename them first, or they stay where they are.")
            return REMARKS
        return ALL_WELL

    def _give_up(self, source: Storage, target: Storage, *, force: bool) -> int:
        with switching.alone():
            move = Move.objects.order_by("pk").last()
            if move is None or (move.source, move.target) != (source.place, target.place):
                raise MoveRefused(f"No move from {source.place} to {target.place} was begun.")
            if move.moved_at is not None and not force:
                raise MoveRefused(
                    f"All has moved to {target.place}. To go back, move it back. If that cannot be, “--force” lets whatever place the "
                    "settings name be in charge, with what lies there."
                )
            switching.give_up(move)
        self._say(f"The move is forgotten. What was copied to {target.place} stays there.")
        return ALL_WELL

    def _tell_end(self, copier: Copier, switched: Switched, options: dict[str, Any]) -> int:
        self._say(
            f"In {copier.target.place} there are {_files(copier.progress.held)}, each read there and the same by its SHA-256. "
            f"For {switched.closed_s:,.1f} s nobody could add any."
        )
        if switched.cut:
            self._say(f"Uploads that were on their way still, and have to be sent again: {switched.cut:,}.")
        found = switched.remarks
        for keys, what in (
            (found.damaged, "Not what was uploaded, and moved as it is"),
            (found.missing, "Named by versions, and not there before either"),
        ):
            if keys:
                self._say(f"{what}: {_files(len(keys))}.")
                self._list(keys)
        if copier.progress.troubles:
            self._tell_troubles(copier.progress.troubles, "They stay where they are.")
        self._say(_what_next(options))
        return REMARKS if found.damaged or found.missing or copier.progress.troubles else ALL_WELL

    def _tell_troubles(self, troubles: Sequence[Trouble], then: str) -> None:
        self.stderr.write(f"What cannot be moved: {_files(len(troubles))}. {then}")
        for each in troubles[:TOLD]:
            self.stderr.write(printable(f"  {each.key}: {each.why}"))

    def _list(self, keys: Sequence[str]) -> None:
        for key in keys[:TOLD]:
            self._say(f"  {key}")
        if len(keys) > TOLD:
            self._say(f"  … and {len(keys) - TOLD:,} more.")

    def _say(self, words: str) -> None:
        self.stdout.write(printable(words))


class _Bar:
    """Where it is, for who sits in front of a terminal; and whether we are still alone."""

    def __init__(self, command: BaseCommand, here: Alone) -> None:
        self._here = here
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        console = Console(file=cast("IO[str]", command.stderr))
        self._progress = Progress(*columns, console=console, disable=not command.stderr.isatty())
        self._task = self._progress.add_task("Looking", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: Copied) -> None:
        """How far it is now.

        Raises:
            MoveBroken: the database does not know of us any more.
        """
        self._here.require()
        self._progress.update(
            self._task,
            description=f"{progress.seen:,} looked at, {progress.copied:,} copied ({size_text(progress.copied_bytes)})",
        )


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _what_next(options: dict[str, Any]) -> str:
    if options["source"] == options["target"]:
        first = f"Now give the variables of {options['target']} the values of those that begin with {places.SECOND}"
    else:
        first = f"Now set DOCUMENTS_STORAGE={options['target']}"
    return f"{first}, and restart web and workers: until then everything can be read, and nothing be added."


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= most):
            raise ArgumentTypeError(f"must be a whole number from 1 to {most:,}, not {text!r}")
        return int(text)

    return number


def _place(kind: str, *, is_second: bool = False) -> Storage:
    said = places.place(kind, is_second=is_second)
    return cast("Storage", import_string(said["BACKEND"])(**said["OPTIONS"]))
