"""The folders of archives that are watched: whether each is read as often as it is to be."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from core.ops.doctor.finding import Finding, Mark, from_database, unseen
from discovery.services.archive_standing import WatchStanding, told_at, watches_standing

# A look that is late by as much as the time between two is one that does not happen.
LATE = 2
IN_MINUTES_UP_TO = timedelta(hours=2)
OFF = "Every lease asks Dropbox, and what appears there is not noticed by itself. ARCHIVE_WATCH_EVERY_S is 0."
UNTOLD = (
    "If anything has changed there since it was connected, notifications do not arrive, and what changes is noticed by the next "
    "look, after the minutes that each agency says. Give the app at Dropbox the address {url} under “Webhooks”."
)
WORKERS = "See the reconciler, the workers of the queues “discovery” and “storage”, and the line about Connections."


def watches() -> Iterator[Finding]:
    """How each of them stands."""
    if not settings.ARCHIVE_WATCH_EVERY_S:
        yield Finding(Mark.NOTE, "nothing is watched", OFF)
        return
    found = from_database(watches_standing)
    if found is None:
        yield unseen("PostgreSQL")
        return
    if not found:
        yield Finding(Mark.OK, "nothing is to be watched yet: no lease was run")
    for each in found:
        yield _finding(each)


def notifications() -> Iterator[Finding]:
    """Whether Dropbox tells of changes, and when it last did; of those accounts alone with which anything is watched."""
    told = from_database(told_at)
    if told is None:
        yield unseen("PostgreSQL")
        return
    if not told or not settings.ARCHIVE_WATCH_EVERY_S:
        yield Finding(Mark.OK, "none is waited for: nothing is watched")
        return
    known = [ago for ago in told if ago is not None]
    if not known:
        yield Finding(
            Mark.NOTE, "Dropbox has told of no change yet", UNTOLD.format(url=f"{settings.CONSOLE_URL}{_address()}")
        )
        return
    accounts = f"{len(known):,} of {len(told):,} account{'' if len(told) == 1 else 's'}"
    yield Finding(Mark.OK, f"Dropbox last told of a change {_in_words(min(known))} ago; it has told of {accounts}")


def _address() -> str:
    return reverse("dropbox_webhook")


def _finding(each: WatchStanding) -> Finding:
    if each.poll is None:
        return Finding(Mark.NOTE, f"{each.title}: not watched any more", "What was read of it is deleted after a day.")
    if each.why_stuck:
        return Finding(Mark.WRONG, f"{each.title}: the last run came to no conclusion", each.why_stuck)
    if each.read_ago is None:
        return Finding(Mark.NOTE, f"{each.title}: being read, or not read yet", f"If that stays so: {WORKERS}")
    ago = _in_words(each.read_ago)
    if each.read_ago > LATE * each.poll:
        return Finding(
            Mark.WRONG, f"{each.title}: last read {ago} ago", f"It should be every {_in_words(each.poll)}. {WORKERS}"
        )
    return Finding(Mark.OK, f"{each.title}: read {ago} ago")


def _in_words(time: timedelta) -> str:
    if time < IN_MINUTES_UP_TO:
        return f"{time.total_seconds() / 60:.0f} min"
    return f"{time.total_seconds() / 3_600:.0f} hours"
