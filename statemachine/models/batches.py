"""Many records at once: what was made together or is run together, and which records it is of."""

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now

from statemachine.models.log import TransitionLog
from statemachine.models.machine import CLASS, StateMachine

# What the relation from a record to its memberships is called, by which a machine's `BatchItem` is found.
ITEMS = "batch_items"


class Batch(models.Model):
    """Many records of one machine that a person has made or started with one click: an entry of the history.

    Each machine has its own batches as a proxy of this, with `BatchesOf` for a manager.

    Attributes:
        record_type: which machine's, as “app.model” in small letters.
        size: how many records it started.
        left_out: how many rows of the file, or chosen records, it did not take.
    """

    class Kind(models.TextChoices):
        IMPORT = "import", "Import"
        RUN = "run", "Run"

    if TYPE_CHECKING:
        created_by_id: int | None

    record_type = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=200)
    size = models.PositiveIntegerField(default=0, db_default=0)
    left_out = models.PositiveIntegerField(default=0, db_default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        # Who may see the records may see what was done with many of them.
        default_permissions = ()
        ordering = ["-pk"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["import", "run"]), name="statemachine_batch_known_kind"),
        ]
        indexes = [models.Index(fields=["record_type", "id"], name="statemachine_batch_of")]

    def __str__(self) -> str:
        """With what it is, where a file's name alone does not say."""
        return f"Import: {self.title}" if self.kind == self.Kind.IMPORT else self.title


class BatchesOf(models.Manager[Any]):
    """The batches of one machine.

    Args:
        record_type: the machine's, as “app.model” in small letters.
    """

    def __init__(self, record_type: str) -> None:
        super().__init__()
        self.record_type = record_type

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(record_type=self.record_type)

    def create(self, **given: Any) -> Any:
        return super().create(**given | {"record_type": self.record_type})


class BatchItemQuerySet(models.QuerySet[Any]):
    """Where the members stand, as their batch counts them."""

    def waiting(self) -> Self:
        """Their run has not begun."""
        return self.filter(OWED).exclude(record__state__in=sorted(self.model.machine().working_states))

    def not_run(self) -> Self:
        """Stopped, or never begun, before a run of them has ended in their batch or since."""
        return self.filter(self.model.not_run())

    def settled(self) -> Self:
        """They ran, and nothing is owed for them; what was started otherwise and stopped since is among them."""
        return self.exclude(OWED).exclude(self.model.not_run())


# Of a member. What is called off did not run in its batch, whatever is known of the record from before.
OWED = Q(record__due_at__isnull=False)
CALLED_OFF = Q(called_off=F("record__generation"), record__due_at__isnull=True)
STARTED_LAST = Q(record__background=True, record__owed_by=F("batch"))


class BatchItem(models.Model):
    """A record of a batch; which batch may stop it, the record says itself (`StateMachine.owed_by`).

    Each machine of which many can be run together has its own, which adds
    `record = models.ForeignKey(…, on_delete=models.CASCADE, related_name="batch_items")`.

    Attributes:
        called_off: the record's generation since its batch was stopped before its turn came; None if that never was.
            Whatever is done with the record later has another, so nobody needs to take it back.
    """

    if TYPE_CHECKING:
        batch_id: int
        record_id: int

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+")
    called_off = models.PositiveIntegerField(null=True)

    objects = BatchItemQuerySet.as_manager()

    class Meta:
        abstract = True
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["batch", "record"], name=f"{CLASS}_once")]
        indexes = [
            models.Index(fields=["batch"], condition=Q(called_off__isnull=False), name=f"{CLASS}_called_off"),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} of {self.batch_id}"

    @classmethod
    def machine(cls) -> type[StateMachine]:
        """Whose records they are."""
        found: type[StateMachine] = cls._meta.get_field("record").related_model  # type: ignore[assignment]  # a field of each subclass
        return found

    @classmethod
    def cut_short(cls) -> Q:
        """It lies stopped, and no run of it has ended in its batch or since.

        The history is asked only of what lies stopped and was started otherwise since.
        """
        lies_stopped = Q(record__state=cls.machine().initial_state(), record__due_at__isnull=True)
        return lies_stopped & (STARTED_LAST | ~Q(cls._has_run()))

    @classmethod
    def not_run(cls) -> Q:
        """It was stopped, or never begun, before a run of it has ended in its batch or since."""
        return cls.cut_short() | CALLED_OFF

    @classmethod
    def _has_run(cls) -> Exists:
        """A run of it has ended since the batch was made, or called it off. Stopping it later changes nothing about that."""
        return Exists(
            TransitionLog.objects.of_moves().filter(
                record_type=cls.machine()._meta.label_lower,
                record_id=OuterRef("record"),
                to_state__in=sorted(cls.machine().run_ends),
                at__gte=OuterRef("batch__created_at"),
                generation__gt=Coalesce(OuterRef("called_off"), 0),
            )
        )
