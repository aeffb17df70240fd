"""Files that are moved from one place of storage to another, and where they have moved."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now


class Move(models.Model):
    """All that lies in storage goes from one place to another. The last one says where documents may be written.

    Attributes:
        source, target: `Storage.place` of each.
        moved_at: when the target has taken the source's part; empty: it has not.
    """

    source = models.CharField(max_length=1000)
    target = models.CharField(max_length=1000)
    created_at = models.DateTimeField(db_default=Now())
    moved_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~models.Q(source=models.F("target")), name="documents_move_leads_away"),
        ]

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"


class MovedFile(models.Model):
    """A file that lies in the target, as it was when it was read; gone once all have moved.

    Attributes:
        size, modified_ns, etag: what the source told of it before: if it tells something else by now, it is another file.
        sha256: of what lies in the target, as it was read there.
        is_damaged: it is not what its version says.
    """

    move = models.ForeignKey(Move, on_delete=models.CASCADE, related_name="files", db_index=False)
    key = models.CharField(max_length=1024, db_collation="C")
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    etag = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    is_damaged = models.BooleanField(default=False, db_default=False)

    if TYPE_CHECKING:
        move_id: int

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["move", "key"], name="documents_moved_once"),
        ]

    def __str__(self) -> str:
        return self.key
