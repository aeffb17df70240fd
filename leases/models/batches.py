"""Many leases at once: what was imported or started together, and the file that is about to be."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now

from leases.states import WORKING, State
from statemachine.models import TransitionLog


class Batch(models.Model):
    """Many leases that one person has made or started with one click: an entry of the history.

    Attributes:
        size: how many leases it started.
        left_out: how many rows of the file, or chosen leases, it did not take.
    """

    class Kind(models.TextChoices):
        IMPORT = "import", "Import"
        RUN = "run", "Run"

    if TYPE_CHECKING:
        created_by_id: int | None

    kind = models.CharField(max_length=10, choices=Kind)
    title = models.CharField(max_length=200)
    size = models.PositiveIntegerField(default=0, db_default=0)
    left_out = models.PositiveIntegerField(default=0, db_default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    stopped_at = models.DateTimeField(null=True)
    leases = models.ManyToManyField("leases.Lease", through="BatchLease", related_name="batches")

    class Meta:
        # Who may see leases may see what was done with many of them.
        default_permissions = ()
        ordering = ["-pk"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["import", "run"]), name="leases_batch_known_kind"),
        ]

    def __str__(self) -> str:
        """With what it is, where a file's name alone does not say."""
        return f"Import: {self.title}" if self.kind == self.Kind.IMPORT else self.title


# A full discovery ends in one of these; a directory that was found is still to be read.
ENDS = (State.NOT_FOUND, State.DONE, State.FAILED)
# Of a member. What is called off did not run in its batch, whatever is known of the lease from before.
OWED = Q(lease__due_at__isnull=False)
CALLED_OFF = Q(called_off=F("lease__generation"), lease__due_at__isnull=True)
# A run of it has ended since its batch, or since that called it off. Who stopped the lease later takes nothing back.
HAS_RUN = Exists(
    TransitionLog.objects.filter(
        record_type="leases.lease",
        record_id=OuterRef("lease"),
        to_state__in=ENDS,
        at__gte=OuterRef("batch__created_at"),
        generation__gt=Coalesce(OuterRef("called_off"), 0),
    )
)
STARTED_LAST = Q(lease__background=True, lease__owed_by=F("batch"))
# Only of what lies stopped is the history asked, and only if it was started otherwise since.
CUT_SHORT = Q(lease__state=State.PENDING, lease__due_at__isnull=True) & (STARTED_LAST | ~Q(HAS_RUN))
NOT_RUN = CUT_SHORT | CALLED_OFF


class BatchLeaseQuerySet(models.QuerySet["BatchLease"]):
    """Where the members stand, as their batch counts them."""

    def waiting(self) -> Self:
        """Their run has not begun."""
        return self.filter(OWED).exclude(lease__state__in=WORKING)

    def not_run(self) -> Self:
        """Stopped, or never begun, before a run of them has ended in their batch or since."""
        return self.filter(NOT_RUN)

    def settled(self) -> Self:
        """They ran, and nothing is owed for them; what was started otherwise and stopped since is among them."""
        return self.exclude(OWED).exclude(NOT_RUN)


class BatchLease(models.Model):
    """A lease of a batch; which batch may stop it, the lease says itself (`Lease.owed_by`).

    Attributes:
        called_off: the lease's generation since its batch was stopped before its turn came; None if that never was.
            Whatever is done with the lease later has another, so nobody needs to take it back.
    """

    if TYPE_CHECKING:
        batch_id: int
        lease_id: int

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+")
    lease = models.ForeignKey("leases.Lease", on_delete=models.CASCADE, related_name="+")
    called_off = models.PositiveIntegerField(null=True)

    objects = BatchLeaseQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["batch", "lease"], name="leases_batchlease_once")]
        indexes = [
            models.Index(fields=["batch"], condition=Q(called_off__isnull=False), name="leases_batchlease_called_off"),
        ]

    def __str__(self) -> str:
        return f"{self.lease_id} of {self.batch_id}"


class Upload(models.Model):
    """A file that somebody is about to import, as it was read; nothing of it is a lease before that is confirmed.

    Once it is, only those of its rows are kept that were left out, each with the reason.

    Attributes:
        read_as: how it was understood, such as "CSV, UTF-8".
        rows: JSON: the number of each row in the file, its cells as text, and where there are any, what is wrong with
            cells and what is doubtful by column; once it is imported, of each row that was left out its number, agency,
            lease number, the reason, and the cells of the file's own columns.
        notes: JSON: a sentence for each thing in the file that is not read, or that a person may not expect to be.
        content: the file itself, to read it in another way; until it is imported.
        reading: JSON: by which separator or sheet it was read, and which sheets there are; once it is imported, the
            names of the file's own columns.
        batch: what became of it.
    """

    name = models.CharField(max_length=200)
    read_as = models.CharField(max_length=50)
    rows = models.JSONField(default=list)
    notes = models.JSONField(default=list, db_default=[])
    content = models.BinaryField(null=True)
    reading = models.JSONField(default=dict, db_default={})
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
