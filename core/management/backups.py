"""What the commands for backups have in common: how they end, and what they say on the way."""

import logging
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable
from datetime import timedelta
from tempfile import gettempdir
from typing import IO, NoReturn, Self, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, OutputWrapper
from django.db import Error
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from core.backups.errors import BackupRefused
from core.backups.manifest import Manifest
from core.backups.place import Place, id_at
from core.base.clock import now
from core.base.database import in_words
from core.base.errors import Refused, RunsheetError
from core.base.folding import printable
from core.settings.documents import MB

ALL_WELL, REMARKS, ERRORS, REFUSED, INTERRUPTED = 0, 1, 2, 3, 130
TOLD = 20
# So much the clocks of two machines may differ.
AHEAD = timedelta(minutes=10)


def plainly(command: BaseCommand, act: Callable[[], int]) -> NoReturn:
    """Do it, and end with the code that it returns; what goes wrong is said in one sentence, and has a code of its own."""
    said, before = "", logging.root.manager.disable
    logging.disable(logging.WARNING)  # what the engine does in this process
    try:
        code = act()
    except (Refused, ImproperlyConfigured) as error:
        code, said = REFUSED, str(error)
    except RunsheetError as error:
        code, said = ERRORS, str(error)
    except Error as error:
        code, said = ERRORS, in_words(error)
    except OSError as error:  # of what is laid aside on the way
        code, said = ERRORS, f"This machine does not do it: {error}. Temporary files lie in {gettempdir()}."
    except KeyboardInterrupt:
        code, said = INTERRUPTED, "Stopped. Run the same command again, and it goes on with what is there."
    finally:
        logging.disable(before)
    if said:
        command.stderr.write(printable(said))
    sys.exit(code)


class Bar:
    """Where it is, for who sits in front of a terminal."""

    def __init__(self, command: BaseCommand, first: str) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        console = Console(file=cast("IO[str]", command.stderr))
        self._progress = Progress(*columns, console=console, disable=not command.stderr.isatty())
        self._task = self._progress.add_task(first, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, words: str) -> None:
        """What it is at."""
        self._progress.update(self._task, description=words)


def tell_some(into: OutputWrapper, what: str, lines: Iterable[str]) -> None:
    """How many there are, and the first of them; nothing if there are none."""
    every = list(lines)
    if not every:
        return
    into.write(f"{what}: {len(every):,}.")
    for line in every[:TOLD]:
        into.write(printable(f"  {line}"))
    if len(every) > TOLD:
        into.write(f"  … and {len(every) - TOLD:,} more.")


def lacks(said: Manifest) -> list[str]:
    """What was wrong in storage already when a backup was made, in sentences."""
    every = {
        f"Of {said.missing:,} versions of documents it has no file: that was nowhere when it was made.": said.missing,
        f"{said.damaged:,} files of documents were not what was uploaded when it was made; it has them as they were.": said.damaged,
        f"{said.left_out:,} times something lay in storage that it could not take.": said.left_out,
    }
    return [sentence for sentence, count in every.items() if count]


def mb(size: int) -> str:
    """Bytes for people."""
    return f"{size / MB:,.1f} MB"


def number(most: int, *, least: int = 1) -> Callable[[str], int]:
    """A whole number within bounds, for an option."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ArgumentTypeError(f"must be a whole number from {least:,} to {most:,}, not {text!r}")
        return int(text)

    return read


def chosen(place: Place, backup_id: str | None) -> Manifest:
    """The backup that somebody names; the newest if nobody does.

    Raises:
        BackupRefused: there is none.
    """
    found = backup_id or next(reversed(place.ids()), None)
    if found is None:
        raise BackupRefused(f"There is no backup in {place.name}.")
    if not backup_id and found > id_at(now() + AHEAD):
        raise BackupRefused(
            f"The newest backup says that it is of {found}, which is still to come: a clock was wrong. Name the one that you mean by "
            "--backup; “verify_backup --list” tells them."
        )
    return place.manifest(found)
