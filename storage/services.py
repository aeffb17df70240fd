"""Index runs as everybody starts them: command, interface, schedule and console come through here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from core.base.database import broken_constraint
from statemachine import jobs
from statemachine.claims import message_of
from statemachine.errors import RecordGone, Stale, TransitionForbidden, TransitionRefused
from statemachine.models import TransitionLog
from statemachine.transitions import RECONCILER, Actor, Step, advance, locked, take
from storage.errors import (
    LaterRunStands,
    ModeUnknown,
    NeedsForce,
    NoChecksums,
    NotInParts,
    NotOverridden,
    RootBusy,
    RunGone,
    UserUnknown,
)
from storage.index.figures import IndexSyncStats
from storage.models import ACTIVE, WORKING, IndexRun, Mode, Occasion, RunState, StorageRoot

__all__ = ["IndexSyncService", "IndexSyncStats", "RunReport"]

ONE_ACTIVE = "storage_run_one_active"
LOOK_AGAIN_S = 0.2
# As the transitions say: that compares, that change rows, and that goes past the brake.
LOOKS, CHANGES, LETS_GO = (IndexRun.right_to(name) for name in ("plan", "apply", "override"))
FORBIDDEN = {
    LOOKS: "compare storage with its index. Ask an administrator",
    CHANGES: "start a run that changes rows. Start an audit or a dry run, or ask an administrator",
    LETS_GO: "go past the brake. Leave “allow missing” empty, or ask an administrator",
}
# Of more rows than these nobody waits for a look at all of them.
WHOLE_UP_TO = 200_000
DELETING = frozenset({Mode.CLEAN, Mode.FULL})
# As large as their columns are, or as anybody waits.
MISSING_AT_MOST, GRACE_DAYS_AT_MOST = 2**31 - 1, 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """How a run stands.

    Attributes:
        why: why it was refused or failed, in words; empty if it was not.
        in_sync: whether the rows said what lies there before it changed any.
    """

    run_id: int
    root: str
    mode: str
    state: str
    dry_run: bool
    why: str
    missing_count: int
    stats: IndexSyncStats
    in_sync: bool

    @classmethod
    def of(cls, run: IndexRun) -> "RunReport":
        stats = IndexSyncStats.of(run.counts)
        return cls(
            run_id=run.pk,
            root=run.root.name,
            mode=run.mode,
            state=run.state,
            dry_run=run.dry_run,
            why=run.refusal or (run.failure_message if run.state == RunState.FAILED else ""),
            missing_count=run.missing_count,
            stats=stats,
            in_sync=stats.is_in_sync,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The same as command, interface and task say it."""
        return asdict(self)


class IndexSyncService:
    """Compares storage with its rows, and brings the rows up to date.

    What a person saw before they wished something may be given as a `generation`: if the run has moved on since, `Stale` is
    raised, and nothing was changed.

    Args:
        by: who wishes it; None: nobody who has a login. Whether somebody may is checked by the transitions, and here
            before a run is made that would be let change rows by a worker, whom nobody asks.
        instead: what stands in the history where nobody who has a login wishes it.
    """

    def __init__(self, *, by: User | None = None, instead: Actor = RECONCILER) -> None:
        self.actor = Actor.person(by) if by else instead

    def start(
        self,
        *,
        mode: str,
        root: str = "documents",
        user_id: int | None = None,
        dry_run: bool = False,
        force: bool = False,
        incremental: bool = False,
        checksums: bool = False,
        include_protected: bool = False,
        allow_missing: int | None = None,
        grace: timedelta | None = None,
        rings: bool = True,
        occasion: str = Occasion.ASKED,
        reason: str = "",
    ) -> IndexRun:
        """Owe a run over a root, or over one user's part of it.

        Args:
            force: that rows may be deleted; needed for `clean` and `full`, but not for a dry run of them.
            include_protected: delete rows on which something stands, too.
            allow_missing: so many may be missing without the brake.
            grace: how long something is missing before its row is deleted; default: as the settings say.
            rings: whether a worker is told; else who started it works on it, see `work`.
            occasion: what begins it, where no person does.
            reason: the same in words, for its history.

        Raises:
            RootUnknown, ModeUnknown, UserUnknown, NeedsForce, NoChecksums, NotInParts: nothing was started.
            RootBusy: another run of the root is under way; the sentence says which.
            TransitionForbidden: the person may not, or not a run that changes rows or goes past the brake.
        """
        self._require(LOOKS)
        _check_mode(mode, is_meant=force or dry_run)
        where = StorageRoot.named(root)
        _check_root(where, user_id=user_id, checksums=checksums)
        run = IndexRun(
            root=where,
            mode=mode,
            occasion=occasion,
            user_id=user_id,
            prefix="" if user_id is None else f"{user_id}/",
            dry_run=dry_run,
            incremental=incremental,
            checksums=checksums,
            include_protected=include_protected,
            allow_missing=allow_missing,
            grace=timedelta(days=settings.STORAGE_MISSING_GRACE_DAYS) if grace is None else grace,
        )
        if not run.stops_at_plan:
            self._require(CHANGES)
        if allow_missing is not None:
            self._require(LETS_GO)
        with _alone(where, is_asked=occasion == Occasion.ASKED):
            run.save()
            return self._take(run.pk, Step(transition="plan", rings=rings, reason=reason))

    def look(self, *, root: str) -> IndexRun:
        """Owe a look at a root as it is now: a sync for who may change rows, else an audit.

        All of it is read, but of a root in which that takes long only the directories whose time has changed, and of one that
        is read by a cursor only what has changed.

        Raises:
            RootUnknown, RootBusy, TransitionForbidden: nothing was started.
        """
        user = self.actor.user
        mode = Mode.SYNC if user is None or user.has_perm(CHANGES) else Mode.AUDIT
        return self.start(mode=mode, root=root, incremental=StorageRoot.named(root).is_of_app or _takes_long(root))

    def apply(self, *, run_id: int, force: bool = False, generation: int | None = None) -> IndexRun:
        """Owe the changes of a plan.

        Args:
            force: that rows may be deleted.

        Raises:
            RootBusy, RunGone, NeedsForce, TransitionRefused, TransitionForbidden, Stale: nothing was changed.
        """
        run = _run(run_id)
        if run.counts.get("records_deleted") and not force:
            raise NeedsForce(f"Run {run_id} deletes rows. Say that you mean it, by “force”.")
        with _alone(run.root):
            return self._take(run_id, Step(transition="apply"), generation=generation)

    def override(self, *, run_id: int, allow_missing: int, generation: int | None = None) -> IndexRun:
        """Take a plan that the brake has refused, and go on with it unless it was to be a plan only.

        Args:
            allow_missing: at least as many as the brake has counted, so that whoever says it has read the number.

        Raises:
            NotOverridden: fewer.
            RootBusy, RunGone, TransitionRefused, TransitionForbidden, Stale: nothing was changed.
        """
        run = _run(run_id)
        if allow_missing < run.missing_count:
            raise NotOverridden(
                f"{run.missing_count:,} are missing. Say that number, if they were taken away on purpose."
            )
        with _alone(run.root):
            step = Step(transition="override", arguments={"allow_missing": allow_missing})
            taken = self._take(run_id, step, generation=generation)
            return taken if run.stops_at_plan else self._take(run_id, Step(transition="apply"))

    def abort(self, *, run_id: int, generation: int | None = None) -> IndexRun:
        """Stop a run. What it has applied stays, and can be undone.

        Each slice of its work has a generation of its own, which is no reason to refuse who wants it to end.

        Raises:
            RunGone, TransitionRefused, TransitionForbidden, Stale: nothing was changed.
        """
        _run(run_id)
        with locked(IndexRun, run_id) as run:
            if generation is not None and TransitionLog.objects.of(run).filter(generation__gt=generation).exists():
                raise Stale
            return self._take(run_id, Step(transition="abort"))

    def undo(self, *, run_id: int, generation: int | None = None) -> IndexRun:
        """Owe the rows as they were before a run.

        Raises:
            LaterRunStands: a later run of the root has changed rows, and has to be undone first.
            RootBusy, RunGone, TransitionRefused, TransitionForbidden, Stale: nothing was changed.
        """
        run = _run(run_id)
        later = IndexRun.objects.filter(root=run.root_id, pk__gt=run.pk, applied_up_to__gt=0).order_by("-pk")
        if stands := next((each for each in later if IndexSyncStats.of(each.counts).differences), None):
            raise LaterRunStands(f"Run {stands.pk} has changed rows after this one. Undo that one first.")
        with _alone(run.root):
            return self._take(run_id, Step(transition="undo"), generation=generation)

    def work(self, *, run_id: int, told: Callable[[IndexRun], None] = lambda _: None) -> IndexRun:
        """Do a run's work in this process until it is over, beside workers, who may do parts of it, or without any.

        Args:
            told: called with the run after each of its slices, and while somebody else is at work on it.

        Raises:
            RunGone: somebody has deleted it meanwhile.
            Exception: a bug in the work, or what hinders it; the run says which.
        """
        while not (run := _run(run_id)).is_over:
            told(run)
            if _is_free(run):
                message = message_of(run)
                jobs.run(message.label, message.pk, message.state, message.generation)
            else:
                sleep(LOOK_AGAIN_S)
        told(run)
        return run

    def wait(self, *, run_id: int, at_most_s: float) -> IndexRun:
        """Wait until a run is over that others work on, but not for longer than that; the run as it is then.

        Raises:
            RunGone: there is none, or somebody has deleted it meanwhile.
        """
        until = monotonic() + at_most_s
        while not (run := _run(run_id)).is_over and (left_s := until - monotonic()) > 0:
            sleep(min(LOOK_AGAIN_S, left_s))
        return run

    def _take(self, run_id: int, step: Step, *, generation: int | None = None) -> IndexRun:
        return take(model=IndexRun, pk=run_id, step=step, actor=self.actor, generation=generation)

    def _require(self, right: str) -> None:
        user = self.actor.user
        if user and not user.has_perm(right):
            raise TransitionForbidden(f"You do not have the permission to {FORBIDDEN[right]}.")


def _check_mode(mode: str, *, is_meant: bool) -> None:
    if mode not in Mode.values:
        raise ModeUnknown(f"There is no mode “{mode}”. It is {', '.join(Mode.values[:-1])} or {Mode.values[-1]}.")
    if mode in DELETING and not is_meant:
        raise NeedsForce(f"“{mode}” deletes rows. Say that you mean it, by “force”; or look first, by a dry run.")


def _check_root(root: StorageRoot, *, user_id: int | None, checksums: bool) -> None:
    if checksums and root.is_of_app:
        raise NoChecksums
    if user_id is not None and not root.is_owned:
        raise NotInParts
    if user_id is not None and not get_user_model().objects.filter(pk=user_id).exists():
        raise UserUnknown(f"There is no user {user_id}.")


def _run(run_id: int) -> IndexRun:
    run = IndexRun.objects.select_related("root").filter(pk=run_id).first()
    if run is None:
        raise RunGone(f"There is no run {run_id}.")
    return run


def _takes_long(root: str) -> bool:
    """Whether the last run that looked at all of the root saw very much."""
    whole = IndexRun.objects.filter(root__name=root, plan_is_whole=True, incremental=False, prefix="")
    counts: dict[str, int] = whole.order_by("-pk").values_list("counts", flat=True).first() or {}
    return counts.get("files_on_disk", 0) + counts.get("dirs_scanned", 0) > WHOLE_UP_TO


def _is_free(run: IndexRun) -> bool:
    """Whether its work can be begun: nobody is at it, and it does not wait for its next try."""
    free = IndexRun.objects.filter(pk=run.pk, state__in=sorted(WORKING), generation=run.generation)
    free = free.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=Now()))
    return free.filter(Q(due_at__lte=Now()) | Q(rung_at__isnull=False)).exists()


def _make_way(root: StorageRoot) -> None:
    """A run that nobody asked for, and that no worker has begun yet, is not in the way of who asks for one."""
    waiting = IndexRun.objects.filter(root=root, state__in=[RunState.QUEUED, RunState.PLANNING], tries=0, place={})
    for pk in waiting.exclude(occasion=Occasion.ASKED).values_list("pk", flat=True):
        # Meanwhile a worker may have begun it.
        with suppress(RecordGone, TransitionRefused), locked(IndexRun, pk) as run:
            if not run.tries:
                advance(run, Step(transition="abort", reason="what somebody has asked for goes first"), RECONCILER)


@contextmanager
def _alone(root: StorageRoot, *, is_asked: bool = True) -> Iterator[None]:
    """All or nothing of what is begun; say which run is under way, where the database has refused a second one.

    Args:
        is_asked: whether somebody has asked for it, so that what waits without that makes way.
    """
    try:
        with transaction.atomic():
            if is_asked:
                _make_way(root)
            yield
    except IntegrityError as error:
        if broken_constraint(error) != ONE_ACTIVE:
            raise
        other = IndexRun.objects.filter(root=root, state__in=sorted(ACTIVE)).first()
        which = f"Run {other.pk} of the root “{root.title}” is under way" if other else "Another run was under way"
        raise RootBusy(f"{which}. Wait for it, or stop it.") from None
