"""A run over a root: a machine on the engine."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, override

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django_fsm import transition

from console.notices.models import Noticed
from statemachine.models import StateMachine, known_states, line_indexes, state_field
from storage.errors import IndexAnomalies, IndexBraked, RootNotThere
from storage.models import news
from storage.models.roots import StorageRoot


class Mode(models.TextChoices):
    AUDIT = "audit", "Audit"
    SYNC = "sync", "Sync"
    CLEAN = "clean", "Clean"
    FULL = "full", "Full"


class Occasion(models.TextChoices):
    """Why a run began."""

    ASKED = "asked", "Somebody asked for it"
    START = "start", "At the start of the system"
    SCHEDULE = "schedule", "By the schedule"
    SEEN = "seen", "Something had changed"
    FIRST = "first", "Nothing was known of it yet"


class RunState(models.TextChoices):
    QUEUED = "queued"
    PLANNING = "planning"
    PLANNED = "planned"
    APPLYING = "applying"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    REFUSED = "refused"
    ABORTED = "aborted"
    FAILED = "failed"


WORKING = frozenset({RunState.PLANNING, RunState.APPLYING, RunState.UNDOING})
# While one run of a root is in one of these, no other may be.
ACTIVE = WORKING | {RunState.QUEUED}
# It has come to no conclusion, and somebody has to see to that.
STUCK = frozenset({RunState.REFUSED, RunState.FAILED})


def _has_applied(run: Any) -> bool:
    return bool(run.applied_up_to > 0 and run.forgotten_at is None)


def _has_plan(run: Any) -> bool:
    return bool(run.plan_is_whole and run.forgotten_at is None)


class IndexRun(Noticed):
    """One comparison of a root with its rows, and what came of it.

    Attributes:
        occasion: who or what began it.
        prefix: what of the root it is about; empty: all of it.
        incremental: only directories whose time has changed are read.
        checksums: the content of each file is read, too.
        include_protected: rows are deleted although something stands on them; a wish of its own.
        allow_missing: so many files may be missing without the brake.
        grace: how long a file is missing before its row is deleted.
        place: where the planning is, for the next slice.
        counts: the figures, see `IndexSyncStats`.
        planned_up_to: the number of the last change.
        plan_is_whole: the planning has come to its end.
        applied_up_to: the number up to which the changes were applied; undoing goes the way back.
        missing_count: how many the brake has counted.
        refusal: why it was refused, in words.
        forgotten_at: when its changes were deleted, since it is old. From then on it cannot be undone.
    """

    working_states: ClassVar[frozenset[str]] = WORKING
    start_transition: ClassVar[str] = "plan"
    work_name: ClassVar[str] = "The index of storage"
    looked_after_by: ClassVar[str] = "storage.change_index"

    root = models.ForeignKey("storage.StorageRoot", on_delete=models.CASCADE, related_name="runs")
    mode = models.CharField(max_length=5, choices=Mode, default=Mode.AUDIT)
    occasion = models.CharField(max_length=8, choices=Occasion, default=Occasion.ASKED, db_default=Occasion.ASKED)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    prefix = models.TextField(default="", db_default="", blank=True)
    dry_run = models.BooleanField(default=False, db_default=False)
    incremental = models.BooleanField(default=False, db_default=False)
    checksums = models.BooleanField(default=False, db_default=False)
    include_protected = models.BooleanField(default=False, db_default=False)
    allow_missing = models.PositiveIntegerField(null=True, blank=True)
    grace = models.DurationField(default=timedelta)
    place = models.JSONField(default=dict, editable=False)
    counts = models.JSONField(default=dict, editable=False)
    planned_up_to = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    plan_is_whole = models.BooleanField(default=False, db_default=False, editable=False)
    applied_up_to = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    missing_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    refusal = models.TextField(default="", db_default="", editable=False)
    forgotten_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    state = state_field(RunState, initial=RunState.QUEUED)

    if TYPE_CHECKING:
        root_id: int
        user_id: int | None

    class Meta(StateMachine.Meta):
        verbose_name = "index run"
        ordering = ["-pk"]
        constraints = [
            known_states(RunState),
            models.UniqueConstraint(
                fields=["root"],
                condition=Q(state__in=sorted(ACTIVE)),
                name="storage_run_one_active",
            ),
        ]
        indexes = [*StateMachine.Meta.indexes, *line_indexes(WORKING)]
        permissions = [
            ("run_index", "Can compare storage with its index"),
            ("change_index", "Can let an index run change, clean or undo"),
            ("override_brake", "Can let an index run go on although files are missing"),
        ]

    def __str__(self) -> str:
        return f"Index run {self.pk}"

    @property
    def stops_at_plan(self) -> bool:
        """Whether it only says what it would do."""
        return self.dry_run or self.mode == Mode.AUDIT

    @property
    def has_waited(self) -> bool:
        """Whether its plan was there for somebody to read before it was carried out, so that storage may be otherwise by now."""
        return self.stops_at_plan or self.missing_count > 0

    @property
    def is_over(self) -> bool:
        """Whether nothing is done any more without somebody's wish."""
        return self.state not in ACTIVE

    @classmethod
    @override
    def told_states(cls) -> frozenset[str]:
        """Not where somebody else has ended it, or goes on with it."""
        return STUCK | {RunState.PLANNED, RunState.DONE}

    @classmethod
    @override
    def still_told(cls) -> Q:
        """Not where the root has come to its end since: it is there again, or what was missing is known to be."""
        return super().still_told() & ~(Q(state__in=sorted(STUCK)) & news.is_overcome(cls))

    @override
    def is_news(self) -> bool:
        """Whoever asks without an account, as at a terminal, reads the answer there."""
        if self.initiated_by_id is None and self.occasion == Occasion.ASKED:
            return False
        if self.state in STUCK:
            return self.initiated_by_id is not None or news.is_first_refusal(self)
        return news.has_new_anomalies(self)

    @override
    def entering(self) -> None:
        """How it ended has a name, as a failure has: by that it is found, and people are told."""
        if self.state == RunState.REFUSED:
            self.failure_code = IndexBraked.code if self.plan_is_whole else RootNotThere.code
            self.failure_message = self.refusal
        elif self._has_ended_whole and self.counts.get("anomalies"):
            self.failure_code, self.failure_message = IndexAnomalies.code, news.in_words(self)
        if self._begins_to_change:
            StorageRoot.begins_to_change(self.root_id, forgets=self.state == RunState.UNDOING or self._is_overtaken)
        super().entering()

    @property
    def _begins_to_change(self) -> bool:
        """Whether rows may be changed from now on."""
        if self.state in {RunState.QUEUED, RunState.PLANNING}:
            return not self.stops_at_plan
        return self.state in ACTIVE

    @property
    def _is_overtaken(self) -> bool:
        """Whether what it is about to carry out is older than the rows; then they say nothing for certain, be it stopped at once."""
        began = self.place.get("began")
        if self.state != RunState.APPLYING or began is None:
            return False
        others = IndexRun.objects.filter(root=self.root_id, pk__gt=self.pk, applied_up_to__gt=0)
        return others.exists() or not StorageRoot.objects.filter(pk=self.root_id, cursor=began).exists()

    @property
    def _has_ended_whole(self) -> bool:
        """Whether it has come to the end that it was to come to."""
        end = RunState.PLANNED if self.stops_at_plan else RunState.DONE
        return str(self.state) == end

    @transition(
        field=state,
        source=RunState.QUEUED,
        target=RunState.PLANNING,
        permission="storage.run_index",
        custom={"label": "Look now"},
    )
    def plan(self) -> None:
        """Owe the comparison."""

    @transition(field=state, source=RunState.PLANNING, target=RunState.PLANNED)
    def planned(self) -> None:
        """What is to be done stands in the changes."""
        self.plan_is_whole = True

    @transition(field=state, source=RunState.PLANNING, target=RunState.REFUSED)
    def refuse(self, *, refusal: str, missing_count: int = 0, plan_is_whole: bool = False) -> None:
        """Conclude nothing."""
        self.refusal, self.missing_count, self.plan_is_whole = refusal, missing_count, plan_is_whole

    @transition(
        field=state,
        source=RunState.REFUSED,
        target=RunState.PLANNED,
        conditions=[_has_plan],
        permission="storage.override_brake",
        custom={"label": "Go on all the same"},
    )
    def override(self, *, allow_missing: int) -> None:
        """Take the plan although so many files are missing."""
        self.allow_missing, self.refusal = allow_missing, ""

    @transition(
        field=state,
        source=RunState.PLANNED,
        target=RunState.APPLYING,
        conditions=[_has_plan],
        permission="storage.change_index",
        custom={"label": "Apply"},
    )
    def apply(self) -> None:
        """Owe the changes."""

    @transition(field=state, source=RunState.APPLYING, target=RunState.DONE)
    def applied(self) -> None: ...

    @transition(
        field=state,
        source=[RunState.DONE, RunState.ABORTED, RunState.FAILED],
        target=RunState.UNDOING,
        conditions=[_has_applied],
        permission="storage.change_index",
        custom={"label": "Undo"},
    )
    def undo(self) -> None:
        """Owe the rows as they were."""

    @transition(field=state, source=RunState.UNDOING, target=RunState.UNDONE)
    def undone(self) -> None: ...

    @transition(
        field=state,
        source=[RunState.QUEUED, RunState.PLANNING, RunState.PLANNED, RunState.APPLYING, RunState.UNDOING],
        target=RunState.ABORTED,
        permission="storage.run_index",
        custom={"label": "Stop"},
    )
    def abort(self) -> None:
        """Leave it where it is. What was applied stays until it is undone."""

    @transition(
        field=state,
        source=[RunState.PLANNING, RunState.APPLYING, RunState.UNDOING],
        target=RunState.FAILED,
    )
    def fail(self, *, code: str, message: str) -> None:
        self.failure_code = code
        self.failure_message = message
