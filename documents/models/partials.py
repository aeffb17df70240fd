"""Bytes that come in several requests, and may break off between them."""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from documents.names import NAME_AT_MOST, WHY_AT_MOST


class Stage(models.TextChoices):
    """How far it has come.

    Attributes:
        ARRIVED: all bytes are there, and it is owed that a version is made of them.
        OVER: it came to nothing.
    """

    RECEIVING = "receiving", "Receiving"
    ARRIVED = "arrived", "Arrived"
    DONE = "done", "Done"
    OVER = "over", "Over"


UNFINISHED = (Stage.RECEIVING, Stage.ARRIVED)


class PartialUpload(models.Model):
    """An upload that whoever sends it goes on with where it has broken off. What is said of it here was kept, and nothing else was.

    Attributes:
        upload: the room that is kept, and where it will lie; none once it is over.
        turn: whose it is to write: one more for each request that goes on with it, so that who came before cannot any more.
        received: so many bytes are safe.
        metadata_sent: what was said of it, in the words of whoever sends it.
        document_number: of the document that is to be made, or gets another version; it may not be there yet.
        document: once it has the version.
        revision, generation: of that document, as it was seen; empty: whatever it has become.
        hash_state: see `documents.hashing`.
        why_over: the code of why it came to nothing.
        finishing_until: somebody is making the version of it.
        is_cleared: nothing is left of its parts.
        expires_at: after that it is over; once it is done or over, what is known of it is forgotten.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    upload = models.OneToOneField("documents.Upload", on_delete=models.SET_NULL, null=True, related_name="partial")
    key = models.CharField(max_length=1024)
    stage = models.CharField(max_length=20, choices=Stage.choices, default=Stage.RECEIVING, db_default=Stage.RECEIVING)
    turn = models.PositiveIntegerField(default=0, db_default=0)
    length = models.BigIntegerField()
    received = models.BigIntegerField(default=0, db_default=0)
    metadata_sent = models.TextField(default="", db_default="")
    name = models.CharField(max_length=NAME_AT_MOST)
    declared_type = models.CharField(max_length=255, default="", db_default="")
    why = models.CharField(max_length=WHY_AT_MOST, default="", db_default="")
    metadata = models.JSONField(default=dict, db_default={})
    lease_number = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, default="", db_default="")
    document_number = models.BigIntegerField()
    version_number = models.PositiveIntegerField(default=1, db_default=1)
    revision = models.PositiveIntegerField(null=True)
    generation = models.PositiveIntegerField(null=True)
    document = models.ForeignKey("documents.Document", on_delete=models.CASCADE, null=True, related_name="+")
    hash_state = models.BinaryField(default=b"", db_default=b"")
    why_over = models.CharField(max_length=50, default="", db_default="")
    finishing_until = models.DateTimeField(null=True)
    is_cleared = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    if TYPE_CHECKING:
        owner_id: int
        upload_id: int | None
        document_id: int | None

    class Meta:
        default_permissions = ()
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["owner"], name="documents_partial_owner"),
            models.Index(fields=["expires_at"], name="documents_partial_expires"),
            models.Index(fields=["created_at"], name="documents_partial_arrived", condition=Q(stage="arrived")),
            models.Index(
                fields=["created_at"],
                name="documents_partial_uncleared",
                condition=Q(stage__in=["done", "over"], is_cleared=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(received__gte=0, received__lte=F("length")), name="documents_partial_received_is_some"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=["receiving", "arrived", "done", "over"]), name="documents_partial_known_stage"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.received:,} of {self.length:,} bytes"

    @property
    def is_of_new_document(self) -> bool:
        """Whether it becomes a document, and not another version of one."""
        return self.version_number == 1


class PartialPiece(models.Model):
    """A part of one that is safe, as the storage calls it; none where there is one place for all of them.

    Attributes:
        start: the first of its bytes in the file.
    """

    partial = models.ForeignKey(PartialUpload, on_delete=models.CASCADE, related_name="pieces", db_index=False)
    start = models.BigIntegerField()
    size = models.BigIntegerField()
    name = models.CharField(max_length=1024)

    class Meta:
        default_permissions = ()
        ordering = ["partial", "start"]
        constraints = [
            models.UniqueConstraint(fields=["partial", "start"], name="documents_piece_once"),
            models.CheckConstraint(condition=Q(size__gt=0), name="documents_piece_is_some"),
        ]

    def __str__(self) -> str:
        return f"{self.size:,} bytes from {self.start:,} on"
