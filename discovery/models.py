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
        looked_at: when Dropbox was last asked what has changed there, by the database's clock.
        resting_until: Dropbox is not asked before that, since the last question was not answered.
        failures: how often in a row that was so.
        begun_for: what the last run was begun for, so that one that was refused is not begun again for the same.
        told: the runs whose changes the leases were told, as numbers and generations; the last ones. Nothing: of no run yet.
        unwanted_since: no lease needs it any more; empty while one does.
    """

    root = models.OneToOneField(StorageRoot, on_delete=models.CASCADE, related_name="archive_watch")
    account_id = models.CharField(max_length=ACCOUNT_LENGTH)
    path_root = models.CharField(max_length=NAMESPACE_LENGTH)
    base_path = models.CharField(max_length=BASE_PATH_LENGTH)
    namespace = models.CharField(max_length=NAMESPACE_LENGTH, default="", db_default="")
    unsettled = models.JSONField(default=list, db_default=[])
    looked_at = models.DateTimeField(null=True, editable=False)
    resting_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    begun_for = models.CharField(max_length=64, default="", db_default="", editable=False)
    told = models.JSONField(default=dict, db_default={}, editable=False)
    unwanted_since = models.DateTimeField(null=True, editable=False)
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
