"""A place in the cloud that was found."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cloud.models.folded import Folded


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

    class Meta:
        verbose_name = "archive"
        ordering = ["provider", "path"]
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
        """Whether nothing lay there when that was last asked: what is there has a link, or a reason why it has none."""
        return self.share_checked_at is not None and not (self.share_url or self.share_refusal)
