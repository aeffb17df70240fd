"""What was listed in another order than ours, or told in the order in which it happened, until it is sorted."""

from django.db import models


class Word(models.IntegerChoices):
    """What is said of a key.

    Attributes:
        THERE: a file or a directory lies there. A file has nothing below it.
        GONE: nothing lies there, nor below it.
        NO_FILE: a directory is there, so that no file is; said of the key without its slash.
        ODD: something is there that becomes no row.
    """

    THERE = 0
    GONE = 1
    NO_FILE = 2
    ODD = 3


class ListedEntry(models.Model):
    """What was listed. It lies here only while a run is planned whose listing is not in our order.

    Attributes:
        id: of two words about a key the later one has the greater number.
        name: as `Entry.name`.
        etag: as `Entry.etag`; of what is odd, all that is told of it.
    """

    run = models.ForeignKey(
        "storage.IndexRun", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.TextField(db_collation="C")
    word = models.SmallIntegerField(choices=Word, default=Word.THERE, db_default=Word.THERE)
    size = models.BigIntegerField()
    modified_ns = models.BigIntegerField()
    etag = models.TextField()
    name = models.TextField(default="", db_default="")

    class Meta:
        default_permissions = ()
        # Not unique: a page that is listed twice is read twice, and merged as one.
        indexes = [models.Index(fields=["run", "key", "id"], name="storage_listed_in_order")]

    def __str__(self) -> str:
        return self.key
