"""A place in the cloud that was found."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import connection, models
from django.db.models import F, Q
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Now

from cloud.models.folded import Folded
from core.base.database import fetch_one


class CloudLocationQuerySet(models.QuerySet["CloudLocation"]):
    """Locations, and the one way to write one."""

    # There is one at each path, in whatever case it is written; Django's own upsert knows columns only, no expressions.
    PUT = """
    INSERT INTO {table} ({given}) VALUES ({values}) ON CONFLICT (provider, dropbox_fold(path))
    DO UPDATE SET {changed} RETURNING {columns}
    """

    def put(self, new: Mapping[str, Any], values: Mapping[str, Any]) -> "CloudLocation":
        """Give the location at a path these values; make it, if there is none. Whoever else does the same waits.

        Args:
            new: provider, path and name of one that is made.
        """
        made = CloudLocation(**{**new, **values})
        given = {field: field.pre_save(made, add=True) for field in made._meta.concrete_fields if not field.primary_key}
        given = {field: value for field, value in given.items() if not isinstance(value, DatabaseDefault)}
        changed = [field.column for field in given if field.name in {*values, "updated_at"}]
        put = fetch_one(
            CloudLocation,
            self.PUT,
            [field.get_db_prep_save(value, connection) for field, value in given.items()],
            given=", ".join(str(field.column) for field in given),
            values=", ".join(["%s"] * len(given)),
            changed=", ".join(f"{column} = EXCLUDED.{column}" for column in changed),
        )
        assert put is not None  # an upsert answers with its row
        return put


class CloudLocation(models.Model):
    """A file or directory in the cloud, and the share link to it."""

    provider = models.CharField(max_length=20, default="dropbox", db_default="dropbox", db_index=True)
    path = models.CharField(max_length=1000, db_index=True)
    name = models.CharField(max_length=255)
    is_directory = models.BooleanField(default=True, db_default=True)
    file_id = models.CharField(max_length=255, blank=True, default="", db_default="")
    share_url = models.URLField(max_length=2048, blank=True, default="", db_default="")
    share_refusal = models.TextField(
        blank=True, default="", db_default="", help_text="Why there is no share link, where the cloud refused one."
    )
    share_expires_at = models.DateTimeField(null=True, blank=True)
    share_checked_at = models.DateTimeField(
        null=True, blank=True, help_text="When the cloud was last asked whether the share link still leads there."
    )
    is_public = models.BooleanField(default=False, db_default=False)
    size_bytes = models.BigIntegerField(null=True, blank=True)
    modified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    objects: ClassVar[CloudLocationQuerySet] = CloudLocationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "archive"
        ordering = ["provider", "path"]
        indexes = [
            # To those, links are made when nothing else is to be done.
            models.Index(
                fields=["id"],
                condition=Q(share_checked_at__isnull=True, share_url="", share_refusal=""),
                name="cloud_location_awaits_link",
            )
        ]
        constraints = [
            models.UniqueConstraint(F("provider"), Folded("path"), name="cloud_location_once"),
            models.CheckConstraint(condition=Q(path__startswith="/"), name="cloud_location_absolute"),
            models.CheckConstraint(
                condition=Q(size_bytes__isnull=True) | Q(size_bytes__gte=0), name="cloud_location_size"
            ),
            models.CheckConstraint(
                condition=Q(share_url="") | Q(share_refusal=""), name="cloud_location_link_or_refusal"
            ),
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def is_gone(self) -> bool:
        """Whether nothing lay there when Dropbox was last asked."""
        return self.share_checked_at is not None and not (self.share_url or self.share_refusal)

    @property
    def awaits_link(self) -> bool:
        """Whether it is there, and nobody has asked Dropbox for a share link yet."""
        return self.share_checked_at is None and not (self.share_url or self.share_refusal)
