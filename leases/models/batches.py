"""Many leases at once: what was imported or started together, and the file that is about to be."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from statemachine import models as engine
from statemachine.models import BatchesOf, BatchItem


class Batch(engine.Batch):
    """Many leases that one person has made or started with one click."""

    objects: ClassVar[BatchesOf] = BatchesOf("leases.lease")

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-pk"]
        verbose_name_plural = "batches"


class BatchLease(BatchItem):
    """A lease of a batch."""

    record = models.ForeignKey("leases.Lease", on_delete=models.CASCADE, related_name="batch_items")


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
        corrected: JSON: by the number of the row in the file the column and the lease number that a person has put there;
            the rows are kept as they were read.
        batch: what became of it.
    """

    name = models.CharField(max_length=200)
    read_as = models.CharField(max_length=50)
    rows = models.JSONField(default=list)
    notes = models.JSONField(default=list, db_default=[])
    content = models.BinaryField(null=True)
    reading = models.JSONField(default=dict, db_default={})
    corrected = models.JSONField(default=dict, db_default={})
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
