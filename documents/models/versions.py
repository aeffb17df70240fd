"""A version of a document: which bytes, whose, and what was found in them."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from documents.errors import HeldBack, NotServed
from documents.names import NAME_AT_MOST, WHY_AT_MOST


class DocumentVersion(models.Model):
    """Bytes that never change. The database itself refuses to have another word said about them (see the migration).

    What verifying finds is written beside them: `mime_type`, `verified_at`, `finding`.

    Attributes:
        number: unique in the document; gaps are of uploads that came to nothing.
        key: where it lies in storage; a version that was made of an earlier one has the bytes of that one.
        mime_type: by what it holds, once it was verified; before that, what was said or its name tells.
        declared_type: what whoever sent it said it is.
        finding: the code of what was found in it; such a version is never handed out.
        restored_from: the number of the version that it was made of.
        why: why there is another version, in somebody's words.
    """

    document = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=1024, db_collation="C")
    name = models.CharField(max_length=NAME_AT_MOST)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    declared_type = models.CharField(max_length=255, default="", db_default="")
    restored_from = models.PositiveIntegerField(null=True)
    why = models.CharField(max_length=WHY_AT_MOST, default="", db_default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now())
    mime_type = models.CharField(max_length=255, default="", db_default="")
    verified_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=50, default="", db_default="")

    if TYPE_CHECKING:
        document_id: int
        created_by_id: int | None

    class Meta:
        # Who may see a document may see its versions.
        default_permissions = ()
        ordering = ["document", "-number"]
        indexes = [models.Index(fields=["key"], name="documents_version_key")]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="documents_version_once"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(restored_from__isnull=True), name="documents_version_has_bytes"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="documents_version_has_number"),
            models.CheckConstraint(condition=Q(size__gte=0), name="documents_version_has_size"),
            models.CheckConstraint(condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="documents_version_has_checksum"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"

    @property
    def may_be_served(self) -> bool:
        """Whether it was verified and nothing was found in it."""
        return self.verified_at is not None and not self.finding

    def require_served(self) -> None:
        """Go on only if it may be handed out.

        Raises:
            HeldBack: something was found in it.
            NotServed: nobody has looked yet.
        """
        if self.finding:
            raise HeldBack
        if self.verified_at is None:
            raise NotServed

    def as_found(self) -> dict[str, Any]:
        """What is said of it in evidence."""
        return {"version": self.number, "key": self.key, "size": self.size, "sha256": self.sha256}
