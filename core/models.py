"""What the console itself keeps."""

from typing import ClassVar

from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Now


class KeptPost(models.Model):
    """What somebody sent after the session had ended, for some minutes; see `core.http.kept_posts`.

    Attributes:
        key: names it in an address.
        owner: whose it is: this browser and this account, as a digest.
        address: where it was sent.
        fields: the form's, as pairs of a name and its values.
        file_field: the name of the form's file; empty: it has none.
    """

    key = models.CharField(max_length=40, unique=True)
    owner = models.CharField(max_length=64, db_index=True)
    address = models.TextField()
    fields = models.JSONField(default=list)
    file_field = models.CharField(max_length=100, default="", db_default="")
    file_name = models.TextField(default="", db_default="")
    file_type = models.CharField(max_length=200, default="", db_default="")
    file = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.address


class LastWrite(models.Model):
    """Up to where the write-ahead log reached when a person, or a program of theirs, had last changed something.

    Only where there is a replica; see `core.http.lists`.

    Attributes:
        position: in bytes from the log's beginning.
    """

    user = models.OneToOneField(User, on_delete=models.DB_CASCADE, primary_key=True, related_name="+")
    position = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} at {self.position}"


class LastBackup(models.Model):
    """The last backup that was made of all this, or the one that it was restored from: one row at most.

    Attributes:
        backup: its name.
        made_at: the moment that it is of.
    """

    ONLY: ClassVar[int] = 1

    backup = models.CharField(max_length=100)
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="core_lastbackup_is_one")]

    def __str__(self) -> str:
        return self.backup
