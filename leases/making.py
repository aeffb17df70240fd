"""Archives that are missing are made: what somebody should know before, and how it is owed.

Whether it is made is decided by the run, which sees what lies in Dropbox then (`discovery.services.archive_making`).
"""

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from cloud.models import DropboxAccount
from cloud.services.accounts import lacks_write
from leases import runs
from leases.errors import ArchivesAreNotMade, OnlyReads
from leases.models import SUBFOLDERS, Lease
from leases.states import State
from statemachine.batches import run_many
from statemachine.models import Batch, TransitionLog
from statemachine.rights import require
from statemachine.transitions import Actor, take

# Of the leases that are chosen, those of which an archive can be missing.
ABSENT = Q(state=State.NOT_FOUND)
RIGHT = "leases.make_archives"
# Two listings, two looks at the folder above, the link; and each folder that is made.
CALLS_PER_ARCHIVE = 5 + 1 + max(map(len, SUBFOLDERS.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the last answer said of where a lease's archive is missing.

    Attributes:
        path: where it would be made; empty if nobody told.
        names: the near names that lie beside it; None if nobody could look for any.
        unknown: why nobody could.
    """

    path: str
    names: tuple[str, ...] | None
    unknown: str = ""


def around(lease: Lease) -> Around:
    """Of a lease whose archive was not found; one query."""
    last = TransitionLog.objects.of(lease).filter(to_state=State.NOT_FOUND).order_by("-generation").first()
    evidence = last.evidence if last else {}
    names = tuple(map(str, evidence["nearest"])) if "nearest" in evidence else None
    return Around(path=str(evidence.get("path", "")), names=names, unknown=str(evidence.get("nearest_unknown", "")))


def make_archive(*, record_id: int, user: User, generation: int | None = None) -> Lease:
    """Owe a lease a run that makes its archive; what lies beside it by then is what the person was shown.

    Args:
        generation: what the person saw, and so which near names.

    Raises:
        ArchivesAreNotMade, OnlyReads, RecordGone, TransitionRefused, TransitionForbidden, Stale: nothing was changed.
    """
    confirm_may_make(user)
    seen = Lease.objects.filter(pk=record_id).first()
    names = around(seen).names if seen else ()
    step = replace(runs.MAKE_ARCHIVE, arguments={"seen_beside": None if names is None else list(names)})
    # Whoever says nothing of what they saw is taken to have seen what it was when this was read.
    saw = generation if generation is not None or seen is None else seen.generation
    return take(model=Lease, pk=record_id, step=step, actor=Actor.person(user), generation=saw)


def make_archives(records: QuerySet[Any], user: User, /, *, which: str) -> Batch:
    """Owe those of the leases whose archive was not found a run that makes it, as one batch.

    None is made beside a near name: nobody has looked at each of so many.

    Raises:
        ArchivesAreNotMade, OnlyReads, TransitionForbidden, ChoiceChanged, NothingToStart, DatabaseTooBusy: nothing was
            saved.
    """
    confirm_may_make(user)
    values = {"makes_archive": True, "seen_beside": []}
    return run_many(records.filter(ABSENT), user, which=which, name="Missing archives", values=values)


def confirm_may_make(user: User) -> None:
    """Make sure that this person can have archives made here.

    Raises:
        ArchivesAreNotMade, OnlyReads, TransitionForbidden: says why not.
    """
    require(user, RIGHT)
    if not settings.DROPBOX_MAKES_ARCHIVES:
        raise ArchivesAreNotMade
    if only_reads(user):
        raise OnlyReads


def only_reads(user: User) -> bool:
    """Whether the person's Dropbox was connected without the right to write, so that nothing can be made with it.

    Who has none connected is told so by the run, which goes on by itself once there is one.
    """
    return lacks_write(DropboxAccount.objects.filter(user=user).first())


def subfolders_in_words(agency: str) -> str:
    """Of an archive that is made: “A”, “B” and “C”."""
    *others, last = (f"“{name}”" for name in SUBFOLDERS[agency])
    return f"{', '.join(others)} and {last}"
