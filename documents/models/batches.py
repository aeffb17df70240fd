"""Many documents at once: what was verified again together."""

from typing import ClassVar

from django.db import models

from statemachine import models as engine
from statemachine.models import BatchesOf, BatchItem


class Batch(engine.Batch):
    """Many documents that one person has had verified again with one click."""

    objects: ClassVar[BatchesOf] = BatchesOf("documents.document")

    class Meta:
        proxy = True
        default_permissions = ()
        ordering = ["-pk"]
        verbose_name_plural = "batches"


class BatchPart(BatchItem):
    """A document of a batch."""

    record = models.ForeignKey("documents.Document", on_delete=models.CASCADE, related_name="batch_items")
