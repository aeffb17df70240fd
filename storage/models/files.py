"""What lies in a root: files, and directories too."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from storage.backends.stored import EPOCH


class FileState(models.TextChoices):
    PRESENT = "present"
    MISSING = "missing"
    QUARANTINED = "quarantined"


class StoredFile(models.Model):
    """A file or a directory as it was when the index last saw it.

    The relations have no constraint in the database: a million rows would be checked one by one, and a root, a run and a
    person go by way of Django, which sees to it.

    Attributes:
        key: the path below the root; that of a directory ends in “/”. It sorts as its bytes do.
        name: the last part, as people see it.
        modified_ns: when it was changed, in nanoseconds since 1970, as its storage says.
        etag: the object store's word for what it holds; for a directory "recent" if it had been changed so shortly
            before it was read that its time may hide a later change.
        sha256: of what it holds, where somebody has computed it.
        owner: who its first part names.
        changed_at: when this row was last written, and `changed_by` by which run; together they tell whether a plan
            still fits the row.
    """

    RECENT: ClassVar[str] = "recent"

    root = models.ForeignKey(
        "storage.StorageRoot", on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="files"
    )
    key = models.TextField(db_collation="C")
    name = models.TextField()
    is_directory = models.BooleanField(default=False, db_default=False)
    size = models.BigIntegerField(default=0, db_default=0)
    modified_ns = models.BigIntegerField(default=0, db_default=0)
    etag = models.TextField(default="", db_default="")
    content_type = models.CharField(max_length=255, default="", db_default="")
    sha256 = models.CharField(max_length=64, null=True)  # noqa: DJ001 - null: nobody has computed it
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    state = models.CharField(max_length=12, choices=FileState, default=FileState.PRESENT, db_default=FileState.PRESENT)
    missing_since = models.DateTimeField(null=True)
    found_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.ForeignKey(
        "storage.IndexRun",
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    if TYPE_CHECKING:
        root_id: int
        owner_id: int | None
        changed_by_id: int | None

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["root", "key"], name="storage_file_once"),
            models.CheckConstraint(condition=Q(state__in=FileState.values), name="storage_file_known_state"),
        ]
        indexes = [
            models.Index(fields=["root", "key"], condition=Q(is_directory=True), name="storage_directories"),
            models.Index(fields=["root", "key"], condition=~Q(state="present"), name="storage_not_present"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def modified_at(self) -> datetime | None:
        """When it was changed, by the clock of its storage; None if that is not known, or in no year that a calendar has."""
        if self.is_directory and not self.modified_ns:  # a cloud tells no time of a folder
            return None
        try:
            return EPOCH + timedelta(microseconds=self.modified_ns // 1_000)
        except OverflowError:
            return None
