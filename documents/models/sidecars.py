"""What is still to be written beside the files, and what was written there last (`documents.sidecars`)."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class OwedSidecar(models.Model):
    """Something has changed that stands beside the files, too; the database itself says so in the transaction that changes it.

    One more row for each change, so that nobody waits for anybody; whoever writes a sidecar takes away those it has seen.

    Attributes:
        document_id, quota_id: what was changed; one of them. No relations: it may be gone by the time.
    """

    id = models.BigAutoField(primary_key=True)
    document_id = models.BigIntegerField(null=True)
    quota_id = models.BigIntegerField(null=True)
    due_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["due_at"], name="documents_owed_due"),
            models.Index(fields=["document_id"], name="documents_owed_document"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(document_id__isnull=False, quota_id__isnull=True)
                | Q(document_id__isnull=True, quota_id__isnull=False),
                name="documents_owed_is_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"document {self.document_id}" if self.document_id else f"quota {self.quota_id}"


class DocumentSidecar(models.Model):
    """What is known of the sidecar of a document.

    Attributes:
        edition: the number that was given last to a writing of it. One that lies in storage with a greater number was written
            by a database that knew more than this one, which was restored from an old copy.
        why_not: why it cannot be written, in words; empty if it can.
    """

    document = models.OneToOneField(
        "documents.Document",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="sidecar",
        db_constraint=False,  # who writes sidecars waits for nobody who holds a document
    )
    edition = models.PositiveIntegerField(default=0, db_default=0)
    why_not = models.CharField(max_length=300, default="", db_default="")

    if TYPE_CHECKING:
        document_id: int

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"edition {self.edition} of document {self.document_id}"
