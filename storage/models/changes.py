"""What a run is to do, row by row: plan, report, backup and undo log at once."""

from django.db import models


class Action(models.TextChoices):
    CREATE = "create"
    UPDATE = "update"
    RENAME = "rename"
    REVIVE = "revive", "found again"
    MISS = "miss", "missing"
    DELETE = "delete"
    SKIP = "skip", "skipped"
    ANOMALY = "anomaly"
    RESTORE = "restore", "brought back"


class IndexChange(models.Model):
    """One difference between storage and the index, or something that a run had to say.

    Whether it was applied is not written at each row, which would double the work of a first run: all up to
    `IndexRun.applied_up_to` were, but those that were `passed_over`.

    Attributes:
        number: its place in the run, from 1 on.
        file_id: the row of `StoredFile` that it is about; empty for what is new. No relation: the row may go.
        size, modified_ns, etag, content_type, sha256, owner_id, name, is_directory: as the row is to be.
        before: the whole row of `StoredFile` as it was when this was planned.
        detail: why, in words, for what is skipped and for anomalies; what, for a record that was brought back. For a rename: the old path.
        passed_over: it was not applied, since the row had been changed meanwhile, or is protected.
    """

    run = models.ForeignKey(
        "storage.IndexRun", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="changes"
    )
    number = models.IntegerField()
    action = models.CharField(max_length=8, choices=Action)
    key = models.TextField(db_collation="C")
    name = models.TextField(default="", db_default="")
    file_id = models.BigIntegerField(null=True)
    is_directory = models.BooleanField(default=False, db_default=False)
    size = models.BigIntegerField(default=0, db_default=0)
    modified_ns = models.BigIntegerField(default=0, db_default=0)
    etag = models.TextField(default="", db_default="")
    content_type = models.CharField(max_length=255, default="", db_default="")
    sha256 = models.CharField(max_length=64, null=True)  # noqa: DJ001 - null: nobody has computed it
    owner_id = models.IntegerField(null=True)
    before = models.JSONField(null=True)
    detail = models.TextField(default="", db_default="")
    passed_over = models.BooleanField(default=False, db_default=False)

    class Meta:
        default_permissions = ("view",)
        ordering = ["run", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="storage_change_once")]
        indexes = [
            # What a page shows of one kind; nine of ten rows of a first run are what nobody looks for.
            models.Index(
                fields=["run", "action", "number"],
                condition=~models.Q(action="create"),
                name="storage_change_action",
            ),
            # What a file's page shows; what a first run makes has no row yet, and is not in it.
            models.Index(fields=["file_id", "run"], condition=~models.Q(file_id=None), name="storage_change_file"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.key}"
