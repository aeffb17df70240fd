"""How much room documents may take, and bytes to which no version stands."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Quota(models.Model):
    """The room of one person, or of one agency. What counts is locked while it changes, so that it is exact.

    Attributes:
        agency: empty for a person's.
        limit_bytes: the most; empty: as the settings say. Less than what is used is possible: then nothing is added.
        used_bytes: of all versions of all documents that count against it.
        reserved_bytes: for uploads that are under way.
        version_count: of a person's: all versions of all their documents, since a row takes room, too, without any bytes.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+", editable=False
    )
    agency = models.CharField(max_length=20, default="", db_default="", editable=False)
    limit_bytes = models.BigIntegerField(
        null=True, blank=True, help_text="Empty: as the settings say; 0: nothing may be added."
    )
    used_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)
    reserved_bytes = models.BigIntegerField(default=0, db_default=0, editable=False)

    version_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    if TYPE_CHECKING:
        user_id: int | None

    class Meta:
        default_permissions = ("change", "view")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, agency="") | Q(user__isnull=True) & ~Q(agency=""),
                name="documents_quota_is_of_one",
            ),
            models.UniqueConstraint(fields=["agency"], condition=~Q(agency=""), name="documents_quota_once_per_agency"),
            models.CheckConstraint(
                condition=Q(used_bytes__gte=0, reserved_bytes__gte=0), name="documents_quota_is_no_debt"
            ),
            models.CheckConstraint(
                condition=Q(limit_bytes__isnull=True) | Q(limit_bytes__gte=0), name="documents_quota_limit_is_one"
            ),
        ]

    def __str__(self) -> str:
        return self.agency or str(self.user)

    @property
    def limit(self) -> int | None:
        """In bytes; None: there is none."""
        if self.limit_bytes is not None:
            return self.limit_bytes
        of_all = settings.DOCUMENTS_AGENCY_QUOTA_BYTES if self.agency else settings.DOCUMENTS_QUOTA_BYTES
        return int(of_all) or None

    @property
    def room(self) -> int | None:
        """How much is left, in bytes; less than nothing where the limit was lowered. None: there is no limit."""
        return None if self.limit is None else self.limit - self.used_bytes - self.reserved_bytes


class Upload(models.Model):
    """Bytes that are on their way to a key, and the room that is kept for them. It goes in the transaction of their version.

    Attributes:
        agency: whose quota it counts against beside the owner's; empty: nobody's.
        reserved_bytes: kept in each of the quotas.
        touched_at: when something of it was last seen; who stands still for too long has died.
    """

    key = models.CharField(max_length=1024, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    agency = models.CharField(max_length=20, default="", db_default="")
    reserved_bytes = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    touched_at = models.DateTimeField(db_default=Now(), db_index=True)

    if TYPE_CHECKING:
        owner_id: int

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(reserved_bytes__gte=0), name="documents_upload_is_no_debt"),
        ]

    def __str__(self) -> str:
        return self.key


class Leftover(models.Model):
    """Bytes in storage to which no row stands any more; a duty deletes them.

    Only what is known to be left over is deleted, never what merely has no row: after a database was restored from an old
    copy, that would be everybody's newer documents.

    Attributes:
        due_at: not before this, since whoever was sending them may still be at it.
    """

    key = models.CharField(max_length=1024, unique=True)
    due_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
