"""Which folders of archives are read as a whole, and by whose Dropbox."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from cloud.models import Folded
from leases.validation import BASE_PATH_LENGTH
from storage.models import StorageRoot

ACCOUNT_LENGTH = 40
NAMESPACE_LENGTH = 40
FOLDER_ID_LENGTH = 255


class ArchiveWatch(models.Model):
    """One folder that holds archives, as one Dropbox account sees it. What lies there stands in the index of its root.

    The index belongs to that account: nobody is answered from what another one has read.

    Attributes:
        account_id: Dropbox's own.
        path_root: where that account's paths begin.
        base_path: the folder, as it is configured for an agency, for its archives, its documents or its index.
        namespace: the shared folder that it lies in; empty where it lies in none, or nobody has looked yet.
        unsettled: the archives in which something has changed while their leases were at work, as folded names; they are
            looked at again.
    """

    root = models.OneToOneField(StorageRoot, on_delete=models.CASCADE, related_name="archive_watch")
    account_id = models.CharField(max_length=ACCOUNT_LENGTH)
    path_root = models.CharField(max_length=NAMESPACE_LENGTH)
    base_path = models.CharField(max_length=BASE_PATH_LENGTH)
    namespace = models.CharField(max_length=NAMESPACE_LENGTH, default="", db_default="")
    unsettled = models.JSONField(default=list, db_default=[])
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    if TYPE_CHECKING:
        root_id: int

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                F("account_id"), F("path_root"), Folded("base_path"), name="discovery_watch_once_per_account"
            )
        ]

    def __str__(self) -> str:
        return self.base_path
