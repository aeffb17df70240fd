"""A listing that came in another order than ours, until it is sorted."""

from django.db import models


class ListedEntry(models.Model):
    """What an object store listed. It lies here only while a run is planned whose listing is not in our order."""

    run = models.ForeignKey(
        "storage.IndexRun", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.TextField(db_collation="C")
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    etag = models.TextField()

    class Meta:
        default_permissions = ()
        # Not unique: a page that is listed twice is read twice, and merged as one.
        indexes = [models.Index(fields=["run", "key"], name="storage_listed_in_order")]

    def __str__(self) -> str:
        return self.key
