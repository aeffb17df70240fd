"""Where files lie: whether it is there, has room, and is looked through."""

from collections.abc import Iterator
from datetime import timedelta

from core.base.errors import RunsheetError
from core.ops.doctor.finding import PATIENCE_S, Finding, Mark, answer, from_database, unseen
from storage.backends import documents
from storage.backends.errors import FullDisk
from storage.index.listers import lister_of
from storage.standing import Standing, looks_at_least_every, standing

SILENT = f"does not answer within {PATIENCE_S:.0f} s"
MOUNTED = "See its host, the network, and that the disk is mounted; nothing that lies there can be read."
LOOK = "python manage.py rebuild_index --mode sync --root {root}"
# A look that is late by as much as the time between two is one that does not happen.
LATE = 2


def place() -> Iterator[Finding]:
    """Whether documents can be read and added."""
    try:
        answer(documents().check)
    except RunsheetError as error:
        yield Finding(Mark.WRONG, "cannot be used", str(error))
        return
    except TimeoutError:
        yield Finding(Mark.WRONG, SILENT, MOUNTED)
        return
    yield Finding(Mark.OK, "lets us in")
    try:
        answer(documents().check_room)
    except (FullDisk, TimeoutError) as error:
        said = str(error) or MOUNTED
        yield Finding(Mark.WRONG, "has no room", f"{said} Nothing is added; everything can be read.")


def roots() -> Iterator[Finding]:
    """Whether each root is there, is the one that is known, and is looked through."""
    found = from_database(standing)
    if found is None:
        yield unseen("PostgreSQL")
        return
    for each in found:
        yield _presence(each)
        yield from _looks(each)


def _presence(each: Standing) -> Finding:
    root = each.root
    try:
        marker = answer(lambda: lister_of(root).marker())
    except RunsheetError as error:
        return Finding(Mark.WRONG, f"“{root}” cannot be looked at", str(error))
    except TimeoutError:
        return Finding(Mark.WRONG, f"“{root}” {SILENT}", MOUNTED)
    if root.marker and marker != root.marker:
        what = "its marker “.runsheet-root” is missing" if marker is None else "its marker is that of another root"
        advice = "Nothing is concluded from what lies there. See that it is mounted; how to move a root says docs/storage.md."
        return Finding(Mark.WRONG, f"“{root}” is not there: {what}", advice)
    count = each.stats.files_on_disk if each.stats else 0
    files = f", with {count:,} file{'' if count == 1 else 's'}"
    return Finding(Mark.OK, f"“{root}” is there{files if each.stats else ''}")


def _looks(each: Standing) -> Iterator[Finding]:
    """How its last runs went."""
    command = LOOK.format(root=each.root)
    if each.why_stuck:
        yield Finding(Mark.WRONG, f"the last run over “{each.root}” came to no end", each.why_stuck)
    period = looks_at_least_every()
    if each.looked_ago is None:
        yield Finding(
            Mark.NOTE, f"“{each.root}” was never looked through", f"Nothing is known of its files. Run: {command}"
        )
    elif period and each.looked_ago > LATE * period:
        advice = f"It should be every {_in_words(period)}. See the workers of the queue “storage”, or run: {command}"
        yield Finding(Mark.WRONG, f"“{each.root}” was last looked through {_in_words(each.looked_ago)} ago", advice)


def _in_words(time: timedelta) -> str:
    return f"{time.days} days" if time.days > 1 else f"{time.total_seconds() / 3_600:.0f} hours"
