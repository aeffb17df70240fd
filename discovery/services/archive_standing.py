"""How the watched folders of archives stand, for whoever looks after the system; a few questions, however many files there are."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from cloud.models import DropboxAccount
from discovery.models import ArchiveWatch
from discovery.services.archive_wants import key_of, wanted
from storage.models import IndexRun, Mode, RunState

STUCK = frozenset({RunState.REFUSED, RunState.FAILED})
HELD = STUCK | {RunState.ABORTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStanding:
    """What is known of a watch.

    Attributes:
        name: of its root.
        title: what people call it.
        read_ago: since when it is known what lies there; None: it is not known now.
        poll: how often it is to be looked at; None: nobody needs it any more, so it is not.
        why_stuck: why the last run came to no conclusion; empty if it did, or is under way.
    """

    name: str
    title: str
    read_ago: timedelta | None
    poll: timedelta | None
    why_stuck: str


def watches_standing() -> list[WatchStanding]:
    """Of each watch, by its title."""
    found = wanted()
    watches = list(ArchiveWatch.objects.select_related("root").annotate(database_now=Now()))
    runs = IndexRun.objects.filter(root__in=[watch.root_id for watch in watches])
    last = {run.root_id: run for run in runs.order_by("root_id", "-pk").distinct("root_id")}
    return sorted(
        (
            WatchStanding(
                name=watch.root.name,
                title=watch.root.title,
                read_ago=watch.database_now - watch.root.read_at if watch.root.read_at else None,
                poll=timedelta(minutes=found[key_of(watch)].poll_minutes) if key_of(watch) in found else None,
                why_stuck=_why_stuck(last.get(watch.root_id)),
            )
            for watch in watches
        ),
        key=lambda each: each.title,
    )


def told_at() -> list[timedelta | None]:
    """Of each account with which anything is watched: since when Dropbox has last told of a change; None: never. One query."""
    watching = ArchiveWatch.objects.filter(account_id=OuterRef("account_id"))
    accounts = DropboxAccount.objects.filter(Exists(watching)).annotate(database_now=Now())
    rows = accounts.order_by("pk").values_list("changed_at", "database_now")
    return [now - at if at else None for at, now in rows]


def held_by(watch: ArchiveWatch) -> IndexRun | None:
    """The run for which what has changed there is not written down, until somebody sees to it or another one begins; one query.

    None where the last one has ended well, or is under way.
    """
    changing = IndexRun.objects.filter(root=watch.root_id, dry_run=False).exclude(mode=Mode.AUDIT)
    last = changing.order_by("-pk").first()
    return last if last and last.state in HELD else None


def _why_stuck(run: IndexRun | None) -> str:
    if run is None or run.state not in STUCK:
        return ""
    return run.refusal or run.failure_message
